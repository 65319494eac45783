"""Recordings → the same signal without what says whose it is.

In: a recording or a folder. Out: new files of the same format, built from an allow-list
(`case`), named by pseudonyms (`key`), read again and searched (`run`, `leak`), and a
`Report` of what was removed. One file per format; the formats' readers are in the folder above.
"""

from ecglm.records.deidentify.key import Key
from ecglm.records.deidentify.report import Deidentified, Report
from ecglm.records.deidentify.run import deidentify, patient_of

__all__ = ["Deidentified", "Key", "Report", "deidentify", "patient_of"]
