"""Recordings and questions in, answers out: guard, engine, evidence, confidence, dialogue."""

from ecglm.inference.answer import joined
from ecglm.inference.model import Model, load

__all__ = ["Model", "joined", "load"]
