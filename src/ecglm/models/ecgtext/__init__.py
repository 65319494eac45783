"""ECG and text towers with one space (ECG-Chat's CoCa): recordings and texts in, unit vectors out.

The architecture is data: `load_architecture("ecg_coca")` reads ``models/configs/ecg_coca.json``.
"""

from ecglm.models.ecgtext.config import EcgTextConfig, architectures, load_architecture
from ecglm.models.ecgtext.model import EcgTextModel

__all__ = ["EcgTextConfig", "EcgTextModel", "architectures", "load_architecture"]
