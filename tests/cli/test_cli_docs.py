"""docs/cli.md says what `--help` says, and docs/json.md names the keys that `--json` prints."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import typer

from ecglm.answers import Answer
from ecglm.schema import Measurement, Measurements

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS))

from write_cli import PAGE, page  # noqa: E402


def options_by_section(text: str) -> dict[str, set[str]]:
    sections = re.split(r"^##+ ", text, flags=re.M)
    return {section.splitlines()[0]: set(re.findall(r"--[a-z]+", section)) for section in sections}


def test_cli_page_is_up_to_date() -> None:
    written, current = PAGE.read_text(encoding="utf-8"), page()
    if f"(typer {typer.__version__})" in written:
        assert written == current, "run `make docs`"
    else:  # another typer lays help out differently; the commands and options must still be the same
        assert options_by_section(written) == options_by_section(current), "run `make docs`"


def test_json_page_names_every_key() -> None:
    text = (DOCS / "json.md").read_text(encoding="utf-8")
    none = Measurement(None, "ms", reason="too short")
    measured = Measurements(*[none] * 11, rhythm=None)
    for key in (*measured.to_dict(), *measured.to_dict()["qtc_ms"], *Answer("", 0, False, (), "m").to_dict()):
        assert f"`{key}`" in text, key
