"""The guard: every wording that training or the benchmark uses passes, what an ECG cannot tell does not."""

from __future__ import annotations

import random
from string import ascii_lowercase

import pytest

from ecglm.corpus import instructions
from ecglm.corpus import questions as q
from ecglm.inference.guard import check_question, decline_question, decline_record, spelt, unsupported
from ecglm.inference.language import is_foreign
from ecglm.inference.topics import learned_name, spelled_out, topics
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.facts import HIDDEN
from ecglm.records.leads import CHEST_LEADS
from tests.signal.synthetic import synthetic_ecg

RECORD = synthetic_ecg()[0]
NAMES = [name for key, s in BY_KEY.items() if key not in HIDDEN for name in (s.name, *q.SYNONYMS.get(key, ()))]
OWN = sorted({
    *(wording.format(x=name) for wording in (*q.VERIFY, *q.SPOKEN) for name in NAMES), *q.VERIFY_NORMAL, *q.SPOKEN_NORMAL,
    *(f"Is the {name} {word} 90 ms?" for name in instructions._SPOKEN.values() for word in ("above", "under", "at least", ">")),
    *(wording.format(x="atrial fibrillation") for wording in instructions._WHY),
    *(w for ws in q.QUERY.values() for w in ws), *(w for ws in instructions._VALUE.values() for w in ws),
    *(w for ws in instructions._HIGH.values() for w in ws), *instructions._SUMMARY,
    *(w.format(a="sinus rhythm", b="atrial fibrillation", noun="rhythm") for w in q.CHOOSE),
    *(f"What range is the {name} in?" for name in instructions._SPOKEN.values()),
})


def declined(question: str, leads: tuple[str, ...] | None = None) -> str | None:
    record = RECORD.select(leads) if leads else RECORD
    return decline_question(question, topics(question), record)


def test_no_wording_of_ours_is_declined_on_twelve_leads():
    assert {w: declined(w) for w in OWN if declined(w)} == {}
    assert len(OWN) > 500


@pytest.mark.parametrize("question", [
    "Is the heart rate normal?", "Is the PR interval normal?", "Is it a normal sinus rhythm?", "Can I see atrial fibrillation?",
    "Should I worry about the rhythm?", "How high is the heart rate?", "What is the rhythm in lead II?", "rhythm?"])
def test_one_lead_is_enough_for_rhythm_and_rate(question):
    assert declined(question, ("II",)) is None


@pytest.mark.parametrize("question", [
    "Who is the president of France?", "What is the price of bread?", "What is the formula of water?",
    "What does the weather report say?", "What is the meaning of this?", "Write a poem", "What is the patient's name?",
    "What is the hemoglobin?", "How old is the patient?", "Is the ejection fraction normal?"])
def test_what_is_not_on_an_ecg_is_declined(question):
    assert declined(question)


@pytest.mark.parametrize("question", ["What does it show?", "what do you see in it", "What's this?", "Which of these is it?"])
def test_a_question_that_names_nothing_asks_what_the_ecg_shows(question):
    assert spelt(check_question(question)) == "What does this ECG show?"


def test_a_question_that_names_something_stays_as_it_is():
    for question in ("What does it show in V1?", "What is this lead?", "Which rhythm is it?"):
        assert spelt(check_question(question)) == question


@pytest.mark.parametrize(("question", "lead"), [("ST elevation in v1?", "V1"), ("What about avr?", "aVR"),
                                                ("Look at V3R", "V3R")])
def test_leads_are_found_in_any_case(question, lead):
    assert topics(question).leads == (lead,)
    assert lead in str(declined(question, ("I", "II")))


def test_the_longest_name_wins():
    assert topics("Is there incomplete left bundle branch block?").statements == ("sub_class:ILBBB",)
    assert topics("Is atrial fibrillation present?").measures == ()
    assert topics("Is the QTc prolonged?").measures == ("qtc_bazett",)


def test_a_dead_lead_cannot_be_asked_about():
    reason = decline_question("ST depression in V1?", topics("ST depression in V1?"), RECORD, unusable=("V1",))
    assert "V1 is flat" in str(reason)


@pytest.mark.parametrize(("question", "reason"), [
    ("How many QRS complexes are there?", "counts"), ("Which leads show T wave inversion?", "lead by lead"),
    ("Is there ST depression in V2?", "lead by lead"), ("Is there no atrial fibrillation?", "negation")])
def test_forms_that_would_be_misread_are_declined(question, reason):
    assert reason in str(declined(question))


@pytest.mark.parametrize("question", [
    "Is atrial fibrillation absent?", "Is this free of infarction?", "Is this not sinus rhythm?",
    "Does this rule out infarction?", "Which one has atrial fibrillation?", "Is ECG 2 faster than ECG 1?", "Compare them",
    "Was the heart rate 80 yesterday?",
    "Is this ECG urgent?", "Is there ventricular tachycardia?", "Are there P waves?",
    "Is there junctional rhythm?", "What is the respiratory rate?", "What is the heart rate variability?",
    "What is the QTc by Fridericia?", "What is the T axis?",
    "Is the R wave in V5 tall?", "Are the T waves tall?", "Are the QRS complexes of high amplitude?"])
def test_what_was_never_judged_is_declined_not_answered_as_something_else(question):
    assert declined(question)


def test_a_rate_too_low_for_waves_is_declined():
    slow = type(RECORD)(RECORD.signal[:, ::25], RECORD.fs / 25, RECORD.leads)
    assert "20 Hz" in str(decline_record(slow, {}))


@pytest.mark.parametrize(("short", "full"), [
    ("Is there AF?", "Is there atrial fibrillation?"), ("Any PVCs?", "Any ventricular premature complex?"),
    ("LBBB or incomplete RBBB?", "complete left bundle branch block or incomplete right bundle branch block?"),
    ("Is the aFFect flat, or af-like?", "Is the aFFect flat, or af-like?")])
def test_abbreviations_are_spelled_out_for_the_model(short, full):
    assert spelled_out(short) == full


@pytest.mark.parametrize(("option", "name"), [
    ("tachycardia", "tachycardia"), ("AF", "atrial fibrillation"), ("normal axis", "normal heart axis"),
    ("Sinus", "sinus rhythm"),
    ("60 bpm", "60 bpm"),
    ("Left axis deviation", "left axis deviation"), ("incomplete RBBB", "incomplete right bundle branch block")])
def test_options_are_scored_in_the_words_that_were_learned(option, name):
    assert learned_name(option) == name


@pytest.mark.parametrize("question", ["Does lead II show static noise?", "Is there baseline drift in lead V1?",
                                      "Are there electrode problems?", "Any artifact?"])
def test_kinds_of_noise_are_declined(question):
    assert "noise is not judged" in str(declined(question))


def test_noise_beside_something_else_is_no_reason_to_decline():
    assert declined("Is there atrial fibrillation despite the noise?") is None


@pytest.mark.parametrize(("leads", "key", "reason"), [
    (("V1", "V2", "V3"), "super_class:MI", "limb lead or all chest leads"), (("V1", "V2", "V3"), "form:ABQRS", "limb lead"),
    (("V1", "V2", "V3"), "rhythm:AFIB", None), (("V1",), "form:PVC", None), (CHEST_LEADS, "super_class:MI", None),
    (("I", "V1", "V2"), "super_class:MI", None), (("II",), "super_class:MI", "several leads"),
    (("I", "II", "III"), "sub_class:CLBBB", "chest leads"), (CHEST_LEADS, "sub_class:IMI", "two limb leads")])
def test_statements_need_leads(leads, key, reason):
    said = unsupported(key, leads)
    assert said is None if reason is None else reason in said


def test_open_questions_need_what_the_whole_ecg_needs():
    assert "limb lead" in str(declined("What is the diagnosis?", ("V1", "V2", "V3")))
    assert declined("What is the rhythm?", ("V1", "V2", "V3")) is None
    assert declined("What is the diagnosis?", CHEST_LEADS) is None


@pytest.mark.parametrize("question", [
    "Is there no AF?", "Isn't there atrial fibrillation?", "Does it not show AF?", "Doesn\u2019t it show AF?",
    "Hasn't the patient got AF?", "Is this ECG not normal?", "Are there no abnormalities?", "No AF?", "isnt it AF?",
    "Could this not be sinus rhythm?", "Does the ECG lack P waves in sinus rhythm?"])
def test_yes_and_no_to_a_negation_would_be_unclear(question):
    assert "without the negation" in str(declined(question))


@pytest.mark.parametrize("question", [
    "This is AF, isn't it?", "The ECG is normal, isn't it?", "Is the heart rate not below 60?", "Is there non-specific ischemia?",
    "Does this ECG show no abnormality?"])
def test_what_only_sounds_like_a_negation_is_not_declined(question):
    assert declined(question) is None


def test_or_not_asks_nothing_more():
    assert check_question("Is there AF, or not?") == check_question("Is there AF or not") == "Is there AF?"


@pytest.mark.parametrize("question", ["hyperkalaemia?", "Is there digoxin toxicity?", "Takotsubo?", "Is it cardiac tamponade?"])
def test_what_is_not_judged_is_said_to_be_so(question):
    assert "not among the findings" in str(declined(question))


@pytest.mark.parametrize("question", [
    "Should the patient be treated?", "What treatment is needed?", "Does this rhythm need cardioversion?", "Which drug helps?"])
def test_treatment_is_named_as_the_reason(question):
    assert "which treatment is right" in str(declined(question))


@pytest.mark.parametrize("question", [
    "Ist das EKG normal?", "Gibt es Vorhofflimmern?", "Zeigt das EKG einen LBBB?", "Was ist der Rhythmus?", "IST DAS EKG NORMAL?",
    "Le rythme est-il sinusal ?", "Est-ce que l'ECG est normal ?", "Y a-t-il un flutter ?", "Le QRS est-il large ?",
    "\u00bfHay fibrilaci\u00f3n auricular?", "Hay flutter?", "Es normal el ECG?", "No es normal?",
    "\u8fd9\u662f AF \u5417?", "\u8fd9\u4e2a\u5fc3\u7535\u56fe\u6b63\u5e38\u5417?", "\u6709 ST elevation \u5417?",
    "Bu EKG normal mi?", "Kalp ritmi normal?", "Bu EKG'de sinus ritmi var m\u0131?", "QRS geni\u015f mi?",
    "Is het ritme normaal?", "Il ritmo \u00e8 sinusale?", "O ritmo \u00e9 normal?", "\u00c4r rytmen normal?", "Jaki jest rytm?",
    "\u042d\u0442\u043e \u042d\u041a\u0413 normal?"])
def test_other_languages_are_declined(question):
    assert "ask in English" in str(declined(question))


@pytest.mark.parametrize("question", [
    "Is teh ECG nromal?", "wat is teh hart rate?", "Is thre atrial fibrilation?", "Whats teh rhythm?", "plz tell hr",
    "is ther a bundle branch blok", "pt has AF, rate ok?", "tachy or brady?", "QTc on sotalol?", "Amiodarone QTc?",
    "Is the QTc prolonged under amiodarone and flecainide?", "Does digoxin explain the ST depression?", "LINQ rhythm?",
    "Is the rhythm of the Medtronic Micra sinus?", "Is this AF on the KardiaMobile?", "Holter strip: PVCs?",
    "Does Mr M\u00fcller have AF?", "Afib w RVR?", "Sgarbossa criteria met in LBBB?", "PR interval in \u00b5s?"])
def test_slips_and_names_are_english(question):
    assert not is_foreign(question)
    assert "ask in English" not in str(declined(question)) or not topics(question).related


def test_one_slip_in_any_wording_of_ours_is_forgiven():
    rng = random.Random(0)
    slips = [lambda w, i: w[:i] + w[i + 1:], lambda w, i: w[:i] + w[i + 1] + w[i] + w[i + 2:],
             lambda w, i: w[:i] + rng.choice(ascii_lowercase) + w[i + 1:], lambda w, i: w[:i + 1] + w[i:]]
    refused, asked = [], 0
    for question in OWN:
        words = question.split()
        for place in [i for i, word in enumerate(words) if len(word) > 4 and word[:-1].isalpha()]:
            word = words[place]
            with_slip = [*words[:place], rng.choice(slips)(word, rng.randrange(len(word) - 2)), *words[place + 1:]]
            asked += 1
            refused += [" ".join(with_slip)] * is_foreign(" ".join(with_slip))
    assert asked > 1000
    assert refused == []


@pytest.mark.parametrize("question", [
    "Is the signal quality good?", "How long is this ECG in minutes?", "Is the ECG sampled finely?"])
def test_questions_about_the_file_name_the_command(question):
    assert "`ecglm info`" in str(declined(question))


def test_groups_are_not_judged_lead_by_lead_either():
    assert "lead by lead" in str(declined("Is there ischaemia in V2?"))
    assert declined("Is there any arrhythmia in lead II?") is None
