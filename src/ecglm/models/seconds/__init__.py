"""CAMEL's way of reading long signals: one token per lead and second inside the language model (arXiv 2602.15677).

`segments` cuts a record into seconds, `encoder` turns each into a vector, `layout` says where every token stands and what
it may see, `model` runs them through a causal language model: densely for training, in chunks with a cache for use.
"""

from ecglm.models.seconds.config import SecondsConfig
from ecglm.models.seconds.layout import Block, Plan, lay_out
from ecglm.models.seconds.model import SecondsModel
from ecglm.models.seconds.segments import Segments, segments

__all__ = ["Block", "Plan", "SecondsConfig", "SecondsModel", "Segments", "lay_out", "segments"]
