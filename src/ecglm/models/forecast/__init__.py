"""The forecaster: beats of a window and their P waves → probability of each rhythm after it.

`steps` describes ten seconds at a time, `course` how that changes over the window, `network` weighs it, `calibration` says how
far the result can be trusted.
"""

from ecglm.schema import ATRIAL_RHYTHMS

#: What may come after a window, in the order of all arrays.
CLASSES = ATRIAL_RHYTHMS
