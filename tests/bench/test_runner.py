"""The runner on models without weights: what it asks, what it refuses, what it writes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecglm.bench import runner
from ecglm.bench.compare import compare, load_results
from ecglm.bench.dummy import DummyModel
from ecglm.bench.patients import swap_records
from ecglm.bench.report import write_results
from ecglm.bench.runner import run
from ecglm.bench.task import BenchItem, Prediction, TaskConfig, load_task, task_names
from ecglm.errors import ConfigError, UsageError

TASK = replace(load_task("ecgqa-ptbxl"), draws=200)
FINDINGS = replace(load_task("findings-ptbxl"), draws=200)


def make_items(patients: int = 30) -> list[BenchItem]:
    """Per patient one record with a verify (70 % no), a choose and a query question."""
    items = []
    for n in range(patients):
        base = {"patient": f"p{n}", "record_key": f"r{n}", "meta": {"hash": f"h{n}"}}
        items += [
            BenchItem(f"{n}-v", question="AF?", answer="yes" if n % 10 < 3 else "no", qtype="verify", template="1",
                      attribute="AFIB", **base),
            BenchItem(f"{n}-c", question="AF or SR?", answer=("af", "sr", "none")[n % 3], qtype="choose", template="2",
                      attribute="AFIB", options=("af", "sr", "none"), **base),
            BenchItem(f"{n}-q", question="Rhythm?", answer=("af", "sr", "sr", "pace")[n % 4], qtype="query",
                      template="3", attribute="rhythm", **base),
        ]
    return items


ITEMS = make_items()


def value(result: dict[str, Any], row: str, qtype: str, metric: str = "exact_match") -> float:
    return float(result["rows"][row]["strict"][qtype][metric]["value"])


def test_an_oracle_scores_full_marks_and_its_controls_fall_to_chance(tmp_path: Path) -> None:
    result = load_results(run(TASK, DummyModel("oracle"), tmp_path, items=ITEMS))
    for qtype in ("verify", "choose", "query"):
        assert value(result, "full", qtype) == value(result, "heads", qtype) == 1.0
        for control in ("text-only", "no-signal", "other-patient"):
            assert value(result, control, qtype) == value(result, "chance-majority", qtype) < 1.0
    assert value(result, "full", "verify", "balanced_accuracy") == 1.0
    assert value(result, "chance-majority", "verify", "balanced_accuracy") == 0.5
    assert value(result, "chance-majority", "verify") == pytest.approx(0.7)
    assert value(result, "chance-uniform", "verify") == pytest.approx(1 / 2)
    assert value(result, "chance-uniform", "choose") == pytest.approx(1 / 3)
    gap = result["differences"]["full - text-only"]["verify"]
    assert (gap["metric"], gap["value"]) == ("balanced_accuracy", 0.5)
    assert gap["p"] < 0.05
    assert result["differences"]["full - heads"]["query"] == {
        "metric": "exact_match", "value": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}
    assert (result["n_items"], result["n_patients"], result["sizes"]["query"]["n_items"]) == (90, 30, 30)


def test_a_model_that_repeats_the_question_scores_nothing(tmp_path: Path) -> None:
    result = load_results(run(TASK, DummyModel("echo"), tmp_path, items=ITEMS))
    assert value(result, "full", "all") == 0.0


def test_every_item_is_asked_once_per_condition(tmp_path: Path) -> None:
    model = DummyModel("majority")
    run(TASK, model, tmp_path, items=ITEMS, chunk=7)
    assert len(model.asked) == len(set(model.asked)) == 5 * len(ITEMS)
    assert {control for control, _ in model.asked} == {"full", "text-only", "no-signal", "other-patient", "heads"}


@pytest.mark.parametrize(("trained", "said"), [
    ({"train_patients": {"p3", "x"}}, "test patients"), ({"train_hashes": {"h7"}}, "test waveforms"),
])
def test_it_refuses_when_test_data_were_trained_on(tmp_path: Path, trained: dict[str, set[str]], said: str) -> None:
    with pytest.raises(UsageError, match=f"1 of 30 {said} are in the training data of dummy-oracle"):
        run(TASK, DummyModel("oracle", **trained), tmp_path, items=ITEMS)
    assert not list(tmp_path.iterdir())


def test_it_says_so_when_overlap_cannot_be_checked(tmp_path: Path) -> None:
    model = DummyModel("majority")
    model.train_patients = None  # type: ignore[assignment]
    result = load_results(run(TASK, model, tmp_path, items=ITEMS))
    assert result["leakage"] == {"patients": "not checked: the model gives no list",
                                 "waveforms": "none of 30 shared with 0 training waveforms"}


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    class Interrupted(DummyModel):
        left = 40

        def answer_items(self, items: list[BenchItem], control: str, progress: bool) -> list[Prediction]:
            self.left -= len(items)
            if self.left < 0:
                raise KeyboardInterrupt
            return super().answer_items(items, control, progress)

    first = Interrupted("oracle")
    with pytest.raises(KeyboardInterrupt):
        run(TASK, first, tmp_path, items=ITEMS, chunk=6)
    assert not (tmp_path / "results.json").exists()
    saved = tmp_path / "predictions" / "full.jsonl"
    saved.write_text(saved.read_text()[:-5])  # the last line was cut in half
    second = DummyModel("oracle")
    resumed = load_results(run(TASK, second, tmp_path, items=ITEMS, chunk=6))
    assert len(second.asked) == 5 * len(ITEMS) - len(first.asked) + 1
    whole = load_results(run(TASK, DummyModel("oracle"), tmp_path / "whole", items=ITEMS))
    for row in ("full", "heads"):  # the dummy answers controls from the chunk it sees
        assert resumed["rows"][row] == whole["rows"][row]
    third = DummyModel("oracle")
    run(TASK, third, tmp_path, items=ITEMS)
    assert third.asked == []


def test_predictions_of_another_model_or_data_are_not_reused(tmp_path: Path) -> None:
    run(TASK, DummyModel("oracle"), tmp_path, items=ITEMS)
    other = DummyModel("majority")
    run(TASK, other, tmp_path, items=ITEMS)
    assert len(other.asked) == 5 * len(ITEMS)
    again = DummyModel("majority")
    run(TASK, again, tmp_path, items=make_items(29))
    assert len(again.asked) == 5 * 3 * 29


def test_other_patient_means_another_patient() -> None:
    same = [replace(item, patient=f"p{int(item.patient[1:]) // 5}") for item in ITEMS]
    owner = {item.record_key: item.patient for item in same}
    for item in swap_records(same, seed=0):
        assert owner[item.meta["swap_record_key"]] != item.patient
    by_record = {(i.record_key, i.meta["swap_record_key"]) for i in swap_records(same, seed=0)}
    assert len(by_record) == len(owner)
    assert swap_records(same, seed=0) == swap_records(same, seed=0)
    with pytest.raises(UsageError, match="two patients"):
        swap_records([ITEMS[0]], seed=0)


def test_an_abstention_is_wrong_and_counted(tmp_path: Path) -> None:
    class Silent(DummyModel):
        def answer_items(self, items: list[BenchItem], control: str, progress: bool) -> list[Prediction]:
            return [replace(p, abstained=p.id.endswith("-v")) for p in super().answer_items(items, control, progress)]

    result = load_results(run(TASK, Silent("oracle"), tmp_path, items=ITEMS))
    assert value(result, "full", "verify") == 0.0
    assert result["rows"]["full"]["confidence"]["verify"] == {"n_abstained": 30}
    assert result["rows"]["full"]["confidence"]["query"]["n_abstained"] == 0
    assert result["rows"]["full"]["confidence"]["query"]["ece"]["value"] == 0.0


def test_a_result_says_what_it_was_made_with(tmp_path: Path) -> None:
    model = DummyModel("majority")
    model.recipe_hash, model.seeds = "abc", {"train": 3}  # type: ignore[attr-defined]
    result = load_results(run(TASK, model, tmp_path, items=ITEMS))
    assert (result["recipe_hash"], result["seeds"]) == ("abc", {"train": 3, "bench": 0})
    assert {"git_commit", "data_hash", "versions", "created"} <= set(result)
    assert result["versions"]["numpy"]
    changed = load_results(run(TASK, model, tmp_path / "b", items=[replace(ITEMS[0], answer="maybe"), *ITEMS[1:]]))
    assert changed["data_hash"] != result["data_hash"]


def test_unusable_items_and_models_are_named(tmp_path: Path) -> None:
    class Lazy(DummyModel):
        def answer_items(self, items: list[BenchItem], control: str, progress: bool) -> list[Prediction]:
            return super().answer_items(items, control, progress)[1:]

    with pytest.raises(UsageError, match="no items"):
        run(TASK, DummyModel(), tmp_path, items=[])
    with pytest.raises(UsageError, match="ids repeat"):
        run(TASK, DummyModel(), tmp_path, items=[ITEMS[0], ITEMS[0]])
    with pytest.raises(UsageError, match="no patient"):
        run(TASK, DummyModel(), tmp_path, items=[replace(ITEMS[0], patient="")])
    with pytest.raises(UsageError, match="one prediction per item"):
        run(TASK, Lazy(), tmp_path, items=ITEMS)


def test_a_limit_takes_the_same_sample_every_time(tmp_path: Path) -> None:
    results = [load_results(run(TASK, DummyModel(), tmp_path / str(n), items=ITEMS, limit=40)) for n in range(2)]
    assert results[0]["n_items"] == 40
    assert results[0]["data_hash"] == results[1]["data_hash"]


def findings_items() -> list[BenchItem]:
    labels = [{"super_class": {"NORM": n % 2, "MI": int(n % 5 == 0)}, "sub_class": {"AMI": int(n % 5 == 0)},
               "form": {"PVC": int(n % 3 == 0), "STE": 0}, "rhythm": {"AFIB": int(n % 4 == 0)}} for n in range(60)]
    return [BenchItem(f"r{n}", f"p{n}", f"r{n}", "", "", "findings", "", "", meta={"labels": ls})
            for n, ls in enumerate(labels)]


def test_findings_are_scored_per_code_and_group(tmp_path: Path) -> None:
    best = load_results(run(FINDINGS, DummyModel("oracle"), tmp_path / "a", items=findings_items()))["findings"]
    assert best["super_class"]["macro_auroc"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert best["super_class"]["macro_f1"]["value"] == 1.0
    assert best["rhythm"]["pooled_ece"]["value"] == 0.0
    assert best["form"]["not_scored"] == ["STE"]
    flat = load_results(run(FINDINGS, DummyModel("majority"), tmp_path / "b", items=findings_items()))["findings"]
    assert flat["super_class"]["macro_auroc"]["value"] == 0.5
    assert flat["rhythm"]["codes"]["AFIB"]["ece"]["value"] == pytest.approx(0.25)


def test_compare_pairs_two_runs(tmp_path: Path) -> None:
    a = run(TASK, DummyModel("oracle", accuracy=0.9), tmp_path / "a", items=ITEMS)
    b = run(TASK, DummyModel("majority"), tmp_path / "b", items=ITEMS)
    found = compare(a, b.parent)["differences"]
    hits = {n: value(load_results(p), "full", "query") for n, p in (("a", a), ("b", b))}
    assert found["query"]["value"] == pytest.approx(hits["a"] - hits["b"], abs=1e-6)
    assert found["query"]["p"] < 0.05
    assert compare(b, a)["differences"]["query"]["value"] == -found["query"]["value"]
    assert compare(a, a)["differences"]["query"]["p"] == 1.0
    other = run(TASK, DummyModel("majority"), tmp_path / "c", items=make_items(20))
    with pytest.raises(UsageError, match="different items"):
        compare(a, other)
    with pytest.raises(UsageError, match="different tasks"):
        compare(a, run(FINDINGS, DummyModel(), tmp_path / "d", items=findings_items()))
    with pytest.raises(UsageError, match="condition"):
        compare(a, b, condition="noise")


def test_the_results_page_is_the_same_whatever_the_order_of_files(tmp_path: Path) -> None:
    files = [run(TASK, DummyModel("oracle", accuracy=0.8), tmp_path / "a", items=ITEMS),
             run(TASK, DummyModel("majority"), tmp_path / "b", items=ITEMS),
             run(FINDINGS, DummyModel("oracle"), tmp_path / "c", items=findings_items())]
    write_results(tmp_path / "one.md", files)
    write_results(tmp_path / "two.md", files[::-1])
    page = (tmp_path / "one.md").read_text()
    assert page == (tmp_path / "two.md").read_text()
    for row in ("| full |", "| text-only |", "| no-signal |", "| other-patient |", "| heads |", "| chance-majority |",
                "| full - text-only |", "| super_class |", "| AFIB |"):
        assert row in page
    assert "nan" not in page.lower().replace("nanny", "")
    write_results(tmp_path / "one.md", files[:1])  # others stay; the second model of the same task goes
    shorter = (tmp_path / "one.md").read_text()
    section = "## " + page.split("\n## ")[-1]
    assert "AFIB" in section
    assert shorter.endswith(section)
    assert len(shorter.split("\n## ")) == 3
    write_results(tmp_path / "one.md", files)
    assert (tmp_path / "one.md").read_text() == page


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 99}', "null"])
def test_a_file_that_is_no_result_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=str(path)):
        write_results(tmp_path / "out.md", [path])
    assert not (tmp_path / "out.md").exists()


def test_built_in_tasks_load_and_name_registered_parts() -> None:
    from ecglm.registry import DATASETS, METRICS, PROTOCOLS, SCORERS, STUDIES, SUBJECTS

    assert task_names() == [
        "beats", "camel", "camel-masks", "camel-parts", "camel-stages", "comparison", "delineation", "dialogue-refutation",
        "digitize",
        "ecgbench-pulse-ptbxl", "ecgbench-pulse-ptbxl-pages",
        "ecgbench-pulse/arena", "ecgbench-pulse/code15-test", "ecgbench-pulse/cpsc-test",
        "ecgbench-pulse/csn-test-no-cot", "ecgbench-pulse/ecgqa-test", "ecgbench-pulse/g12-test-no-cot",
        "ecgbench-pulse/mmmu-ecg", "ecgbench-pulse/ptb-test", "ecgbench-pulse/ptb-test-report", "ecgqa-official",
        "ecgqa-ptbxl", "fewshot", "fewshot-language", "findings-challenge2021", "findings-ludb", "findings-pages",
        "findings-ptbxl", "forecast-afpdb", "forecast-simulated", "intervals", "knowledge", "monitor", "report-narrative",
        "report-ptbxl", "retrieval-ptbxl", "reversal", "rhythm", "rhythm-spans", "simulate-realism",
        "simulate-transfer", "simulate-transfer-ludb", "statistics", "strips", "vision", "zeroshot-ptbxl"]
    for task in map(load_task, task_names()):
        assert task.dataset in {"study": STUDIES, "protocol": PROTOCOLS}.get(task.kind, DATASETS)
        assert all(name in METRICS for name in task.metrics)
        assert all(callable(SCORERS.get(name)) for name in task.scoring)
        assert all(callable(SUBJECTS.get(name)) for name in task.subjects)


def test_tasks_inherit_and_refuse_what_they_do_not_know(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("name: base\nversion: 1\ndescription: d\ndataset: ecgqa_ptbxl\n"
                                        "dataset_args: {fold: 9, seed: 1}\n")
    (tmp_path / "small.yaml").write_text("include: base.yaml\nname: small\ndataset_args: {fold: 8}\n")
    task = load_task(tmp_path / "small.yaml", ["draws=500"])
    assert (task.name, task.version, task.dataset_args, task.draws) == ("small", 1, {"fold": 8, "seed": 1}, 500)
    (tmp_path / "a.yaml").write_text("include: b.yaml\n")
    (tmp_path / "b.yaml").write_text("include: a.yaml\n")
    (tmp_path / "far.yaml").write_text("include: ../x.yaml\n")
    (tmp_path / "odd.yaml").write_text("include: base.yaml\nconditons: [full]\n")
    for name, said in (("a", "includes itself"), ("far", "same folder"), ("odd", "did you mean 'conditions'")):
        with pytest.raises(ConfigError, match=said):
            load_task(tmp_path / f"{name}.yaml")
    with pytest.raises(UsageError, match="did you mean 'ecgqa-ptbxl'"):
        load_task("ecgqa-ptbx")
    assert isinstance(task, TaskConfig)


def test_predictions_are_json_without_nan(tmp_path: Path) -> None:
    run(TASK, DummyModel("majority"), tmp_path, items=ITEMS)
    for file in (tmp_path / "predictions").glob("*.jsonl"):
        for line in file.read_text().splitlines():
            json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert runner.SCHEMA == 1


def test_a_study_is_not_lost_to_what_cannot_be_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecglm.bench.study import Study
    from ecglm.registry import STUDIES

    values = {"rmse": float("nan"), "of": [float("inf"), 1.5, {"n": 3}], "name": "x"}
    monkeypatch.setattr(STUDIES, "get", lambda name: lambda **_: Study([], 1, 1, "0", (), values))
    path = run(load_task("beats"), DummyModel("majority"), tmp_path)
    assert json.loads(path.read_text())["study"]["values"] == {"rmse": None, "of": [None, 1.5, {"n": 3}], "name": "x"}


def test_one_command_makes_every_table_that_needs_no_files_from_elsewhere() -> None:
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text(encoding="utf-8")
    (named,) = re.findall(r"bench run (.*?) --out", makefile.replace("\\\n", " "))
    elsewhere = {name for name in task_names() if name.startswith("ecgbench-pulse/")} | {"ecgqa-official"}
    assert sorted(named.split()) == sorted(set(task_names()) - elsewhere)
