"""Where the tokens of a batch belong: their positions, and which see which.

Block attention, as `homellm_edge.prompt.blocks` defines it: blocks and turns stand side
by side behind the header and do not see each other; the question and what is written
after it see everything. Without blocks and turns this is causal attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

_HEADER = 0
_QUESTION = -1


class Run(NamedTuple):
    """Neighbouring tokens of one segment: how many, the first one's position, whose."""

    tokens: int
    position: int
    segment: int


@dataclass(frozen=True, slots=True)
class Segments:
    """How many tokens the parts before a question have, in their flat order."""

    header: int = 0
    blocks: tuple[int, ...] = ()
    turns: int = 0

    @property
    def tokens(self) -> int:
        """Tokens before the question."""
        return self.header + sum(self.blocks) + self.turns

    @property
    def question(self) -> int:
        """Position of the question's first token."""
        return self.header + max(*self.blocks, self.turns, 0)

    @property
    def masked(self) -> bool:
        """Whether this differs from causal attention: something stands side by side."""
        return sum(tokens > 0 for tokens in (*self.blocks, self.turns)) > 1

    def positions(self, tokens: int) -> int:
        """Positions that the first `tokens` tokens take, the question among them."""
        return self.question + tokens - self.tokens

    def runs(self, tokens: int) -> list[Run]:
        """Cut a sequence of `tokens` tokens into its segments, empty ones included."""
        side = (*self.blocks, self.turns)
        return [
            Run(self.header, 0, _HEADER),
            *(Run(length, self.header, i) for i, length in enumerate(side, 1)),
            Run(tokens - self.tokens, self.question, _QUESTION),
        ]


PLAIN = Segments()
"""All is one text."""


class Group(NamedTuple):
    """Sequences of similar length, each padded to the longest one for attention.

    `start`, `tokens`: where they stand in the flat row; `rows`, `width`: the padded
    shape; `slots` (tokens,): place of each token in rows * width; `mask`
    (rows, 1, width, width): what each place sees, None for all before it.
    """

    start: int
    tokens: int
    rows: int
    width: int
    slots: Tensor
    mask: Tensor | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tokens of a flat batch of N tokens belong.

    `positions` (N,): place of each token in its own sequence, from 0.
    """

    positions: Tensor
    groups: tuple[Group, ...]

    @staticmethod
    def of(
        lengths: Sequence[int],
        device: str = "cpu",
        groups: int = 1,
        segments: Sequence[Segments] = (),
    ) -> Layout:
        """Lay out sequences of these lengths, ascending if `groups` is more than 1.

        `segments`: one for each sequence; causal attention without them.
        """
        segments = segments or [PLAIN] * len(lengths)
        cut = zip(segments, lengths, strict=True)
        positions, owners = _spread([r for one, n in cut for r in one.runs(n)])
        made, start, done = [], 0, 0
        for rows in _shares(len(lengths), groups):
            part = lengths[done : done + rows]
            width, tokens = max(part), sum(part)
            slots = torch.cat([i * width + torch.arange(n) for i, n in enumerate(part)])
            slots, mask = slots.to(device), None
            if any(one.masked for one in segments[done : done + rows]):
                owner = owners[start : start + tokens].to(device)
                mask = _mask(owner, rows, width, slots)
            made.append(Group(start, tokens, rows, width, slots, mask))
            start, done = start + tokens, done + rows
        return Layout(positions.to(device), tuple(made))


def _spread(runs: Sequence[Run]) -> tuple[Tensor, Tensor]:
    """Return position and segment number (N,) of each token of neighbouring runs."""
    tokens, first, segment = torch.tensor(runs).unbind(1)
    start = (tokens.cumsum(0) - tokens).repeat_interleave(tokens)
    within = torch.arange(len(start)) - start
    return first.repeat_interleave(tokens) + within, segment.repeat_interleave(tokens)


def _mask(owner: Tensor, rows: int, width: int, slots: Tensor) -> Tensor:
    """Return what each place sees, from the segment numbers `owner` of the tokens.

    Padding passes for the end of a question: nobody sees it, and as it sees something
    itself, its softmax does not divide by zero.
    """
    flat = owner.new_full((rows * width,), _QUESTION).index_copy(0, slots, owner)
    seeing, seen = flat.view(rows, width, 1), flat.view(rows, 1, width)
    mask = seeing == seen
    mask |= seen == _HEADER
    mask |= seeing == _QUESTION
    mask &= torch.ones(width, width, dtype=torch.bool, device=owner.device).tril()
    return mask.unsqueeze(1)


def _shares(total: int, parts: int) -> list[int]:
    """Split `total` rows into at most `parts` nearly equal runs."""
    parts = max(1, min(parts, total))
    return [total * (i + 1) // parts - total * i // parts for i in range(parts)]
