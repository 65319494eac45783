"""Where every token of a prompt stands and what it may see: `lay_out` makes a `Plan`.

One ECG is a block of tokens: global start, then of every lead its start, its seconds, its end, then global end (the layout).
Text and blocks follow each other freely. What a token may see is a rule on (block, lead, second), so it is worked out for the
rows that are run at once and never stored as a matrix of all tokens by all tokens:

- text sees what stands before it;
- a second sees the text before its block, the same and earlier seconds of every lead, and the starts that precede it;
- the start of a lead sees the text and the starts before it; its end sees these and all seconds of its lead;
- global end sees the whole block; nothing sees past its block.

With the mask "published" seconds and starts also see the ends of the leads that precede them. An end has seen its whole lead,
so through it the seconds of later leads see the future; ours do not. "causal" is a plain causal mask over the layout and
"full" lets the tokens of a block see all of it: both are for comparison.

Under "lead_aware" the tokens are *run* in another order than they are laid out: text, starts, then second by second all leads,
then the ends. Attention does not mind, since position ids and mask are those of the layout, and in that order nothing but the
leads of one second sees what is run after it: so a long prompt can be run in chunks over a key-value cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import UsageError
from ecglm.models.seconds.config import MaskKind, SecondsConfig
from ecglm.records.leads import STANDARD_12

IntArray = NDArray[np.int64]
#: Kinds of tokens.
TEXT, GLOBAL_START, LEAD_START, SECOND, LEAD_END, GLOBAL_END = range(6)
#: Special tokens: global start and end, start and end of each standard lead.
SPECIALS = ("global_start", "global_end", *(f"{lead}_{side}" for lead in STANDARD_12 for side in ("start", "end")))


@dataclass(frozen=True)
class Block:
    """One ECG: its leads and how many (pooled) seconds each has."""

    leads: tuple[str, ...]
    seconds: int


@dataclass(frozen=True, eq=False)
class Plan:
    """Tokens in the order in which they are run, all int64 ``[N]``. value: token id of text, row of SPECIALS, or the number
    of the second among all seconds (block by block, lead by lead). order: place in the layout. position: position id. second
    and lead: -1 where there is none. branch: 0 what all see, k the k-th continuation, which no other sees."""

    kind: IntArray
    value: IntArray
    order: IntArray
    position: IntArray
    block: IntArray
    lead: IntArray
    second: IntArray
    branch: IntArray
    mask: MaskKind

    def __len__(self) -> int:
        return len(self.kind)

    def visible(self, rows: slice | IntArray, upto: int | None = None) -> NDArray[np.bool_]:
        """What these tokens see of the first `upto` tokens that are run: bool ``[rows, upto]``."""
        q = {name: getattr(self, name)[rows][:, None] for name in ("kind", "order", "block", "lead", "second", "branch")}
        k = {name: getattr(self, name)[:upto][None] for name in q}
        earlier = k["order"] <= q["order"]
        shared = (k["branch"] == 0) | (k["branch"] == q["branch"])
        if self.mask == "causal":
            return np.asarray(earlier & shared)
        inside = (k["block"] == q["block"]) & (q["block"] >= 0)
        if self.mask == "full":
            return np.asarray((earlier | inside) & shared)
        starts = (k["kind"] == GLOBAL_START) | (k["kind"] == LEAD_START)
        special = starts | (k["kind"] == LEAD_END)
        before = (special if self.mask == "published" else starts) & earlier
        may = {
            SECOND: ((k["kind"] == SECOND) & (k["second"] <= q["second"])) | before,
            LEAD_START: before,
            LEAD_END: (special & earlier) | ((k["kind"] == SECOND) & (k["lead"] == q["lead"])),
            GLOBAL_START: starts & earlier,
        }
        within = np.broadcast_to(inside, np.broadcast_shapes(inside.shape, earlier.shape)).copy()  # of a global end: all
        for kind, rule in may.items():
            within &= (q["kind"] != kind) | rule
        return np.asarray(np.where(inside, within, earlier) & shared)

    @property
    def chunkable(self) -> bool:
        """Whether the prompt can be run in chunks."""
        return self.mask in ("lead_aware", "causal")

    def chunks(self, size: int) -> list[tuple[int, int]]:
        """Stretches [first, end) of about `size` tokens, of which none sees a later one: the leads of a second stay together."""
        same = (self.kind[1:] == SECOND) & (self.kind[:-1] == SECOND) & (self.second[1:] == self.second[:-1])
        same &= self.block[1:] == self.block[:-1]
        ends = np.append(np.flatnonzero(~same) + 1 if self.mask == "lead_aware" else np.arange(1, len(self)), len(self))
        out, first = [], 0
        while first < len(self):
            end = int(ends[max(np.searchsorted(ends, first + size, "right") - 1, np.searchsorted(ends, first, "right"))])
            out.append((first, end))
            first = end
        return out


def pooled(leads: int, seconds: int, limit: int) -> int:
    """How many seconds go into one token so that the block has at most `limit` of them. Raises UsageError for no room."""
    if limit < leads:
        raise UsageError(f"max_tokens={limit}: {leads} leads need a token each; allow more")
    factor = 1
    while leads * -(-seconds // factor) > limit:
        factor += 1
    return factor


def lay_out(parts: Sequence[Sequence[int] | Block], config: SecondsConfig, branches: Sequence[Sequence[int]] = ()) -> Plan:
    """The plan of a prompt: token ids of text and blocks in turn, then of each branch its text, which sees the prompt and
    itself but no other branch (so that many questions about one ECG train on it once)."""
    columns: list[list[tuple[int, ...]]] = []
    order = position = seconds = 0
    for number, part in enumerate(parts):
        if isinstance(part, Block):
            rows, position = _block(part, number, order, position, seconds, config)
            seconds += len(part.leads) * part.seconds
        else:
            rows = [(TEXT, token, order + i, position + i, -1, -1, -1, 0) for i, token in enumerate(part)]
            position += len(part)
        order += len(rows)
        columns.append(rows)
    for branch, text in enumerate(branches, start=1):
        columns.append([(TEXT, token, order + i, position + i, -1, -1, -1, branch) for i, token in enumerate(text)])
        order += len(text)
    table = np.array([row for rows in columns for row in rows], np.int64).reshape(-1, 8)
    kind, value, place, where, block, lead, second, branch_N = table.T
    return Plan(kind, value, place, where, block, lead, second, branch_N, config.mask)


def _block(block: Block, number: int, order: int, position: int, first: int, config: SecondsConfig,
           ) -> tuple[list[tuple[int, ...]], int]:
    """Rows of a block in the order in which they are run, and the position after it."""
    at = [STANDARD_12.index(lead) for lead in block.leads]
    per_lead, time = block.seconds + 2, config.positions == "time"
    last = order + 1 + len(block.leads) * per_lead
    end = position + (block.seconds + 3 if time else last - order)

    def row(kind: int, value: int, place: int, when: int, lead: int = -1, second: int = -1) -> tuple[int, ...]:
        return kind, value, place, position + when if time else position + place - order, number, lead, second, 0

    starts, ends, grid = [], [], []
    for i, index in enumerate(at):
        begin = order + 1 + i * per_lead
        starts.append(row(LEAD_START, 2 + 2 * index, begin, 1, index))
        ends.append(row(LEAD_END, 3 + 2 * index, begin + per_lead - 1, block.seconds + 2, index))
        grid.append([row(SECOND, first + i * block.seconds + t, begin + 1 + t, 2 + t, index, t) for t in range(block.seconds)])
    rows = [row(GLOBAL_START, 0, order, 0), *starts, *(cell for cells in zip(*grid, strict=True) for cell in cells), *ends,
            row(GLOBAL_END, 1, last, block.seconds + 3)]
    if config.mask != "lead_aware":
        rows.sort(key=lambda cells: cells[2])
    return rows, end + 1
