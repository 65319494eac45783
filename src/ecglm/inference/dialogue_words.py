"""Words of turns in a dialogue: what "it" may stand for, adjectives of values, what is a fragment and what a whole question."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: What people may mean by "it" when a value was asked for, as questions name it.
VALUES: Mapping[str, str] = {
    "heart_rate": "heart rate",
    "rr": "RR interval",
    "pr": "PR interval",
    "qrs": "QRS duration",
    "qt": "QT interval",
    "qtc_bazett": "QTc",
    "axis": "heart axis",
}
#: Adjectives of values, which values they can be of, and how it is asked.
ADJECTIVES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (r"long|prolonged|lengthened", ("pr", "qtc_bazett", "qt"), "prolonged"),
    (r"short|shortened", ("pr", "qtc_bazett", "qt"), "short"),
    (r"wide|broad|widened", ("qrs",), "wide"),
    (r"narrow", ("qrs",), "narrow"),
    (r"fast|rapid|quick", ("heart_rate",), "fast"),
    (r"slow", ("heart_rate",), "slow"),
    (r"high|elevated|increased", ("heart_rate", "pr", "qrs", "qtc_bazett"), "high"),
    (r"low|decreased|reduced", ("heart_rate", "pr", "qtc_bazett"), "low"),
    (r"normal|ok|okay|fine|within (?:the )?(?:normal )?(?:limits|range)", (*VALUES,), "normal"),
    (r"abnormal|pathological", (*VALUES,), "abnormal"),
)
AND = r"(?:(?:and|or|ok|okay|so|but|then|also|now|well|hm+|thanks|thank you)[, ]+)*"
ABOUT = rf"{AND}(?:(?:what|how) about|what of|and)?[, ]*"
IT = r"(?:it|that|this|they|those|these|that one|this one)"
FRAGMENT = re.compile(rf"{ABOUT}(?:(?:the|an?|his|her|any|their) )?(?P<what>[\w\-'/ ]+)")
JUDGED = re.compile(
    rf"{AND}(?:is|are|was|isn't|would you say) {IT}(?: value| result)? (?:too |really |still |also |considered |very |"
    r"a bit |abnormally |within )*(?P<adjective>[\w ]+?)(?: for (?:him|her|the patient|an adult))?"
)
MARK = re.compile(rf"\b{IT}\b")
EMPTY = re.compile(rf"{ABOUT}(?:in |for |on |what|how|same (?:question|again)?|again|there|too|as well|please)*\W*", re.I)
WHOLE = re.compile(
    r"(?:what|which|how|why|where|when|is|are|was|were|does|do|did|can|could|has|have|had|should|would|will|may|give|name|"
    r"list|describe|show|tell|explain|compare|any|since|in|at|on)\b",
    re.I,
)
POLAR = re.compile(rf"(?:is|are|was|were) {IT}\b")
QUESTION_LEAD = re.compile(rf"^{AND}", re.I)
