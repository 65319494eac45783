"""The data card of an instruction set: what is in it, from where, under which licence, and what was thrown away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecglm.corpus.instruct.baseline import CHOICE_RULES, CLOSED_RULES, questions, scores
from ecglm.corpus.instruct.even import OPTIONS
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
    pages = f", pictures of `{settings.pages}`" if settings.pages else ""
    lines = [
        f"# Instruction set: {len(items):,} items",
        "",
        f"Made by `ecglm data build instructions {' '.join(settings.sources)} --n {settings.n} --form {settings.form} "
        f"--seed {settings.seed}`, form of lines: {head}{pages}. {len({i['record'] for i in items}):,} recordings of "
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
    lines += [
        *_balance(items),
        *_text_only(items),
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


def _balance(items: Sequence[Mapping[str, Any]]) -> list[str]:
    closed = questions(items, "closed")
    letters = Counter(str(i["turns"][0][1])[0] for i in items if i["form"] == "mcq")
    rows = []
    for family in (*FAMILIES, "all"):
        said = Counter(item.right for item in closed if family in (item.family, "all"))
        if total := said["yes"] + said["no"]:
            rows.append([family, f"{said['yes']:,}", f"{said['no']:,}", f"{100 * said['yes'] / total:.0f} %"])
    return [
        "## Balance",
        "",
        *_table(("closed questions", "yes", "no", "share of yes"), rows),
        "",
        "Letters of choices: " + (", ".join(f"{letter} {letters[letter]:,}" for letter in sorted(letters)) or "none") + ".",
        "",
    ]


def _text_only(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """What rules score that never see the ECG."""
    lines = [
        "## Without the ECG",
        "",
        "Right answers of simple rules that read the words alone; what is common they learn on other patients.",
        "",
    ]
    for title, form, rules, chance in (
        ("choices", "mcq", CHOICE_RULES, 1 / OPTIONS),
        ("closed questions", "closed", CLOSED_RULES, 1 / 2),
    ):
        asked = questions(items, form)
        if not asked:
            continue
        counts = Counter(item.family for item in asked)
        families = [family for family in FAMILIES if counts[family]]
        rows = [["chance", *(f"{100 * chance:.1f} %" for _ in (*families, "all"))]]
        for name, rule in rules.items():
            found = scores(asked, rule)
            rows.append([name, *(f"{100 * found[family]:.1f} %" for family in (*families, "all"))])
        lines += [*_table((title, *(f"{f} ({counts[f]:,})" for f in families), f"all ({len(asked):,})"), rows), ""]
    return lines


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]
