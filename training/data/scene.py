"""A home with somebody in it, and what they say."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homellm_edge.home import Area, Entity, Floor, Home

from . import banks
from .wording import ENGLISH, Wording

Wanted = Mapping[str, Any]


@dataclass(slots=True)
class Said:
    """A sentence, the objects wanted, and what the speaker's situation adds."""

    text: str
    wanted: list[Wanted]
    here: str | None = None
    recent: tuple[str, ...] = ()
    kind: str = ""
    label: str | None = None


@dataclass(slots=True)
class Scene:
    """A home with what the makers below need to look up."""

    rng: random.Random
    home: Home
    split: str
    wording: Wording = ENGLISH

    def has(self, kind: str, key: str) -> bool:
        """Whether the language of this home has such a section."""
        return bool(banks.templates(kind, key, "train", self.wording.language))

    def pick(self, kind: str, key: str, split: str | None = None) -> str:
        """A phrasing of a section in the language of this home."""
        language = self.wording.language
        return banks.pick(self.rng, kind, key, split or self.split, language)

    def expand(self, template: str) -> str:
        """Pick one alternative of every parenthesis."""
        return self.wording.expand(self.rng, template)

    def entities(self, domain: str) -> list[Entity]:
        """The entities of a domain."""
        return [e for e in self.home.entities if e.domain == domain]

    def place_of(self, entity: Entity) -> Area | None:
        """The area of an entity."""
        return self.home.area(entity.area)

    def places(self) -> list[Area | Floor]:
        """Areas and floors that have entities in them."""
        return [
            p for p in (*self.home.areas, *self.home.floors) if self.home.members(p.id)
        ]
