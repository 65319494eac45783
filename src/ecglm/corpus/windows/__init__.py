"""Windows before the onset of atrial fibrillation or flutter, in the form of CAMEL's ECGForecastBench.

`item` is one window, `layouts` the data sets that can be cut, `rhythms` their annotations as stretches of time, `cut` the rules,
`build` writes a folder with a manifest, `load` reads it.
"""

from ecglm.corpus.windows.cut import Rules
from ecglm.corpus.windows.item import CLASSES, HORIZONS, SPLITS, WINDOWS, ForecastItem, select

__all__ = ["CLASSES", "HORIZONS", "SPLITS", "WINDOWS", "ForecastItem", "Rules", "select"]
