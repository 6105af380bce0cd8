"""A small data module in blocks: which state does the named lamp's line tell?

Kinds: `state` (the question names the lamp), `that` (the turn before names it) and
`plain` (no parts, as grounded sentences have none).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from homellm_edge.prompt.blocks import Block, Prompt, Turn

VERSION = "fake-blocks-1"
ATTENTION = "block"
PROMPT_FORMAT = "lamps"
SPECIALS = ("<|pad|>", "<|im_start|>", "<|im_end|>")
MACROS = ("user\n", "assistant\n", "```")
HEADER = "<|im_start|>system\nthese are the lamps"
_STATES = ("on", "off")


@dataclass(frozen=True, slots=True)
class Example:
    prompt: str
    answer: str
    kind: str
    parts: Prompt | None = None


def example(rng: random.Random, split: str = "train") -> Example:
    kind = rng.choice(("state", "state", "that", "plain"))
    lamps = {name: rng.choice(_STATES) for name in _names(rng, split)}
    one, other = rng.sample(sorted(lamps), 2)
    if kind == "plain":
        return Example(asked(f"is {one} {lamps[one]}?"), lamps[one], kind)
    lines = tuple(
        Block(name, f"\nlamp {name} = {state}") for name, state in lamps.items()
    )
    turns, question = (), asked(f"is {one} on?")
    if kind == "that":
        last, first = (
            Turn(asked(f"show me {name}"), "here it is<|im_end|>\n")
            for name in (one, other)
        )
        turns = (first, last) if rng.random() < 0.5 else (last,)
        question = asked("is that one on?")
    parts = Prompt(HEADER, lines, turns, question)
    return Example(parts.text, lamps[one], kind, parts)


def asked(sentence: str) -> str:
    user = f"<|im_start|>user\n{sentence}<|im_end|>\n"
    return f"{user}<|im_start|>assistant\n"


def CORPUS(rng: random.Random, count: int) -> Iterator[str]:  # noqa: N802
    for _ in range(count):
        made = example(rng)
        yield made.prompt
        yield made.answer


def _names(rng: random.Random, split: str) -> list[str]:
    """Letter and digit; one pair in five is kept out of training."""
    names = [
        f"{letter}{digit}"
        for letter in "bcdfghjklmnpqrst"
        for digit in range(10)
        if (ord(letter) + digit) % 5 == 0 or split == "train"
        if (ord(letter) + digit) % 5 or split == "held_out"
    ]
    return rng.sample(names, rng.randint(2, 6))
