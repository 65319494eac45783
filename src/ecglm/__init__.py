"""ecglm: ask an ECG recording anything, offline, with evidence.

The whole public API is the table below. Names load on first use, so `import ecglm` costs
nothing and `ecglm.read` / `ecglm.measure` never import torch.

    rec = ecglm.read("ecg.dcm")                       # Record
    ecglm.measure(rec).to_dict()                      # intervals with units, or reasons
    model = ecglm.load()                              # the embedded default, a folder or a hub id
    model.ask(rec, "Is there atrial fibrillation?")   # Answer
    ecglm.forecast("holter.edf", "af", 300)           # Forecast: what may begin within five minutes
    model.adapt([(rec, question, answer), ...])       # a model that knows your own question
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC: dict[str, str] = {
    "read": "ecglm.records:read",
    "Record": "ecglm.records.record:Record",
    "RecordMeta": "ecglm.records.record:RecordMeta",
    "deidentify": "ecglm.records.deidentify:deidentify",
    "measure": "ecglm.signal:measure",
    "holter": "ecglm.signal.holter:holter",
    "delineate": "ecglm.signal.delineation:delineate",
    "rhythm": "ecglm.signal.rhythm_name:rhythm",
    "forecast": "ecglm.inference.forecast:forecast",
    "load": "ecglm.inference:load",
    "Model": "ecglm.inference:Model",
    "render": "ecglm.paper:render",
    "digitize": "ecglm.paper.digitize:digitize",
    "plot": "ecglm.reporting.plot:plot",
    "Report": "ecglm.reporting:Report",
    "Measurement": "ecglm.schema:Measurement",
    "Measurements": "ecglm.schema:Measurements",
    "Finding": "ecglm.answers:Finding",
    "Evidence": "ecglm.schema:Evidence",
    "Answer": "ecglm.answers:Answer",
    "Forecast": "ecglm.answers:Forecast",
    "EcglmError": "ecglm.errors:EcglmError",
}

__all__ = ["__version__", *_PUBLIC]

if TYPE_CHECKING:
    from ecglm.answers import Answer as Answer
    from ecglm.answers import Finding as Finding
    from ecglm.answers import Forecast as Forecast
    from ecglm.errors import EcglmError as EcglmError
    from ecglm.inference import Model as Model
    from ecglm.inference import load as load
    from ecglm.inference.forecast import forecast as forecast
    from ecglm.paper import render as render
    from ecglm.paper.digitize import digitize as digitize
    from ecglm.records import read as read
    from ecglm.records.deidentify import deidentify as deidentify
    from ecglm.records.record import Record as Record
    from ecglm.records.record import RecordMeta as RecordMeta
    from ecglm.reporting import Report as Report
    from ecglm.reporting.plot import plot as plot
    from ecglm.schema import Evidence as Evidence
    from ecglm.schema import Measurement as Measurement
    from ecglm.schema import Measurements as Measurements
    from ecglm.signal import measure as measure
    from ecglm.signal.delineation import delineate as delineate
    from ecglm.signal.holter import holter as holter
    from ecglm.signal.rhythm_name import rhythm as rhythm


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ecglm' has no attribute {name!r}; it offers {', '.join(_PUBLIC)}")
    from importlib import import_module

    module, attribute = _PUBLIC[name].split(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
