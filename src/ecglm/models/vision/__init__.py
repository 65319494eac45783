"""Looking at pages: PULSE's way, a vision encoder before a language model (arXiv 2410.19008), and a small encoder of ecglm's own.

`config` says which encoder, `towers` runs it (CLIP and SigLIP in tiles by `anyres`, or `pagenet`), `model` connects its tokens,
`language` puts them before a conversation, `llava` reads released checkpoints. `judge` is the small encoder with its calibration,
and weighs what it sees against what was read back.
"""

from ecglm.models.vision.config import VisionConfig
from ecglm.models.vision.judge import PageJudge, Weights
from ecglm.models.vision.pagenet import PageNet, PageNetConfig

__all__ = ["PageJudge", "PageNet", "PageNetConfig", "VisionConfig", "Weights"]
