"""Homes of any size whose states change at random, and a model that reads them.

Both are the same for the same seed. The prompt is the product's own for ChatML models.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gguf_factory import write_llama
from homellm_edge.home import Entity, Home
from homellm_edge.prompt.blocks import Prompt
from homellm_edge.prompt.chatml import chatml_prompt, device_line

N_CTX = 16384
QUESTION = "turn on the kitchen ceiling light"

_ROOMS = ("kitchen", "living room", "bedroom", "office", "hall", "bathroom", "garage")
_THINGS = {
    "light": ("ceiling light", "floor lamp", "desk lamp", "spots"),
    "sensor": ("temperature", "humidity", "power"),
    "cover": ("blinds", "shutter"),
    "climate": ("thermostat",),
    "media_player": ("speaker", "tv"),
}
_OTHER_WORDS = (
    "off open closed heat playing turn the You are that services user assistant"
)
_WEIGHTS = (8, 6, 3, 1, 2)
_FIRST = {"sensor": "21.5", "cover": "closed"}
_STATES: dict[str, Callable[[random.Random], tuple[str, dict[str, Any]]]] = {
    "light": lambda r: ("on", {"brightness": r.randint(1, 255)}),
    "sensor": lambda r: (f"{r.uniform(15, 90):.1f}", {}),
    "cover": lambda r: ("open", {"current_position": r.randint(1, 100)}),
    "climate": lambda r: ("heat", {"current_temperature": r.randint(100, 300) / 10}),
    "media_player": lambda r: ("playing", {"volume_level": r.randint(1, 100) / 100}),
}


class ChangingHome:
    """A home of `size` devices; `prompt` is what a model reads of it now."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secrets
        devices = [self._device(number) for number in range(1, size + 1)]
        self._seen: set[str] = set()
        self._entities = [self._with_new_state(device) for device in devices]
        self._other = [self._with_new_state(device) for device in devices]

    @property
    def prompt(self) -> Prompt:
        return chatml_prompt(Home(entities=tuple(self._entities)), QUESTION)

    def change(self, count: int) -> None:
        """Give `count` devices states that none of them has had."""
        for place in self._random.sample(range(len(self._entities)), count):
            self._entities[place] = self._with_new_state(self._entities[place])

    def flip(self, count: int) -> None:
        """Give `count` devices their other state: each has two of them."""
        for place in self._random.sample(range(len(self._entities)), count):
            self._entities[place], self._other[place] = (
                self._other[place],
                self._entities[place],
            )

    def _device(self, number: int) -> Entity:
        domain = self._random.choices(list(_THINGS), _WEIGHTS)[0]
        room = self._random.choice(_ROOMS)
        name = f"{room} {self._random.choice(_THINGS[domain])} {number}"
        return Entity(
            f"{domain}.{name.replace(' ', '_')}",
            name.title(),
            _FIRST.get(domain, "off"),
            area=room,
        )

    def _with_new_state(self, entity: Entity) -> Entity:
        for _ in range(10_000):
            state, attributes = _STATES[entity.domain](self._random)
            found = replace(entity, state=state, attributes=attributes)
            line = device_line(found)
            if line not in self._seen:
                self._seen.add(line)
                return found
        raise ValueError(f"{entity.entity_id} has had every state: change it less")


def write_model(path: Path) -> Path:
    """A model of random weights whose vocabulary has words of homes as tokens.

    So a device's line has about as many tokens as with a real vocabulary.
    """
    names = [*_ROOMS, *_THINGS, *(name for many in _THINGS.values() for name in many)]
    words = {word for name in names for word in name.replace("_", " ").split()}
    words |= {*_OTHER_WORDS.split()}
    forms = sorted(words | {word.title() for word in words})
    merges = dict.fromkeys(
        f"{form[:end]} {form[end]}" for form in forms for end in range(1, len(form))
    )
    merges |= dict.fromkeys(f"Ġ {form}" for form in forms)  # with a space before it
    return write_llama(path, layers=2, width=256, context=N_CTX, merges=tuple(merges))
