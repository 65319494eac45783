"""Questions that join what is judged to what is not: the one is asked, the other is named."""

from __future__ import annotations

import pytest

from ecglm.corpus import questions as q
from ecglm.inference.guard import decline_question
from ecglm.inference.parts import parts
from ecglm.inference.topics import topics
from ecglm.knowledge.statements import STATEMENTS
from tests.inference.test_guard import OWN, RECORD

#: Question, what is asked of the part that is judged, name of the part that is not.
JOINED = [
    ("Is there atrial fibrillation or the Riverside sign?", ["Is there atrial fibrillation?"], "Riverside sign"),
    ("Is there the Riverside sign or atrial fibrillation?", ["Is there atrial fibrillation?"], "Riverside sign"),
    ("Is there both AF and the Riverside sign?", ["Is there AF?"], "Riverside sign"),
    ("Tell me if there is AF or the Riverside sign.", ["Tell me if there is AF?"], "Riverside sign"),
    ("Tell me if there is the Riverside sign or AF.", ["Tell me if there is AF?"], "Riverside sign"),
    ("AF or Riverside sign?", ["AF?"], "Riverside sign"),
    ("Is the Riverside sign or AF present?", ["Is the AF present?"], "Riverside sign"),
    ("I see AF and the Riverside sign, right?", ["I see AF?"], "Riverside sign"),
    ("Can you see AF, flutter or the Riverside sign?", ["Can you see AF or flutter?"], "Riverside sign"),
    ("Is the QRS wide and is there a Riverside sign?", ["Is the QRS wide?"], "is there a Riverside sign"),
    ("Is the heart rate above 100 and is there a Riverside sign?", ["Is the heart rate above 100?"], "is there a Riverside sign"),
    ("Are the PR interval and the Riverside interval normal?", ["Is the PR interval normal?"], "Riverside interval"),
    ("What is the heart rate and the ejection fraction?", ["What is the heart rate?"], "ejection fraction"),
    ("What are the heart rate, the PR interval and the ejection fraction?",
     ["What is the heart rate?", "What is the PR interval?"], "ejection fraction"),
    ("Heart rate and ejection fraction?", ["Heart rate?"], "ejection fraction"),
    ("What is the rhythm? And the blood pressure?", ["What is the rhythm?"], "blood pressure"),
    ("What is the rhythm and what is the blood pressure?", ["What is the rhythm?"], "what is the blood pressure"),
    ("What is the heart rate, and how old is the patient?", ["What is the heart rate?"], "how old is the patient"),
    ("What is the QTc and the potassium?", ["What is the QTc?"], "potassium"),
    ("What is the QT interval and the QT dispersion?", ["What is the QT interval?"], "QT dispersion"),
    ("What is the heart rate and the signal quality?", ["What is the heart rate?"], "signal quality"),
    ("Show me the rhythm and the Wenckebach periods", ["What is the rhythm?"], "Wenckebach periods"),
    ("How is the axis and the Selvester score?", ["What is the heart axis?"], "Selvester score"),
    ("Name the rhythm and the culprit artery", ["What is the rhythm?"], "culprit artery"),
    ("Is there AF and is it urgent?", ["Is there AF?"], "is it urgent"),
    ("Is there AF and should I give heparin?", ["Is there AF?"], "should I give heparin"),
    ("Is there infarction, and which artery is blocked?", ["Is there infarction?"], "which artery is blocked"),
    ("Is there AF or VT?", ["Is there AF?"], "VT"),
    ("Is it AF vs multifocal atrial tachycardia?", ["Is it AF?"], "multifocal atrial tachycardia"),
    ("Is this sinus rhythm or ectopic atrial rhythm?", ["Is this sinus rhythm?"], "ectopic atrial rhythm"),
    ("Is there LVH or HCM?", ["Is there LVH?"], "HCM"),
    ("Is there evidence of LVH and of amyloid?", ["Is there evidence of LVH?"], "amyloid"),
    ("Does this ECG show left bundle branch block or Brugada pattern?", ["Does this ECG show left bundle branch block?"],
     "Brugada pattern"),
    ("Does the patient have RBBB and pulmonary embolism?", ["Does the patient have RBBB?"], "pulmonary embolism"),
    ("Does it show sinus rhythm and Osborn waves?", ["Does it show sinus rhythm?"], "Osborn waves"),
    ("Any PVCs or parasystole?", ["Any PVCs?"], "parasystole"),
    ("Is there an infarction or pericarditis?", ["Is there infarction?"], "pericarditis"),
    ("Is there ischemia or lead misplacement?", ["Is there ischemia?"], "lead misplacement"),
    ("Is there ST elevation or early repolarization?", ["Is there ST elevation?"], "early repolarization"),
    ("Is there ST depression or hyperkalaemia?", ["Is there ST depression?"], "hyperkalaemia"),
    ("Is there any arrhythmia or channelopathy?", ["Is there any arrhythmia?"], "channelopathy"),
    ("Is there atrial fibrillation as well as a Spodick sign?", ["Is there atrial fibrillation?"], "Spodick sign"),
    ("Is there LBBB plus a Cabrera sign?", ["Is there LBBB?"], "Cabrera sign"),
    ("Is there AF or heart failure?", ["Is there AF?"], "heart failure"),
    ("Is this a normal ECG or is it Takotsubo?", ["Is this normal ECG?"], "is it Takotsubo"),
    ("Is there bradycardia or pauses?", ["Is there bradycardia?"], "pauses"),
]
NAMES = [s.name for s in STATEMENTS]
BENCHMARK = [wording.format(a=a, b=b, noun=noun) for wording in q.CHOOSE for noun in q.NOUN.values() for a in NAMES
             for b in (NAMES[0], NAMES[-1]) if a != b]
SPOKEN = [wording for wordings in q.SPOKEN_QUERY.values() for wording in wordings]


@pytest.mark.parametrize(("question", "asked", "name"), JOINED, ids=[question for question, _, _ in JOINED])
def test_what_is_judged_is_asked_and_the_other_is_named(question, asked, name):
    found = parts(question)
    assert [part.question for part in found if part.judged] == asked
    assert [part.name for part in found if not part.judged] == [name]
    assert len(JOINED) > 40


def test_no_wording_of_training_or_benchmark_has_a_part_that_is_not_judged():
    wordings = [*OWN, *BENCHMARK, *SPOKEN]
    assert [w for w in wordings if any(not part.judged for part in parts(w))] == []
    assert len(wordings) > 3000


@pytest.mark.parametrize("question", [
    "Is the QTc prolonged under amiodarone and flecainide?", "Is there AF or not?", "Is the heart rate fast or slow?",
    "Are the QRS complexes wide or narrow?", "Is it AF or something else?", "Is the axis left or right?",
    "What is the heart rate and why?", "Is there left or right bundle branch block?", "Hello, is there AF or what?",
    "Is there AF on this KardiaMobile or Apple Watch strip?", "Does Mr Miller or Mrs Smith have AF?", "AF or SR?",
    "Is there anterior or posterior infarction?", "Which is longer, the PR or the QT?", "Is there AF or flutterr?",
    "Is the rate between 60 and 100?", "Is there no AF and no Riverside sign?"])
def test_other_words_between_and_and_or_are_no_question_of_their_own(question):
    assert all(part.judged for part in parts(question))


@pytest.mark.parametrize("question", [
    "What changed between these recordings?", "What is the difference between these ECGs?", "Has the rhythm changed?",
    "Did the axis change?", "Do these two tracings differ?"])
def test_comparisons_of_recordings_are_declined(question):
    assert "not compared" in str(decline_question(question, topics(question), RECORD))
