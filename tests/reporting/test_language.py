"""Every text exists in every language, and no English is left in a German or Chinese report."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import ecglm
from ecglm.answers import Finding
from ecglm.errors import UsageError
from ecglm.knowledge.base import load as knowledge
from ecglm.knowledge.statements import STATEMENTS
from ecglm.paper.digitize.calibrate import Pulse
from ecglm.paper.digitize.load import Picture
from ecglm.paper.digitize.scale import scale_of
from ecglm.records.reading import PageLooked, PageReading
from ecglm.reporting import Report
from ecglm.reporting.compose import compose
from ecglm.reporting.document import sentences
from ecglm.reporting.language import Texts, language, languages
from ecglm.reporting.language.page_patterns import PAGE_PATTERNS
from ecglm.reporting.language.passages import PASSAGES
from ecglm.reporting.language.patterns import PATTERNS
from ecglm.reporting.language.reader_patterns import READER_PATTERNS
from ecglm.reporting.recommendations import recommendations
from ecglm.schema import LABELS
from ecglm.signal.simulate import CONDITIONS, simulate

Make = Callable[..., Report]
#: English words that no German or Chinese sentence has.
ENGLISH = re.compile(r"\b(the|of|and|with|is|are|not|beats?|waves?|leads?|before|every|regular|irregular|rests|most|heart|"
                     r"rate|present|possible|measured|normal ecg|rhythm|block|high|low)\b")


@pytest.mark.parametrize("code", ["de", "zh"])
def test_every_text_is_there_with_the_same_places_to_fill(code: str) -> None:
    english, other = language("en").texts, language(code).texts
    for field in fields(Texts):
        if field.type != "str":
            continue
        ours, theirs = getattr(english, field.name), getattr(other, field.name)
        assert theirs or field.name in ("separator",), field.name
        assert sorted(re.findall(r"\{\w*\}", ours)) == sorted(re.findall(r"\{\w*\}", theirs)), field.name


@pytest.mark.parametrize("code", ["en", "de", "zh"])
def test_every_measurement_statement_and_word_has_a_name_of_its_own(code: str) -> None:
    texts = language(code).texts
    assert set(texts.measurements) == set(LABELS)
    assert set(texts.statements) == {s.key for s in STATEMENTS}
    assert set(texts.words) == set(language("en").texts.words)
    assert len(set(texts.measurements.values())) == len(LABELS)
    assert all(texts.statements.values())


@pytest.mark.parametrize("code", ["de", "zh"])
def test_patterns_fill_all_their_places(code: str) -> None:
    for pattern in (*PATTERNS, *READER_PATTERNS, *PAGE_PATTERNS):
        said = pattern.german if code == "de" else pattern.chinese
        assert len(set(re.findall(r"\{\d\}", said))) == re.compile(pattern.english).groups, pattern.english


@pytest.mark.parametrize("code", ["de", "zh"])
@pytest.mark.parametrize("why", ["its traces cannot be followed surely enough (confidence 0.21)",
                                 "5 rows in 3 columns are not a layout whose leads are known",
                                 "the names that were read on it are not those of 3 rows in 4 columns",
                                 "its traces are 131 mm long, not 250, and no names are read that say where each lead begins"])
def test_a_page_that_is_only_looked_at_says_why(code: str, why: str) -> None:
    text = PageLooked(why, "layout", 0.79, np.zeros((2, 2), np.uint8)).text
    said = language(code).phrase(text)
    assert said
    assert not ENGLISH.search(said)
    assert re.findall(r"\d+", said) == re.findall(r"\d+", text)


def test_every_action_of_the_knowledge_base_is_translated_as_it_stands() -> None:
    actions = {entry.id: entry.text for entry in knowledge().entries.values() if entry.kind == "action"}
    assert set(PASSAGES) == set(actions)
    for entry, english in actions.items():
        german, chinese = (language(code).passage(entry, english) for code in ("de", "zh"))
        assert german, (entry, "was changed: translate it again")
        assert chinese
        assert not ENGLISH.search(german), german
        assert not ENGLISH.search(chinese), chinese
        assert re.search("[\u4e00-\u9fff]", chinese)
        numbers = re.findall(r"(?<!V)\d+", english)  # a limit that differs is no translation
        assert all(n in german for n in numbers), entry
        assert all(n in chinese for n in numbers), entry
        assert language("de").passage(entry, english + " More.") is None


@pytest.mark.parametrize("code", ["de", "zh"])
def test_no_step_is_left_in_english(code: str) -> None:
    every = [Finding(s.code, s.name, s.group, 0.9, True) for s in STATEMENTS]
    record = simulate(next(iter(CONDITIONS)), 1, seed=3)[0].record
    assert recommendations(every)
    (part,) = [p for p in compose(Report.of(record, findings=every), code).sections if p.key == "recommendations"]
    assert not [s for s in sentences(part) if s.kind == "quoted"]


@pytest.mark.parametrize("code", ["de", "zh"])
def test_no_english_is_left_of_many_simulated_hearts(code: str) -> None:
    for name in list(CONDITIONS)[::4]:
        record = simulate(name, 1, seed=3)[0].record
        report = Report.of(record, measurements=ecglm.measure(record), model="m",
                           findings=[Finding(s.code, s.name, s.group, 0.9, True) for s in STATEMENTS])
        document = compose(report, code)
        for section in document.sections:
            for sentence in sentences(section):
                if section.key == "patient" or sentence.kind == "passage":
                    continue  # file names and citations are what they are
                assert sentence.kind != "quoted", (name, sentence)
                assert not ENGLISH.search(sentence.text), (name, sentence)


def test_real_recordings_leave_no_english_either(data_dir: Path) -> None:
    for file in sorted((data_dir / "ludb" / "data").glob("*.hea"))[:12]:
        record = ecglm.read(file.with_suffix(""))
        report = Report.of(record, measurements=ecglm.measure(record))
        for code in ("de", "zh"):
            said = [s for part in compose(report, code).sections if part.key == "analysis" for s in sentences(part)]
            assert not [s for s in said if s.kind == "quoted"]
            assert not [s.text for s in said if s.kind not in ("passage",) and ENGLISH.search(s.text)]


def test_what_has_no_translation_is_marked_as_a_quotation(make: Make) -> None:
    report = make(caveats=("an unheard-of caveat",))
    said = [s for part in compose(report, "de").sections for s in sentences(part) if "unheard-of" in s.text]
    assert [s.kind for s in said] == ["quoted"]
    assert said[0].text == "Zu beachten: Englisches Zitat: „an unheard-of caveat“"


def test_german_numbers_have_a_comma_and_a_minus_sign(make: Make) -> None:
    text = "\n".join(compose(make(), "de").lines())
    assert "Dauer: 10,0 s mit 500 Hz" in text
    assert "QRS-Achse | −41° | −30 bis +90 | nach links" in text


def test_an_unknown_language_is_refused_with_the_choices(make: Make) -> None:
    with pytest.raises(UsageError, match="choose en, de, zh"):
        compose(make(), "fr")
    assert list(languages()) == ["en", "de", "zh"]


def test_notes_of_the_readers_are_said_in_the_language_with_names_of_the_file_as_they_are(make: Make) -> None:
    report = make(text="waveform group RHYTHM is read; left out: MEDIAN BEAT", answers=(), findings=())
    said = [s for part in compose(report, "de").sections for s in sentences(part) if "RHYTHM" in s.text and "Einlesen" in s.text]
    assert [s.text for s in said] == ["Hinweise beim Einlesen: gelesen wird die Signalgruppe RHYTHM; ausgelassen: MEDIAN BEAT"]
    odd = make(text="something new", answers=(), findings=())
    assert "Englisches Zitat: „something new“" in "\n".join(compose(odd, "de").lines())


@pytest.mark.parametrize("code", ["de", "zh"])
def test_what_was_assumed_of_a_page_is_said_clause_by_clause(code: str) -> None:
    picture = Picture(np.zeros((8, 8, 3), np.uint8), "p.png", ("page 2 of 3 was read", "turned upright as its EXIF data say"))
    notes = (*picture.notes, "lead names are by the usual order of the layout; they could not be read on the page",
             "aVR is printed turned over and was turned back",
             "a row below the others was left out: it is most like lead II, whose strip was read already",
             *scale_of(None, None, [], 4.0, []).notes, *scale_of(50.0, 5.0, [], 4.0, []).notes,
             *scale_of(None, None, [Pulse(0, 20, 10.0, 0.0)], 4.0, []).notes)  # 5 mm wide
    read = PageReading(dict.fromkeys(("I", "II"), 0.8), 25.0, 10.0, False, "3x4+3R", 4.0, notes)
    said = language(code).phrase(read.text)
    assert said is not None
    assert not ENGLISH.search(said.replace("3x4+3R", ""))
    assert language(code).phrase("computed from I and II, not stored: III, aVR, aVL, aVF") is not None
    assert language(code).phrase(read.text + "; something new") is None
