"""A small data module with the interface of `training.data`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

VERSION = "fake-1"
SPECIALS = ("<|pad|>", "<|im_start|>", "<|im_end|>")
MACROS = (
    # with overlaps and containments, as the real ones have
    "<E1>",
    "<E2>",
    "<N1>",
    "user\n",
    "assistant\n",
    "```",
    "```homeassistant\n",
    '{"service": "',
    'light.turn_on", "target_device": "',
    'light.turn_off", "target_device": "',
    '", "brightness": ',
    '"}\n',
    '"}\n```',
)
_NAMES = {
    "train": ("lamp", "lantern", "spot", "light", "chandelier"),
    "held_out": ("sconce", "torch", "pendant"),
}
_FORMS = {
    "on": (("turn on the {n} {e}", "switch {e} on please", "{n} {e} on"), ""),
    "off": (("turn off the {n} {e}", "kill {e} now", "put out my {n} {e}"), ""),
    "dim": (
        ("dim {e} to <N1>", "set {n} {e} to <N1> percent"),
        '", "brightness": <N1>',
    ),
}


@dataclass(frozen=True, slots=True)
class Example:
    prompt: str
    answer: str
    kind: str


def example(rng: random.Random, split: str = "train") -> Example:
    kind = rng.choice(sorted(_FORMS))
    forms, extra = _FORMS[kind]
    mark = rng.choice(("<E1>", "<E2>"))
    text = rng.choice(forms).format(n=rng.choice(_NAMES[split]), e=mark)
    service = f"light.turn_{'off' if kind == 'off' else 'on'}"
    call = f'{{"service": "{service}", "target_device": "{mark}{extra}'
    answer = f"```homeassistant\n{call}" + ("}\n```" if extra else '"}\n```')
    head = f"<|im_start|>user\n{text}<|im_end|>\n"
    return Example(f"{head}<|im_start|>assistant\n", answer, kind)


def CORPUS(rng: random.Random, count: int) -> Iterator[str]:  # noqa: N802
    for _ in range(count):
        made = example(rng)
        yield made.prompt
        yield made.answer
