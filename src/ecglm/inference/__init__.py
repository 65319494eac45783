"""Recordings and questions in, answers out: guard, engine, evidence, confidence, dialogue.

Names load on first use: teaching a question (`adapt`) needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecglm.inference.look import only_looked, open_page
    from ecglm.inference.model import Model, load
    from ecglm.inference.pages import page_model
    from ecglm.inference.together import joined

__all__ = ["Model", "joined", "load", "only_looked", "open_page", "page_model"]
_ELSEWHERE = {"joined": "together", "only_looked": "look", "open_page": "look", "page_model": "pages"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_ELSEWHERE.get(name, 'model')}"), name)
