"""An interruption in the middle of a training, as a power cut would make it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest


def interrupted(module: ModuleType, work: Callable[[], object], saves: int = 2) -> None:
    """Run `work` and stop it right after its resume point was written `saves` times by `module.save_state`."""
    real, calls = module.save_state, []

    def crash(path, state):
        real(path, state)
        calls.append(path)
        if len(calls) == saves:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "save_state", crash)
        with pytest.raises(KeyboardInterrupt):
            work()
