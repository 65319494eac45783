"""Questions in a dialogue that are about ECG in general, not about the recording: they are answered from the knowledge base.

Only the base of the package is quoted here, never a document, and no word of it enters a prompt.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ecglm import knowledge
from ecglm.knowledge.answer import Background, answer
from ecglm.knowledge.query import analyse
from ecglm.knowledge.retrieve import Retriever
from ecglm.knowledge.words import words

_GENERAL = re.compile(
    r"\b(?:what|which) (?:are|is) (?:the )?(?:usual |common |typical |main |ecg |diagnostic )*"
    r"(?:criteri\w+|definition|causes?|differential|risk factors|normal (?:range|limits?)|upper limit|lower limit|formula)\b|"
    r"^what (?:usually |commonly |can )?causes?\b|^(?:please )?define\b|^what does .+ mean\b|"
    r"^how (?:is|are) .+ (?:defined|diagnosed|recogni[sz]ed|calculated)\b|^what (?:can|may) imitate\b|^what imitates\b", re.I)
_HERE = re.compile(r"\b(?:this|these|that|here|my|his|her|their|its?|i|he|she|they|patient|recording|tracing|ecg \d+|"
                   r"shown|seen)\b", re.I)
_WHAT_IS = re.compile(r"what(?:'s| is| are) (?:an? )?(?P<name>.+?)\W*", re.I)


@lru_cache(maxsize=1)
def _retriever() -> Retriever:
    return knowledge.retriever(documents=False, embeddings=False)


def background(question: str) -> Background | None:
    """The quoted answer to a question about ECG in general; None for one about the recording, or without an answer here."""
    if _HERE.search(question) or not (_GENERAL.search(question) or _names_finding(question)):
        return None
    found = answer(question, _retriever())
    return found if found.quotes else None


def _names_finding(question: str) -> bool:
    """"What is a delta wave?", where nothing but a finding of the base is named; measurements are asked of the recording."""
    asked = _WHAT_IS.fullmatch(question.strip())
    if asked is None:
        return False
    base = _retriever().base
    return any(words(asked["name"]) == words(name) for entity in analyse(asked["name"], base).entities
               if base.get(entity).kind == "finding" for name in base.get(entity).names)
