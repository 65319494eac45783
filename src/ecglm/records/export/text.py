"""`Record` → CSV: comment lines of what is known, a header of lead names, a row per sample."""

from __future__ import annotations

import csv

import numpy as np

from ecglm.atomic import replacing
from ecglm.errors import UsageError
from ecglm.records.record import Record
from ecglm.records.statements import statements_of
from ecglm.records.table import names_data


def write_csv(record: Record, target: str) -> None:
    """Nine digits per sample, which give the same float32; missing samples are ``nan``."""
    lost = [lead for lead in record.leads if not names_data(lead) or (len(record.leads) == 1 and " " in lead)]
    if lost:
        raise UsageError(f"{target}: a column named {lost[0]} would not be read back as a lead; rename it or save as .npz")
    with replacing(target) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        stream.writelines(f"# {key}={value}\n" for key, value in statements_of(record).items())
        csv.writer(stream, lineterminator="\n").writerow(record.leads)
        np.savetxt(stream, record.signal.T, fmt="%.9g", delimiter=",")
