"""What ecglm knows about ECG: a base of cited entries linked as a graph, documents of the user, and search over both.

In: a question. Out: passages with their citations (`search`), or an answer made of their sentences (`ask`). Nothing here reads
a recording, and nothing that reads one takes words from here into a prompt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecglm.knowledge.answer import Background
    from ecglm.knowledge.retrieve import Hit, Retriever


def retriever(documents: bool = True, embeddings: bool | None = None) -> Retriever:
    """Over the base and, with documents, what the user added. embeddings: None uses them where the extra is installed."""
    from ecglm.knowledge import base, retrieve, store

    return retrieve.Retriever(base.load(), store.passages() if documents else (), embeddings=embeddings)


def search(text: str, k: int = 5, documents: bool = True, embeddings: bool | None = None) -> list[Hit]:
    """The k passages that fit a text best, with score and citations."""
    return retriever(documents, embeddings).search(text, k)


def ask(question: str, documents: bool = True, embeddings: bool | None = None) -> Background:
    """The answer to a background question, quoted with citations, or why there is none."""
    from ecglm.knowledge.answer import answer

    return answer(question, retriever(documents, embeddings))
