"""Labels named in a reply: `paper`, as released, and `strict`.

paper: a label is there when its name is a case-sensitive part of the text, so that "ABNORMAL" holds "NORM" and "STEMI" "MI".
strict: whole words, not denied, behind the last "Answer:" where there is one; a reply without any label is no answer, and says
so.
"""

from __future__ import annotations

import re

from ecglm.bench.ecgbench.subsets import Subset

#: "ST" is sinus tachycardia in CODE-15 %, and no label in "ST segment", "ST elevation", "ST-T".
_SEGMENT = r"(?![- ]?(?:segments?|elevations?|depressions?|changes?|T\b|deviations?))"
_DENIED = re.compile(r"\b(?:no|not|without|nor|neither|absence of|rules? out|excludes?)\b[^.;,:\n]{0,25}$", re.IGNORECASE)


def last_answer(text: str) -> str:
    """What stands behind the last "Answer:", else everything."""
    return text.rsplit("Answer:", 1)[-1]


def paper_labels(text: str, subset: Subset) -> frozenset[str]:
    """Labels of a reply by the released rule."""
    if not subset.answer_line:
        return frozenset(label for label in subset.labels if label in text)
    answer = last_answer(text)
    found = {label for label in subset.labels if label not in ("NORM", "ABNORMAL") and label in answer}
    if "NORM" in answer and "ABNORMAL" not in answer:
        found.add("NORM")
    elif "ABNORMAL" in answer:
        found.add("ABNORMAL")
    return frozenset(found)


def paper_gold(text: str, subset: Subset) -> frozenset[str]:
    """Labels of the reference by the released rule: NORM and ABNORMAL of CODE-15 % only where they are the whole text."""
    if subset.answer_line and text in ("NORM", "ABNORMAL"):
        return frozenset({text})
    return frozenset(label for label in subset.labels if label in text)


def strict_labels(text: str, subset: Subset) -> frozenset[str]:
    """Labels of a reply as whole words that are not denied. Empty: no answer."""
    answer = last_answer(text)
    found = set()
    for label in subset.labels:
        pattern = rf"(?<![\w-]){re.escape(label)}(?![\w-])" + (_SEGMENT if label == "ST" else "")
        if any(not _DENIED.search(answer[: hit.start()]) for hit in re.finditer(pattern, answer)):
            found.add(label)
    return frozenset(found)
