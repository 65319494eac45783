"""The data card of an instruction set: what is in it, from where, under which licence, and what was thrown away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecglm.corpus.instruct.templates import FAMILIES, FORMS

if TYPE_CHECKING:
    from ecglm.corpus.instruct.settings import Settings


def card(
    settings: Settings, items: Sequence[Mapping[str, Any]], outcomes: Mapping[str, int], records: int, patients: int
) -> str:
    """Markdown. The same items give the same card."""
    counts = Counter((i["family"], i["form"]) for i in items)
    forms = (*FORMS, "dialogue")
    head = "LLaVA's (`--llava`)" if settings.llava else "messages"
    lines = [
        f"# Instruction set: {len(items):,} items",
        "",
        f"Made by `ecglm data build instructions {' '.join(settings.sources)} --n {settings.n} --form {settings.form} "
        f"--seed {settings.seed}`, form of lines: {head}. {len({i['record'] for i in items}):,} recordings of "
        f"{len({i['patient'] for i in items}):,} patients, of {records:,} recordings of {patients:,} patients that "
        "could be used.",
        "",
        "## Items by family and form",
        "",
        *_table(
            ("family", *forms, "all"),
            [
                [family, *(f"{counts[family, form]:,}" for form in forms), f"{sum(counts[family, f] for f in forms):,}"]
                for family in FAMILIES
            ],
        ),
        "",
    ]
    sources = sorted({(i["source"], i["licence"], i["attribution"]) for i in items})
    lines += [
        "## Sources",
        "",
        *_table(
            ("source", "items", "licence", "attribution"),
            [[s, f"{sum(i['source'] == s for i in items):,}", licence, line] for s, licence, line in sources],
        ),
        "",
    ]
    makers = Counter(i["provenance"]["generator"] for i in items)
    lines += ["## Made by", "", *_table(("generator", "items"), [[name, f"{n:,}"] for name, n in makers.most_common()]), ""]
    total = sum(outcomes.values())
    lines += [
        "## What became of the slots",
        "",
        *_table(
            ("outcome", "slots", "share"),
            [
                [name, f"{n:,}", f"{100 * n / total:.1f} %"]
                for name, n in sorted(outcomes.items(), key=lambda kv: (-kv[1], kv[0]))
            ],
        ),
        "",
    ]
    closed = Counter(
        str(i["turns"][0][1]).lower().split(",")[0].split(".")[0].split()[0] for i in items if i["form"] == "closed"
    )
    yes, no = closed["yes"], closed["no"]
    letters = Counter(str(i["turns"][0][1])[0] for i in items if i["form"] == "mcq")
    lines += [
        "## Balance",
        "",
        f"Closed questions: {yes:,} yes, {no:,} no. Letters of choices: "
        + (", ".join(f"{letter} {letters[letter]:,}" for letter in sorted(letters)) or "none")
        + ".",
        "",
        "## Limits",
        "",
        "- Statements are those of the data sets; a statement that is not made is offered as false only where its group is "
        "stated, nothing kin to it is stated, and no measurement speaks for it.",
        "- "
        + (
            "PTB-XL's folds 9 and 10 are in it: not for training."
            if settings.held_out
            else "No patient of PTB-XL's folds 9 and 10 is in it."
        ),
        "- Measured values are ecglm's own or the cart's, not a cardiologist's.",
        "- Answers by rule are uniform in style; a model trained on them alone learns that style.",
        "",
    ]
    return "\n".join(lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]
