"""What writing reports takes, and whether their text traces to their data: `python benchmarks/report.py [NUMBER]`.

Reads the first NUMBER (50) recordings of LUDB under $ECGLM_DATA, or pydicom's ECG alone where that is missing.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from pydicom.data import get_testdata_file

import ecglm

LANGUAGES = ("en", "de", "zh")


def main() -> None:
    """Print the totals of the trace in each language, and processor and wall time of reports and PDFs."""
    folder = Path(os.environ.get("ECGLM_DATA", "../shared/data")) / "ludb" / "data"
    paths = [str(path.with_suffix("")) for path in sorted(folder.glob("*.hea"))][:int(sys.argv[1]) if len(sys.argv) > 1 else 50]
    records = [ecglm.read(path) for path in paths or [get_testdata_file("waveform_ecg.dcm")]]
    model = ecglm.load()
    began, used = time.perf_counter(), time.process_time()
    reports = [model.report(record) for record in records]
    print(f"{len(records)} recordings; a report takes {(time.perf_counter() - began) / len(records):.2f} s, "
          f"{(time.process_time() - used) / len(records):.2f} s of processor time")
    for lang in LANGUAGES:
        traces = [report.trace(lang) for report in reports]
        print(f"{lang}: {sum(t.sentences for t in traces)} sentences, {sum(t.numbers for t in traces)} numbers, "
              f"{sum(t.statements for t in traces)} statements; {sum(len(t.untraced) for t in traces)} trace to nothing")
        for issue in [issue for t in traces for issue in t.untraced][:5]:
            print(f"    {issue}")
    with tempfile.TemporaryDirectory() as out:
        began, used = time.perf_counter(), time.process_time()
        for report in reports:
            report.save(Path(out, "report.pdf"))
        print(f"a PDF takes {(time.perf_counter() - began) / len(records):.2f} s, "
              f"{(time.process_time() - used) / len(records):.2f} s of processor time")


if __name__ == "__main__":
    main()
