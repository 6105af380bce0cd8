"""A home with somebody in it: how its devices, groups and rooms are called."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homellm_edge.grounding.text import words
from homellm_edge.home import Area, Entity, Floor, Home
from homellm_edge.language import ALL

from . import words as bank_words
from .names import NOUNS
from .surface import typo
from .templates import expand

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


def mention(scene: Scene, entity: Entity) -> str:
    """A way to call one device that means it and no other."""
    rng, home = scene.rng, scene.home
    if entity.domain in ("person", "scene", "script"):
        return entity.name.lower()
    name = entity.name if rng.random() < 0.3 else entity.name.lower()
    if entity.aliases and rng.random() < 0.4:
        name = rng.choice(entity.aliases)
    area = scene.place_of(entity)
    own = words(entity.name)
    roll = rng.random()
    if area and roll < 0.2 and not set(words(area.name)) & set(own):
        bare = " ".join(own)
        forms = (f"{bare} in the {area.name}", f"{area.name} {bare}")
        return article(rng, rng.choice(forms).lower())
    if area and roll < 0.3 and own[-1:] and len(own) > 1:
        same = [
            e
            for e in home.members(area.id)
            if e.entity_id != entity.entity_id and own[-1] in words(e.name)
        ]
        if not same and is_device_noun(own[-1]):
            return article(rng, f"{own[-1]} in the {area.name}".lower())
    if roll < 0.4 and len(own) > 2:
        kept = [w for w in own if w != own[rng.randrange(len(own) - 1)]]
        others = [
            e
            for e in home.entities
            if e.entity_id != entity.entity_id and set(kept) <= set(words(e.name))
        ]
        if kept and not others:
            return article(rng, " ".join(kept))
    if roll < 0.45:
        return article(rng, " ".join(typo(rng, w) for w in name.split()))
    if roll < 0.5 and own and is_device_noun(own[-1]):
        rivals = [
            e
            for e in home.entities
            if e.entity_id != entity.entity_id
            and (e.domain == entity.domain or own[-1] in words(e.name))
        ]
        if not rivals:
            return article(rng, own[-1])
    return article(rng, name)


def is_device_noun(word: str) -> bool:
    """Whether a word is a device noun of the banks, so that it can stand alone."""
    return any(word == n.split()[-1] for nouns in NOUNS.values() for n in nouns)


def article(rng: random.Random, name: str) -> str:
    """The name with an article, as people put one or not."""
    if name.startswith(("the ", "my ")) or "'s " in name:
        return name
    return rng.choice(("the ", "the ", "the ", "", "my ", "our ", "")) + name


def group(
    scene: Scene, domain: str, *, plural: bool = False
) -> tuple[str, str, str | None] | None:
    """(words, place id or `all`, here): several devices of a domain called together."""
    rng = scene.rng
    noun = rng.choice(bank_words.GROUP_NOUNS[domain])
    is_plural = noun.endswith("s") or noun in (
        "lighting",
        "ventilation",
        "heating",
        "music",
    )
    if plural and not is_plural:
        return None
    roll = rng.random()
    if roll < 0.58:
        places = [p for p in scene.places() if has_domain(scene, p.id, domain)]
        if not places:
            return None
        place = rng.choice(places)
        name = place.name.lower()
        if is_plural:
            form = rng.choice(
                (
                    "(the|all the|all|) {n} in the {p}",
                    "(the|all|) {p} {n}",
                    "(every one of the|all of the) {n} in the {p}",
                    "all (the|) {p} {n}",
                    "(the|) {n} (on|at) the {p}"
                    if isinstance(place, Floor)
                    else "(both|all) {n} in the {p}",
                )
            )
        else:
            form = rng.choice(("the {n} in the {p}", "(the|) {p} {n}"))
            singles = [e for e in scene.home.members(place.id) if e.domain == domain]
            if len(singles) < 2:
                return None
        text = expand(rng, form.replace("{n}", noun).replace("{p}", name))
        return text, place.id, somewhere(scene, 0.2)
    if roll < 0.76:
        here = somewhere(scene, 1.0, domain)
        if here is None:
            return None
        if (
            not is_plural
            and len([e for e in scene.home.members(here) if e.domain == domain]) < 2
        ):
            return None
        forms = (
            f"the {noun}",
            noun,
            f"the {noun} here",
            f"the {noun} in here",
            f"the {noun} in this room",
            f"my {noun}",
        )
        if is_plural:
            single = noun.removesuffix("s")
            forms = (
                *forms,
                f"all the {noun} in here",
                f"all the {noun} in this room",
                f"all the {noun}",
                f"all {noun}",
                f"all of the {noun}",
                f"every {single}",
                f"every {single} in here",
            )
        return rng.choice(forms), "<here>", here
    if not is_plural or len(scene.entities(domain)) < 2:
        return None
    here = None
    single = noun.removesuffix("s")
    form = rng.choice(
        (
            f"all (the|my|our|) {noun}",
            f"all (the|my|our|of the|of my|) {noun} {_EVERYWHERE}",
            f"(every|each) {single} {_EVERYWHERE}",
            f"(every|each|every single) {single}",
            f"(every one of|each of|all of|any of) (the|my|our) {noun}",
            f"(the|my|our|) {noun} {_EVERYWHERE}",
            f"(the|my) (whole|entire) (house|home) {noun}",
            f"(the|my|) {noun}",
        )
    )
    if _EVERYWHERE in form or "whole" in form:
        # Without such words `all the lights` are those of the speaker's room.
        here = somewhere(scene, 0.4)
    return expand(rng, form), ALL, here


_EVERYWHERE = (
    "(everywhere|in (every|each) room|in all (the|) rooms|in all (the|) areas|"
    "(in|throughout|around|across|all over) (the|my|our) (whole|entire|) "
    "(house|home|apartment|flat|place|building))"
)


def has_domain(scene: Scene, place: str, domain: str) -> bool:
    """Whether a place has entities of a domain."""
    return any(e.domain == domain for e in scene.home.members(place))


def somewhere(scene: Scene, chance: float, domain: str | None = None) -> str | None:
    """The area of the speaker, sometimes unknown."""
    if scene.rng.random() >= chance:
        return None
    areas = [
        a.id
        for a in scene.home.areas
        if scene.home.members(a.id)
        and (domain is None or has_domain(scene, a.id, domain))
    ]
    return scene.rng.choice(areas) if areas else None
