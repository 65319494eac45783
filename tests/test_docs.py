"""README and docs are run: every `ecglm` command and Python snippet in them works on a real recording."""

from __future__ import annotations

import io
import re
import shlex
import shutil
from pathlib import Path

import pytest

from ecglm.cli import main
from ecglm.errors import CheckpointError
from ecglm.models import base

#: Pages whose commands need recordings and no model.
NO_MODEL = ["docs/data.md", "docs/deidentify.md", "docs/holter.md", "docs/measure.md", "docs/plot.md", "docs/render.md",
            "docs/simulate.md", "docs/waves.md"]
ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", "docs/ask.md", "docs/report.md"]
#: Commands that need a terminal, data sets or an hour.
NOT_RUN = ("chat", "train", "bench", "pull")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(encoding="utf8"), re.S)


def commands(page: str) -> list[list[str]]:
    lines = [line.split("  #")[0].strip() for block in blocks(page, "bash") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("ecglm ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from pydicom.data import get_testdata_file

    try:
        base.resolve("smollm2-135m", progress=False)
    except CheckpointError as error:
        pytest.skip(f"the base language model is not here and could not be fetched: {error}")
    where = tmp_path_factory.mktemp("docs")
    (where / "study").mkdir()
    for name in ("ecg.dcm", "before.dcm", "after.dcm", "study/one.dcm"):
        shutil.copy(str(get_testdata_file("waveform_ecg.dcm", download=False)), where / name)
    onset = ["--onset", "af", "--duration", "300", "--onset-s", "290", "--fs", "128"]
    assert main(["synth", "-o", str(where / "made"), "--n", "1", *onset]) == 0
    (made,) = (where / "made").glob("*.npz")
    assert main(["convert", str(made), "-o", str(where / "holter.edf"), "--duration", "240"]) == 0
    support = table_of_the_page(where)
    support.rename(where / "support.csv")
    return where


def table_of_the_page(folder: Path) -> Path:
    """The table of docs/adapt.md, and the simulated recordings that it names."""
    (simulated,) = [argv for argv in commands("docs/adapt.md") if argv[0] == "synth"]
    assert main([*simulated[:2], str(folder / simulated[2]), *simulated[3:]]) == 0
    (folder / "table.csv").write_text(blocks("docs/adapt.md", "csv")[0])
    return folder / "table.csv"


@pytest.mark.parametrize(("page", "argv"), [(page, argv) for page in PAGES for argv in commands(page)],
                         ids=lambda value: value if isinstance(value, str) else " ".join(value)[:40])
def test_commands_of_the_docs_work(folder, monkeypatch, capsys, page, argv):
    monkeypatch.chdir(folder)
    if argv[0] in NOT_RUN:
        from ecglm.cli import VERBS

        assert argv[0] in VERBS
        return
    assert main(argv) == 0, (page, argv)
    shown = capsys.readouterr()
    assert shown.out.strip()
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(("page", "number"), [(p, n) for p in PAGES for n in range(len(blocks(p, "python")))])
def test_python_of_the_docs_works(folder, monkeypatch, page, number):
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    exec(compile(blocks(page, "python")[number], f"{page}:{number}", "exec"), names)
    assert names["answer"].text


def test_the_page_on_chat_shows_what_is_said(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    page = (ROOT / "docs/chat.md").read_text(encoding="utf8")
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", page, re.S | re.M)
    one, both = (text for language, text in fenced if language == "text")
    Path("questions.txt").write_text(one)
    Path("both.txt").write_text(both)
    shown = ""
    for argv in (argv for argv in commands("docs/chat.md") if "--script" in argv):
        assert main([arg for arg in argv if arg != "--json"]) == 0
        shown += "".join(line for line in capsys.readouterr().out.splitlines(True) if not line.startswith("  - "))
    for printed in (text for language, text in fenced if not language):  # another processor may round otherwise
        assert re.sub(r"\d+", "0", printed) in re.sub(r"\d+", "0", shown)
    (python,) = blocks("docs/chat.md", "python")
    exec(compile(python, "docs/chat.md", "exec"), {})
    assert "(2,)" in capsys.readouterr().out


def test_the_page_on_recordings_works_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, text in re.findall(r"```(python|bash)\n(.*?)```", (ROOT / "docs/records.md").read_text(encoding="utf8"), re.S):
        if language == "python":
            exec(compile(text, "docs/records.md", "exec"), names)
        else:
            assert [main(shlex.split(line)[1:]) for line in text.splitlines()] == [0] * len(text.splitlines())
    assert {path.name for path in tmp_path.iterdir()} >= {"part.npz", "part.hea", "part.dat", "part.edf", "part.dcm"}


def test_the_page_on_adapting_works_from_a_table_to_an_answer(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table_of_the_page(tmp_path).rename("support.csv")
    shown = ""
    for argv in commands("docs/adapt.md"):
        assert main(argv) == 0, argv
        shown += capsys.readouterr().out
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / "docs/adapt.md").read_text(encoding="utf8"), re.S | re.M)
    printed = [text for language, text in fenced if not language]
    assert len(printed) == 2
    for text in printed:  # another processor may round a percentage otherwise
        assert re.sub(r"\d+", "0", text) in re.sub(r"\d+", "0", shown)
    (python,) = blocks("docs/adapt.md", "python")
    names: dict[str, object] = {}
    exec(compile(python, "docs/adapt.md", "exec"), names)
    assert names["answer"].text == "yes"


def test_the_page_on_knowledge_works_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECGLM_KNOWLEDGE", str(tmp_path / "store"))
    (tmp_path / "guideline.md").write_text("# Rules\n\nRepeat the ECG after two hours.")
    monkeypatch.setattr("ecglm.knowledge.embed.available", lambda: False)  # the page must work without the extra
    for argv in commands("docs/knowledge.md"):
        assert main(argv) == 0, argv
    shown = capsys.readouterr().out
    assert "at least 120 ms" in shown
    assert "document 1: House rules" in shown
    for block in blocks("docs/knowledge.md", "python"):
        exec(compile(block, "docs/knowledge.md", "exec"), {})
    assert "120 to 200 ms" in capsys.readouterr().out


def test_the_page_on_search_works_from_a_table_to_hits(tmp_path, monkeypatch, capsys):
    from pydicom.data import get_testdata_file

    monkeypatch.chdir(tmp_path)
    shutil.copy(str(get_testdata_file("waveform_ecg.dcm", download=False)), tmp_path / "ecg.dcm")
    (tmp_path / "reports.csv").write_text(blocks("docs/search.md", "csv")[0])
    run = [argv for argv in commands("docs/search.md") if argv[0] in ("index", "search")]
    assert len(run) == 5
    for argv in run:
        assert main(argv) == 0, argv
        assert capsys.readouterr().out.strip()
    (python,) = blocks("docs/search.md", "python")
    names: dict[str, object] = {}
    exec(compile(python, "docs/search.md", "exec"), names)
    assert names["hits"][0].id == "first"


def test_the_page_on_forecasts_shows_what_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first, shown = commands("docs/forecast.md")[:4], ""
    assert [argv[0] for argv in first] == ["synth", "forecast", "forecast", "forecast"]
    for argv in first:
        assert main(argv) == 0, argv
        shown += capsys.readouterr().out
    text = " ".join((ROOT / "docs/forecast.md").read_text(encoding="utf8").split())
    quoted = text.split('then the verdict: "')[1].split(", ...")[0]
    assert re.sub(r"\d+", "0", quoted) in re.sub(r"\d+", "0", shown)  # another processor may round otherwise
    assert "already in atrial fibrillation or flutter since 00:2" in shown
    names: dict[str, object] = {}
    exec(compile(blocks("docs/forecast.md", "python")[0], "docs/forecast.md", "exec"), names)
    assert names["said"].answer.splitlines()[0] in shown


def test_the_commands_of_the_page_on_watching_work(tmp_path, monkeypatch, capsys):
    from ecglm.signal.simulate import simulate_one

    monkeypatch.chdir(tmp_path)
    record = simulate_one("normal", fs=250, duration_s=40, leads=("II", "V1"), seed=1).record
    record.save("day.edf")
    record.save("day.hea")
    text = blocks("docs/monitor.md", "bash")[0]
    piped = [shlex.split(line.split("|")[1])[1:] for line in text.splitlines() if line.startswith("recorder | ecglm ")]
    raw = io.BytesIO((200 * record.signal.T).round().astype("<i2").tobytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(raw))
    assert len(commands("docs/monitor.md")) == 2
    assert len(piped) == 1
    for argv in [*commands("docs/monitor.md"), *piped]:
        assert main(argv) == 0, argv
        out = capsys.readouterr().out
        assert '"rhythm": "sinus"' in out if "--json" in argv else "no AF" in out
    assert Path("day.png").is_file()


@pytest.mark.parametrize("page", NO_MODEL)
def test_pages_without_a_model_work(tmp_path, monkeypatch, capsys, page):
    from pydicom.data import get_testdata_file

    monkeypatch.chdir(tmp_path)
    (tmp_path / "study").mkdir()
    for name in ("ecg.dcm", "study/one.dcm"):
        shutil.copy(str(get_testdata_file("waveform_ecg.dcm", download=False)), tmp_path / name)
    assert commands(page)
    assert blocks(page, "python")
    for argv in commands(page):
        assert main(argv) == 0, argv
        assert capsys.readouterr().out.strip()
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize("page", sorted(str(p.relative_to(ROOT)) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]))
def test_links_point_to_files_that_exist(page):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text(encoding="utf8")):
        if not target.startswith("http"):
            assert (ROOT / page).parent.joinpath(target).exists(), target
