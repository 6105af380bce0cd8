"""A prompt in parts, so that what has not changed can stay in the KV cache.

Two models of attention read the same parts:

* *causal*: one text, `header + blocks + turns + question`, each token sees all before.
* *block*: header at positions [0, H). Every block at positions [H, H + its length); it
  sees the header and itself. All turns as one run from position H; they see the header
  and the turns before. The question starts behind the longest of these, at
  H + max(longest block, turns), and sees everything, as does what is written after it.
  Inside a part each token sees the ones before it.

Every part is tokenized alone, so a part has the same tokens wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that can change alone: a device's line, or the lines of an area.

    `key` stays the same when the text changes. `group` is what it may be merged with,
    `rank` how readily it is left out when the context is too small (0: last), `gone`
    the text that takes it back where it cannot be removed.
    """

    key: str
    text: str
    group: str = ""
    rank: int = 0
    gone: str = ""


class Turn(NamedTuple):
    """An earlier turn as the model has read and written it, with its control tokens."""

    asked: str
    answered: str


class Updates(NamedTuple):
    """How changed blocks are told behind the ones that they replace.

    `heading` stands before the first; behind turns, `opening` and `closing` enclose
    them.
    """

    heading: str = ""
    opening: str = ""
    closing: str = ""


_NO_WORDS = Updates()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model reads. Header, blocks and turns stay in the KV cache.

    `wanted` are the keys of blocks that the question cannot do without.
    """

    header: str
    blocks: tuple[Block, ...] = ()
    turns: tuple[Turn, ...] = ()
    question: str = ""
    updates: Updates = _NO_WORDS
    wanted: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The whole prompt as one text."""
        blocks = "".join(block.text for block in self.blocks)
        turns = "".join(turn.asked + turn.answered for turn in self.turns)
        return f"{self.header}{blocks}{turns}{self.question}"


def grouped(blocks: Sequence[Block], most: int) -> tuple[Block, ...]:
    """At most `most` blocks with the same texts: those of a group are put together.

    Where they fit, each stays alone. Otherwise neighbours of the same group share a
    block, as few as are needed; what has no group counts as one. The key of a merged
    block depends on the keys in it only.
    """
    if len(blocks) <= most:
        return tuple(blocks)
    groups: dict[str, list[Block]] = {}
    for block in blocks:
        groups.setdefault(block.group, []).append(block)
    size = 2
    while sum(-(-len(members) // size) for members in groups.values()) > most:
        if size >= len(blocks):  # more groups than blocks are allowed
            groups = {"": [block for members in groups.values() for block in members]}
            size = -(-len(blocks) // most)
            break
        size += 1
    return tuple(
        _merged(members[start : start + size])
        for members in groups.values()
        for start in range(0, len(members), size)
    )


def _merged(blocks: Iterable[Block]) -> Block:
    members = list(blocks)
    return Block(
        key=" ".join(block.key for block in members),
        text="".join(block.text for block in members),
        group=members[0].group,
        rank=min(block.rank for block in members),
        gone="".join(block.gone for block in members),
    )
