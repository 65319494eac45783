"""The table of a running recipe: on a terminal as it grows, elsewhere once."""

from __future__ import annotations

import pytest

from ecglm.training.fewshot.live import live
from ecglm.training.fewshot.recipe import Row


@pytest.mark.parametrize("terminal", [True, False])
def test_the_table_is_shown_on_a_terminal_and_elsewhere(capsys, monkeypatch, terminal):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("FORCE_COLOR" if terminal else "NO_COLOR", "1")
    with live() as tell:
        tell(Row("averaged", "verify", "full", 12, 3, accuracy=0.5))
    shown = capsys.readouterr().err
    assert "averaged" in shown
    assert "3/12" in shown
    assert "50.0" in shown
    assert ("\x1b[" in shown) == terminal
