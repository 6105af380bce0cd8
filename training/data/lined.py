"""The data set with the home's lines in the prompt, for an ablation.

Before the sentence stands how each device that it mentions is: `<E1> on brightness 40`.
Train with `--data training.data.lined`, and compare with a run of the same budget
without: if states helped our model to choose, these lines would show it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from homellm_edge.grounding import Grounding
from homellm_edge.grounding.index import HomeIndex
from homellm_edge.grounding.text import words
from homellm_edge.prompt.grounded import HEADER
from homellm_edge.queries import attribute_value, current_state

from . import MACROS, SPECIALS, SPLITS, VERSION, Example
from . import example as make

__all__ = ["CORPUS", "MACROS", "SPECIALS", "SPLITS", "VERSION", "Example", "example"]

_SHOWN = ("brightness", "position", "temperature", "volume", "speed", "mode", "media")


def example(rng: random.Random, split: str = "train") -> Example:
    """The example of `training.data` with the lines of its devices."""
    return make(rng, split, lines=states)


def CORPUS(rng: random.Random, count: int) -> Iterator[str]:  # noqa: N802
    """Texts for the tokenizer: `count` prompts without their ChatML frame."""
    for _ in range(count):
        made = example(rng)
        yield made.prompt[len(HEADER) :].partition("<|im_end|>")[0]


def states(index: HomeIndex, found: Grounding) -> str:
    """`<E1> on brightness 40 percent `: a line for each device of the sentence."""
    known = {e.entity_id: e for e in index.entities}
    parts: list[str] = []
    for number, entity_id in enumerate(found.entities, 1):
        entity = known[entity_id]
        parts += [f"<E{number}>", *words(current_state(entity))[:3]]
        for attribute in _SHOWN:
            if value := attribute_value(entity, attribute):
                parts += [attribute, *words(value)[:4]]
    return " ".join([*parts, ""])
