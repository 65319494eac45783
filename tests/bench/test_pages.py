"""Findings from pages: refused ones are counted both ways, and an interrupted run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecglm.bench import pages
from ecglm.bench.task import BenchItem, FindingScores
from ecglm.errors import PageError, UsageError

CLASSES = ("NORM", "MI", "STTC", "CD", "HYP")


def items() -> list[BenchItem]:
    def labels(k: int) -> dict[str, dict[str, int]]:
        return {group: {name: int(k % 5 == j) for j, name in enumerate(CLASSES)} for group in pages.GROUPS}
    return [BenchItem(str(k), f"patient {k}", str(k), "", "", "findings", "", "", meta={"labels": labels(k)}) for k in range(20)]


class Subject:
    """Right about every signal and every page that is read; knows a recording by its key."""

    id, train_patients, train_hashes = "fake", None, None

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score_record(self, name: str, record: str) -> FindingScores:
        self.asked.append(record)
        if record.startswith("page:") and int(name) >= 15:
            raise PageError("image", "grid", "no ruling is seen")
        return self._scores(name, [0.9 if int(name) % 5 == j else 0.1 for j in range(5)])

    def score_unread(self, item: BenchItem) -> FindingScores:
        return self._scores(item.id, [0.5, 0.2, 0.2, 0.2, 0.2])

    def score_blind(self, item: BenchItem) -> FindingScores:
        return self.score_unread(item)

    def _scores(self, name: str, values: list[float]) -> FindingScores:
        told = dict(zip(CLASSES, values, strict=True))
        return FindingScores(name, dict.fromkeys(pages.GROUPS, told),
                             {group: {key: p > 0.4 for key, p in told.items()} for group in pages.GROUPS})


@pytest.fixture(autouse=True)
def _keys_are_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecglm.corpus.external.bench_record", lambda key: key)


def test_refused_pages_are_left_out_and_counted(tmp_path: Path) -> None:
    study = pages.score(Subject(), items(), 0, 200, False, "page:scan", tmp_path)
    assert study.values["refused"] == dict.fromkeys(map(str, range(15, 20)), "grid")
    macro = {name: study.values[name]["super_class"]["value"] for name in
             ("signals", "page:scan, those that were read", "page:scan, a refused one judged by the base rates")}
    assert macro["signals"] == macro["page:scan, those that were read"] == 1.0
    # Of each class three of four are right; the fourth ties with four of the others: (3 * 16 + 12 + 4 / 2) / 64.
    assert macro["page:scan, a refused one judged by the base rates"] == pytest.approx(62 / 64)
    assert [row[1] for row in study.tables[0].rows] == ["20", "15", "15", "20"]
    assert study.values["ecgbench"]["refused"] == 5


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    first = Subject()
    whole = pages.score(first, items(), 0, 200, False, "page:scan", tmp_path)
    kept = (tmp_path / "pages.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "pages.jsonl").write_text("".join(kept[:8]) + kept[8][:20])  # seven whole lines, and half of one
    second = Subject()
    again = pages.score(second, items(), 0, 200, False, "page:scan", tmp_path)
    assert again.values == whole.values
    assert len(first.asked) == 40
    assert len(second.asked) == 2 * (20 - 7)
    third = Subject()
    pages.score(third, items(), 0, 200, False, "page:photo", tmp_path)  # another preset is another run
    assert len(third.asked) == 40


def test_only_pages_are_taken(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no page"):
        pages.run(None, tmp_path, None, 0, 100, False, input="signal")
