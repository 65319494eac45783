"""The index: exact, ordered, memory-mapped, and refused when it is not whole or not of these towers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecglm.errors import CheckpointError, UsageError
from ecglm.inference.retrieval.index import Index, exact


def unit(rows: int, seed: int = 0, width: int = 16) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def made(rows: int = 50) -> Index:
    return Index.build([f"r{i}" for i in range(rows)], [f"text {i} ü" for i in range(rows)], "towers", reports=unit(rows),
                       recordings=unit(rows, 1))


@given(st.integers(1, 600), st.integers(1, 40), st.integers(0, 10))
@settings(deadline=None, max_examples=40)
def test_the_search_is_the_exact_product(rows, k, seed):
    matrix, query = unit(rows, seed).astype(np.float16), unit(1, seed + 99)[0]
    wanted = matrix.astype(np.float64) @ query.astype(np.float64)
    found = exact(matrix, query, k)
    np.testing.assert_array_equal([row for row, _ in found], np.argsort(-wanted, kind="stable")[:k])
    np.testing.assert_allclose([score for _, score in found], np.sort(wanted)[::-1][:k])


def test_each_report_finds_itself_and_hits_are_in_order():
    index = made()
    for row in (0, 7, 49):
        hits = index.search(unit(50)[row], k=3)
        assert (hits[0].id, hits[0].text) == (f"r{row}", f"text {row} ü")
        assert hits[0].score == pytest.approx(1, abs=1e-3)
        assert hits[0].score >= hits[1].score >= hits[2].score
    assert index.search(unit(50, 1)[3], side="recordings")[0].id == "r3"


def test_an_entry_that_lacks_a_side_is_never_found_there():
    vectors = unit(5)
    vectors[2] = 0
    hits = Index.build(list("abcde"), [""] * 5, "towers", recordings=vectors).search(-vectors.sum(0), k=9, side="recordings")
    assert sorted(hit.id for hit in hits) == ["a", "b", "d", "e"]


def test_a_saved_index_is_the_same_and_is_mapped(tmp_path):
    index = made()
    written = index.save(tmp_path / "i")
    assert written == sum(path.stat().st_size for path in (tmp_path / "i").iterdir())
    opened = Index.load(tmp_path / "i")
    assert isinstance(opened.vectors["reports"], np.memmap)
    assert [h.to_dict() for h in opened.search(unit(50)[4], 6)] == [h.to_dict() for h in index.search(unit(50)[4], 6)]
    index.save(tmp_path / "i")  # an index is replaced
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("x")
    with pytest.raises(UsageError, match="not an index"):
        index.save(tmp_path / "mine")


@pytest.mark.parametrize("damage", [
    lambda d: (d / "index.json").write_text("{"),
    lambda d: (d / "index.json").write_text(json.dumps({**json.loads((d / "index.json").read_text()), "format": 99})),
    lambda d: (d / "reports.npy").write_bytes((d / "reports.npy").read_bytes()[:300]),
    lambda d: (d / "reports.npy").unlink(),
    lambda d: np.save(d / "reports.npy", np.zeros((50, 16))),
    lambda d: np.save(d / "starts.npy", np.zeros(3, np.int64)),
    lambda d: (d / "entries.jsonl").unlink(),
])
def test_a_damaged_folder_is_refused(tmp_path, damage):
    made().save(tmp_path / "i")
    damage(tmp_path / "i")
    with pytest.raises(CheckpointError, match="ecglm index"):
        Index.load(tmp_path / "i")


def test_a_damaged_entry_is_named(tmp_path):
    made().save(tmp_path / "i")
    path = tmp_path / "i" / "entries.jsonl"
    for wrong in (b"x", b"1"):  # no JSON, and a number where a pair must be
        path.write_bytes(wrong * len(path.read_bytes()))
        with pytest.raises(CheckpointError, match="entry"):
            Index.load(tmp_path / "i").search(unit(1)[0])


def test_wrong_queries_are_refused():
    index = Index.build(["a"], ["b"], "towers", reports=unit(1))
    with pytest.raises(UsageError, match="holds no recordings"):
        index.search(unit(1)[0], side="recordings")
    with pytest.raises(UsageError, match="16 values, the query has 8"):
        index.search(unit(1, width=8)[0])
    with pytest.raises(UsageError, match="at least 1"):
        index.search(unit(1)[0], k=0)
    with pytest.raises(UsageError, match="at least one"):
        Index.build([], [], "towers", reports=unit(0))


def test_faiss_finds_the_same():
    pytest.importorskip("faiss", reason='faiss is not installed; pip install "ecglm[faiss]"')
    index, query = made(300), unit(1, 5)[0]
    assert [h.id for h in index.search(query, 10)] == [h.id for h in index.search(query, 10, backend="faiss")]


def test_a_table_that_is_too_long_is_refused_whole(tmp_path, monkeypatch):
    from ecglm.errors import UsageError
    from ecglm.inference.retrieval import build

    monkeypatch.setattr(build, "MAX_ROWS", 3)
    table = tmp_path / "t.csv"
    table.write_text("text\n" + "sinus rhythm\n" * 3)
    assert len(build.table_rows(table, read=None)) == 3
    table.write_text("text\n" + "sinus rhythm\n" * 4)
    with pytest.raises(UsageError, match="more than 3 rows; split it"):
        build.table_rows(table, read=None)
