"""The nine subsets: kind, label space or letters, published size and figures (arXiv 2410.19008, tables 2 to 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ecglm.errors import ConfigError

Kind = Literal["labels", "choice", "options", "report", "arena"]
#: What the published rows are called.
ROWS = ("PULSE-7B", "GPT-4o", "random")
WHERE = "https://huggingface.co/datasets/PULSE-ECG/ECGBench"


@dataclass(frozen=True)
class Subset:
    """labels: the label space of kind labels, in its order. letters: of the options, kind choice. size: published number of
    questions. published: row -> metric -> figure as printed, in percent."""

    name: str
    title: str
    kind: Kind
    size: int
    labels: tuple[str, ...] = ()
    letters: str = ""
    answer_line: bool = False  #: labels are looked for behind the last "Answer:", and NORM, ABNORMAL have rules of their own
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def _labels(pulse: tuple[float, ...], gpt: tuple[float, ...], random: tuple[float, ...]) -> dict[str, dict[str, float]]:
    return {
        row: dict(zip(("AUC", "F1", "HL"), values, strict=True)) for row, values in zip(ROWS, (pulse, gpt, random), strict=True)
    }


def _one(metric: str, *values: float | None) -> dict[str, dict[str, float]]:
    return {row: {metric: value} for row, value in zip(ROWS, values, strict=True) if value is not None}


PTB = ("NORM", "MI", "STTC", "CD", "HYP")
CPSC = ("NORM", "AF", "I-AVB", "LBBB", "RBBB", "PAC", "PVC", "STD", "STE")
CODE15 = ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF", "NORM", "ABNORMAL")

#: ECGBench's labels -> ours; the likeliest counts.
KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "ptb-test": {name: (f"super_class:{name}",) for name in ("NORM", "MI", "STTC", "CD", "HYP")},
    "cpsc-test": {
        "NORM": ("super_class:NORM",),
        "AF": ("rhythm:AFIB",),
        "I-AVB": ("form:LPR", "sub_class:AVB"),
        "LBBB": ("sub_class:CLBBB",),
        "RBBB": ("sub_class:CRBBB", "sub_class:IRBBB"),
        "PAC": ("form:PAC",),
        "PVC": ("form:PVC",),
        "STD": ("form:STD",),
        "STE": ("form:STE",),
    },
    "code15-test": {
        "1dAVb": ("form:LPR", "sub_class:AVB"),
        "RBBB": ("sub_class:CRBBB",),
        "LBBB": ("sub_class:CLBBB",),
        "SB": ("rhythm:SBRAD",),
        "ST": ("rhythm:STACH",),
        "AF": ("rhythm:AFIB",),
        "NORM": ("super_class:NORM",),
    },
}

SUBSETS: dict[str, Subset] = {
    s.name: s
    for s in (
        Subset(
            "ptb-test",
            "PTB-XL Super",
            "labels",
            2082,
            PTB,
            published=_labels((82.4, 74.8, 11.0), (55.6, 28.3, 26.2), (50.3, 33.2, 50.1)),
        ),
        Subset("ptb-test-report", "PTB-XL Report", "report", 500, published=_one("report score", 61.3, 50.2, 0.0)),
        Subset(
            "code15-test",
            "CODE-15%",
            "labels",
            1400,
            CODE15,
            answer_line=True,
            published=_labels((90.7, 85.4, 5.0), (59.9, 24.9, 15.7), (48.8, 15.0, 32.1)),
        ),
        Subset("ecgqa-test", "ECG-QA", "options", 1317, published=_one("accuracy", 73.8, 35.2, 16.2)),
        Subset(
            "cpsc-test",
            "CPSC 2018",
            "labels",
            2061,
            CPSC,
            published=_labels((76.9, 57.6, 8.6), (50.9, 10.6, 18.2), (51.2, 15.1, 28.8)),
        ),
        Subset("csn-test-no-cot", "CSN", "choice", 1611, letters="ABCDEFGH", published=_one("accuracy", 85.2, 57.5, 11.6)),
        Subset("g12-test-no-cot", "G12EC", "choice", 2026, letters="ABCDEFGH", published=_one("accuracy", 78.2, 49.2, 12.1)),
        Subset("mmmu-ecg", "MMMU ECG", "choice", 200, letters="ABCD", published=_one("accuracy", 58.0, 43.5, 24.2)),
        Subset("arena", "ECG Arena", "arena", 50, published=_one("arena score", 38.9, 33.5, None)),
    )
}


def subset(name: str) -> Subset:
    """A subset by its published name. Raises ConfigError for another."""
    if name not in SUBSETS:
        from ecglm.config import closest

        raise ConfigError(f"ECGBench has no subset {name!r}; {closest(name, SUBSETS)}")
    return SUBSETS[name]
