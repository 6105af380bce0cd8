"""What of a prompt fits into a context: devices by relevance, then the newest turns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..errors import ContextFullError
from .blocks import Block, Prompt, Turn

LEAST_ANSWER = 16
"""Tokens that an answer must have room for."""

_LARGEST_RESERVE = 768

Count = Callable[[str], int]
"""A part of a prompt -> its tokens."""


def reserve(n_ctx: int) -> int:
    """Tokens of a context that devices leave to turns, question and answer."""
    return min(_LARGEST_RESERVE, n_ctx // 3)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt that fits, and what it had to do without.

    `left_out` are keys of blocks, `turns_left_out` the number of the oldest turns;
    `size` is in tokens, without the question.
    """

    prompt: Prompt
    size: int
    left_out: tuple[str, ...] = ()
    turns_left_out: int = 0


def fit(
    prompt: Prompt,
    n_ctx: int,
    count: Count,
    *,
    header: int,
    question: int = 0,
    present: Collection[str] = (),
    slack: float = 0.0,
) -> Fitted:
    """Fit a prompt into `n_ctx` tokens; `header` and `question` are the sizes of these.

    Blocks have all of the context but a reserve for conversation and answer. If they do
    not fit, those that the question wants come first, then those that are `present` in
    the cache, then by rank; the order of the prompt stays. `slack` is the share of
    their room that a plan wants free. Turns have what is left; the oldest go first.
    The same home is cut in the same way whatever is asked, so that the cache stays.

    Raises:
        ContextFullError: header and question alone are too much.
    """
    kept_free = reserve(n_ctx)
    sizes = [count(block.text) for block in prompt.blocks]
    room = int((n_ctx - header - kept_free) * (1 - slack))
    chosen = _chosen(prompt, sizes, room, present)
    used = header + sum(sizes[i] for i in chosen)
    left = n_ctx - used - LEAST_ANSWER - question
    if left < 0:
        needed = header + question + LEAST_ANSWER
        raise ContextFullError(
            f"the prompt needs {max(needed, used + question)} tokens, "
            f"the context has {n_ctx}",
            "ask a shorter question, expose fewer devices or enlarge the context",
        )
    turns = _newest(prompt.turns, min(left, n_ctx - used - kept_free // 2), count)
    used += sum(count(text) for turn in turns for text in turn)
    dropped = len(prompt.turns) - len(turns)
    if len(chosen) == len(sizes) and not dropped:
        return Fitted(prompt, used)
    kept = set(chosen)
    return Fitted(
        dataclasses.replace(
            prompt, blocks=tuple(prompt.blocks[i] for i in chosen), turns=turns
        ),
        used,
        tuple(b.key for i, b in enumerate(prompt.blocks) if i not in kept),
        dropped,
    )


def _chosen(
    prompt: Prompt, sizes: list[int], room: int, present: Collection[str]
) -> list[int]:
    """Places of the blocks that fit, ascending."""
    if sum(sizes) <= room:
        return list(range(len(sizes)))

    def relevance(place: int) -> tuple[bool, bool, int, int]:
        block: Block = prompt.blocks[place]
        wanted = block.key in prompt.wanted
        return (not wanted, block.key not in present, block.rank, place)

    chosen = []
    for place in sorted(range(len(sizes)), key=relevance):
        if sizes[place] <= room:
            room -= sizes[place]
            chosen.append(place)
    return sorted(chosen)


def _newest(turns: tuple[Turn, ...], room: int, count: Count) -> tuple[Turn, ...]:
    """As many of the newest turns as have room."""
    for first, turn in reversed(list(enumerate(turns))):
        room -= sum(count(text) for text in turn)
        if room < 0:
            return turns[first + 1 :]
    return turns
