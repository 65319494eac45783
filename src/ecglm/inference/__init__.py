"""Recordings and questions in, answers out: guard, engine, evidence, confidence, dialogue."""

from ecglm.inference.model import Model, load

__all__ = ["Model", "load"]
