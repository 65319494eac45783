"""`ecglm adapt` and `ask --adapter` as a person meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ecglm.cli import main
from ecglm.records import write_npz
from ecglm.signal.simulate import simulate

QUESTION = "Is there a Riverside sign?"
#: Of the recordings: nothing of these may be found in an adapter.
SECRETS = ("Jane Doe", "jane_doe", "4711-X", "1999-12-31", "Riverside General")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five patients with the sign, five without, named in file names, columns and headers; two more to be asked about."""
    where = tmp_path_factory.mktemp("Riverside General")
    rows = ["path;question;answer;patient"]
    for number, made in enumerate(simulate(["brugada_1", "normal"], 12, seed=3)):
        name, answer = f"jane_doe_{number}", "no" if number % 2 else "yes"
        write_npz(made.record, where / f"{name}.npz")
        if number < 10:
            rows.append(f"{name}.npz;{QUESTION};{answer};Jane Doe {number}")
    made.record.save(where / "jane_doe_9.hea")
    with open(where / "jane_doe_9.hea", "a") as header:
        header.write("# patient id: 4711-X\n# date 1999-12-31\n")
    (where / "support.csv").write_text("\n".join(rows).replace("jane_doe_9.npz", "jane_doe_9.hea"))
    return where


def test_from_a_table_to_an_answer(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert main(["adapt", "support.csv", "-o", "adapter"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert f"{QUESTION}\n  10 examples of 10 patients (5 yes, 5 no)\n  cross-validated: " in out
    assert "chance 50 %" in out
    assert f"ecglm ask FILE '{QUESTION}' --adapter adapter" in out
    for number, answer in ((10, "yes"), (11, "no")):
        assert main(["ask", f"jane_doe_{number}.npz", "Does this ECG show the Riverside sign?", "--adapter", "adapter"]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"{answer}  (confidence ")
        assert "from the adapter, taught by 10 examples" in out
    assert main(["ask", "jane_doe_10.npz", "jane_doe_11.npz", QUESTION, "--adapter", "adapter", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["answer"] == "ECG 1: yes; ECG 2: no"
    assert set(shown["recordings"][0]["probabilities"]) == {"yes", "no"}
    assert main(["report", "jane_doe_10.npz", "-o", "report.json", "--adapter", "adapter"]) == 0
    (taught,) = json.loads(Path("report.json").read_text())["taught"]
    assert (taught["question"], taught["answer"]) == (QUESTION, "yes")
    assert taught["adapter"].startswith("adapter (adapter ")
    assert taught["estimate"].startswith("cross-validated ")
    assert "chance 50 %" in taught["estimate"]


def test_nothing_in_an_adapter_says_whose_recordings_it_was_taught_with(
        folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder.parent / "shared"
    assert main(["adapt", str(folder / "support.csv"), "-o", str(out), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["adapter"] == str(out)
    assert shown["bytes"] == sum(file.stat().st_size for file in out.iterdir()) < 200_000
    (question,) = shown["questions"]
    assert (question["question"], question["answers"], question["n_patients"]) == (QUESTION, {"yes": 5, "no": 5}, 10)
    assert question["estimate"].keys() == {"accuracy", "low", "high", "chance", "n_patients", "above_chance"}
    assert sorted(file.name for file in out.iterdir()) == ["README.md", "adapter.json", "adapter.safetensors"]
    kept = b"".join(file.read_bytes() for file in out.iterdir())
    for secret in (*SECRETS, str(folder), "support", "npz", "hea"):
        assert secret.encode() not in kept.replace(b"heart", b"").replace(b"health", b""), secret
    shutil.rmtree(out)


def test_a_bad_table_lists_its_problems_and_writes_nothing(
        folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (folder / "support.csv").read_text().splitlines()
    bad = folder / "bad.csv"
    bad.write_text("\n".join([*lines[:3], "none.npz;Is it?;yes;1\x1b[31m", lines[1]]))
    assert main(["adapt", str(bad), "-o", str(tmp_path / "adapter")]) == 2
    out, err = capsys.readouterr()
    listed = out.splitlines()
    assert sum(line.startswith("error: row 4: ") and "there is no such file" in line for line in listed) == 1
    assert "error: row 5: the same recording as row 2; keep one of them" in listed
    assert err.count("\n") == 1
    assert err.startswith(f"ecglm: {bad}: ")
    assert "errors are listed" in err
    assert main(["adapt", str(bad), "-o", str(tmp_path / "adapter"), "--json"]) == 2
    shown = json.loads(capsys.readouterr().out)
    assert shown["adapter"] is None
    assert {problem["row"] for problem in shown["problems"]} >= {4, 5}
    assert not list(tmp_path.iterdir())


def test_a_single_error_is_said_once(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (folder / "support.csv").read_text().splitlines()
    bad = folder / "single.csv"
    bad.write_text("\n".join([*lines, f"jane_doe_11.npz;{QUESTION};;11"]))
    assert main(["adapt", str(bad), "-o", str(tmp_path / "adapter")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"ecglm: {bad}: row 12: the answer is empty; say what the recording shows\n"


def test_answers_that_cannot_be_told_are_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is whether the number of a patient is even: chance is all there is."""
    for number, made in enumerate(simulate("normal", 8, seed=8)):
        write_npz(made.record.crop(0, 5), tmp_path / f"{number}.npz")
    rows = "".join(f"{n}.npz,Is the number even?,{'no' if n % 2 else 'yes'},{n}\n" for n in range(8))
    (tmp_path / "support.csv").write_text("path,question,answer,patient\n" + rows)
    assert main(["adapt", str(tmp_path / "support.csv"), "-o", str(tmp_path / "adapter")]) == 0
    assert "warning: not above chance" in capsys.readouterr().out
    assert "Not above chance" in (tmp_path / "adapter/README.md").read_text()
    assert main(["ask", str(tmp_path / "0.npz"), "Is the number even?", "--adapter", str(tmp_path / "adapter"), "--json"]) == 0
    assert "did not show that this can be told" in json.loads(capsys.readouterr().out)["note"]


@pytest.mark.parametrize(("arguments", "message"), [
    (("adapt", "none.csv", "-o", "new"), "none.csv: no such file; give a CSV file with columns path,question,answer"),
    (("adapt", "support.csv"), "Missing option '-o' / '--out'"),
    (("adapt", "support.csv", "-o", "taken"), "taken: exists and is not an adapter folder"),
    (("adapt", "support.csv", "-o", "taken/file"), "taken/file: exists and is not an adapter folder"),
    (("adapt", "support.csv", "-o", "taken/file/new"), "taken/file/new: cannot be written ("),
    (("ask", "jane_doe_10.npz", "Is it?", "--adapter", "none"), "none: no such adapter folder; make one with `ecglm adapt`"),
    (("adapt", "support.csv", "-o", "~/taken"), "{here}/taken: exists and is not an adapter folder"),
    (("ask", "jane_doe_10.npz", "Is it?", "--adapter", "~nobody-so-named/a"), "~nobody-so-named/a: no such adapter folder"),
    (("ask", "jane_doe_10.npz", "Is it?", "--adapter", "taken"), "taken/adapter.json: missing or unreadable"),
    (("ask", "jane_doe_10.npz", "Is it?", "--adapter", "taken/file"),
     "taken/file: is a file; give the folder that `ecglm adapt` made"),
])
def test_mistakes_are_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
                               arguments: tuple[str, ...], message: str) -> None:
    for name in ("support.csv", "jane_doe_10.npz"):
        shutil.copy(folder / name, tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("dear")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"ecglm: {message.replace('{here}', str(tmp_path))}")
    assert err.count("\n") == 1
    assert not (tmp_path / "new").exists()
