"""English, the language that the others are translated into before the grounding."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from homellm_edge.grounding.lexicon import COLORS
from homellm_edge.grounding.text import words
from homellm_edge.home import Area, Entity, Floor
from homellm_edge.language import ALL

from .. import surface, texts
from .. import words as bank_words
from ..names import (
    ADJECTIVES,
    AREAS,
    FLOORS,
    NOUNS,
    PEOPLE,
    is_device_noun,
    made_up,
    pick,
)
from ..numbers import spoken
from ..places import has_domain, somewhere
from ..surface import typo
from ..templates import expand
from .base import Context, Kind

if TYPE_CHECKING:
    from ..scene import Scene

_UPPER = {"tv", "ac", "led", "hvac"}
_TEXTS = {
    "item": texts.item,
    "grocery": texts.grocery,
    "timed": texts.timed,
    "played": texts.played,
}
_MASS_NOUNS = ("lighting", "ventilation", "heating", "music")
_IN = {
    "wish": "(in the|in|for the) {p}",
    "question": "(in|on|in the|on the) {p}",
    "timer": "(in the|from the|in) {p}",
    "timers": "(in the|in|for the) {p}",
}
_HOUSE = {
    "wish": "(|in the house|everywhere|in the whole house)",
    "question": "(||in the house|at home|anywhere|in the whole house)",
}
_OUT_OF_PLACE = {
    "lock": ("lock {x}", "unlock {x}", "bolt {x}"),
    "media_player": ("pause {x}", "mute {x}", "skip the song on {x}", "unmute {x}"),
    "vacuum": ("dock {x}", "vacuum with {x}", "send {x} back to its base"),
    "light": ("dim {x} to 20 percent", "make {x} brighter", "paint {x} red"),
    "climate": ("make {x} warmer", "heat {x} to 21 degrees"),
}


class EnglishHomes:
    """Homes of people who speak English."""

    def noun(self, rng: random.Random, domain: str, split: str) -> tuple[str, str]:
        """A kind of device: its noun, which says its class as well."""
        noun = pick(rng, NOUNS[domain], split)
        return noun, noun

    def area(self, rng: random.Random, split: str) -> str:
        """A room."""
        name = pick(rng, AREAS, split)
        if rng.random() < 0.12:
            return f"{rng.choice(PEOPLE)}'s {rng.choice(('room', 'bedroom', 'office'))}"
        if rng.random() < 0.05:
            return f"{made_up(rng)} room"
        return name

    def area_title(self, name: str) -> str:
        """A room's name as Home Assistant shows it."""
        return name.title().replace("'S", "'s")

    def floors(self, rng: random.Random, count: int) -> Sequence[tuple[str, int]]:
        """Floors with their levels."""
        return rng.sample(FLOORS, count)

    def device(
        self, rng: random.Random, split: str, domain: str, noun: str, area: Area | None
    ) -> str:
        """The name of an entity, in lower case."""
        if domain == "person":
            return pick(rng, PEOPLE, split) if rng.random() < 0.8 else made_up(rng)
        if domain in ("scene", "script", "button", "todo", "weather", "calendar"):
            if domain in ("todo", "weather") and rng.random() < 0.25:
                return made_up(rng)
            return noun if rng.random() < 0.8 else f"{noun} {made_up(rng)}"
        roll = rng.random()
        place = area.name.lower() if area else ""
        if place and roll < 0.45:
            name = f"{place} {noun}"
        elif place and roll < 0.55:
            name = f"{place} {pick(rng, ADJECTIVES, split)} {noun}"
        elif roll < 0.63:
            name = f"{pick(rng, PEOPLE, split)}s {noun}"
        elif roll < 0.74:
            name = f"{pick(rng, ADJECTIVES, split)} {noun}"
        elif roll < 0.84:
            name = f"{made_up(rng)} {noun}"
        elif roll < 0.87:
            name = made_up(rng)
        else:
            name = noun
        if rng.random() < 0.06:
            name += f" {rng.randint(1, 4)}"
        return name

    def sensor(self, kind: str) -> str:
        """What a sensor of that kind adds to the name of its device."""
        return kind.title()

    def title(self, rng: random.Random, name: str) -> str:
        """A device's name as somebody typed it."""
        if rng.random() < 0.1:
            return name
        return " ".join(
            w.upper() if w in _UPPER else w[:1].upper() + w[1:] for w in name.split()
        )


class English:
    """See `Wording`."""

    language = "en"
    homes = EnglishHomes()

    def expand(self, rng: random.Random, template: str) -> str:
        """Pick one alternative of every parenthesis."""
        return expand(rng, template)

    def settled(self, text: str, *, question: bool) -> str:
        """The sentence as it is: no English word depends on its neighbours here."""
        return text

    def noisy(self, rng: random.Random, text: str) -> str:
        """With the slips of speech recognition and typing, in some sentences."""
        return surface.noisy(rng, text)

    def polite(self, rng: random.Random, text: str) -> str:
        """A command as somebody might frame it."""
        return surface.polite(rng, text)

    def asked(self, rng: random.Random, text: str) -> str:
        """A question as somebody might frame it."""
        return surface.asked(rng, text)

    def number(self, rng: random.Random, number: float) -> str:
        """Digits or words."""
        return spoken(rng, number)

    def duration(self, rng: random.Random) -> tuple[str, float]:
        """(words, seconds): `an hour and a half`, `20 min`."""
        return texts.duration(rng)

    def color(self, rng: random.Random) -> tuple[str, Mapping[str, Any]]:
        """(words, value) of a colour or a white."""
        name, value = rng.choice(list(COLORS.items()))
        return " ".join(name), value

    def text(self, rng: random.Random, kind: Kind, split: str) -> str:
        """Something to buy, do, time or play."""
        return _TEXTS[kind](rng, split)

    def mention(self, scene: Scene, entity: Entity) -> str:
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
            return self.called(rng, rng.choice(forms).lower())
        if area and roll < 0.3 and own[-1:] and len(own) > 1:
            same = [
                e
                for e in home.members(area.id)
                if e.entity_id != entity.entity_id and own[-1] in words(e.name)
            ]
            if not same and is_device_noun(own[-1]):
                return self.called(rng, f"{own[-1]} in the {area.name}".lower())
        if roll < 0.4 and len(own) > 2:
            kept = [w for w in own if w != own[rng.randrange(len(own) - 1)]]
            others = [
                e
                for e in home.entities
                if e.entity_id != entity.entity_id and set(kept) <= set(words(e.name))
            ]
            if kept and not others:
                return self.called(rng, " ".join(kept))
        if roll < 0.45:
            return self.called(rng, " ".join(typo(rng, w) for w in name.split()))
        if roll < 0.5 and own and is_device_noun(own[-1]):
            rivals = [
                e
                for e in home.entities
                if e.entity_id != entity.entity_id
                and (e.domain == entity.domain or own[-1] in words(e.name))
            ]
            if not rivals:
                return self.called(rng, own[-1])
        return self.called(rng, name)

    def called(self, rng: random.Random, name: str) -> str:
        """The name with an article, as people put one or not."""
        if name.startswith(("the ", "my ")) or "'s " in name:
            return name
        return rng.choice(("the ", "the ", "the ", "", "my ", "our ", "")) + name

    def strange(
        self, rng: random.Random, domain: str, split: str, known: AbstractSet[str]
    ) -> str | None:
        """A device that is not there; None if a word of its owner or room is known."""
        noun = pick(rng, NOUNS[domain], split)
        qualifier = rng.choice(
            (pick(rng, AREAS, split), made_up(rng), rng.choice(PEOPLE) + "s")
        )
        if set(words(qualifier)) & known:
            return None
        if rng.random() < 0.25:
            return f"{noun} in the {qualifier}"
        return f"{qualifier} {noun}"

    def kind_of(self, rng: random.Random, domain: str) -> str:
        """A device named by nothing but its kind."""
        return f"the {rng.choice(NOUNS[domain])}"

    def some_of(self, rng: random.Random, domain: str) -> str:
        """One of several, it is not said which."""
        singular = [
            n
            for n in bank_words.GROUP_NOUNS[domain]
            if not n.endswith("s") and n not in _MASS_NOUNS
        ]
        if not singular:
            singular = ["lock" if domain == "lock" else domain]
        return f"(the|a|my) {rng.choice(singular)}"

    def group(
        self, scene: Scene, domain: str, *, plural: bool = False
    ) -> tuple[str, str, str | None] | None:
        """(words, place id or `all`, here): several devices called together."""
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
                singles = [
                    e for e in scene.home.members(place.id) if e.domain == domain
                ]
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
            forms: tuple[str, ...] = (
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

    def members(self, rng: random.Random, scope: str) -> str:
        """The plural of what is asked for."""
        return rng.choice(bank_words.SCOPE_NOUNS[scope])

    def place(self, place: Area | Floor, context: Context) -> str:
        """A template: in a room, on a floor."""
        return _IN[context].replace("{p}", place.name.lower())

    def here(self, context: Context) -> str:
        """A template: where the speaker is."""
        if context == "wish":
            return "(|||in here|here|in this room)"
        return "(in here|here|in this room)"

    def house(self, context: Context) -> str:
        """A template: in the whole house, often not said."""
        return _HOUSE[context]

    def off_at(self, place: Area | Floor) -> str:
        """A template: switch a room off."""
        return f"(turn|switch|shut) (off|down) the {place.name.lower()}"

    def timer_of_place(self, place: Area) -> str:
        """A template: the timer of a room."""
        return f"(the|my) {place.name.lower()} timer"

    def timer_for(self, name: str) -> str:
        """A template: the timer with a name."""
        return f"(the|my|our|) {name} timer"

    def list_named(self, rng: random.Random, name: str) -> str:
        """A list of the home."""
        if "list" not in name and rng.random() < 0.7:
            name += " list"
        return f"{expand(rng, '(the|my|our|)')} {name}".strip()

    def is_shopping(self, name: str) -> bool:
        """Whether a list of that name is for shopping."""
        return "shopping" in name or "grocer" in name

    def shopping_list(self, rng: random.Random) -> str:
        """The shopping list that everybody has."""
        return expand(rng, "(the|my|our|) (shopping|grocery|shopping|groceries) list")

    def only_list(self, rng: random.Random) -> str:
        """The list, whichever it is."""
        return expand(rng, "(the|my|our) (list|to do list|todo list|task list|todos)")

    def calendar(self, rng: random.Random, name: str) -> str:
        """A calendar of the home."""
        return expand(rng, f"(my|the|our|) {name} (calendar|)")

    def item_pair(self, first: str, second: str) -> str | None:
        """Two items in a row; None if nobody could tell them apart."""
        if " and " in first or " and " in second:
            return None
        return f"{first} and {second}"

    def joined(self, mentions: Sequence[str]) -> str:
        """Several mentions in a row."""
        return f"{', '.join(mentions[:-1])} and {mentions[-1]}"

    def linked(self, rng: random.Random, first: str, second: str) -> str:
        """Two commands in a sentence."""
        link = rng.choice(
            (" and ", " and ", " then ", " and then ", ", ", " and also ")
        )
        return f"{first}{link}{second}"

    def except_for(self, rng: random.Random, text: str, spared: str) -> str:
        """A command that spares something."""
        link = rng.choice(
            ("except", "except for", "but not", "apart from", "other than")
        )
        return f"{text} {link} {self.called(rng, spared)}"

    def again(self, rng: random.Random, text: str) -> str:
        """A command as the second one in a row."""
        before = rng.choice(("", "", "", "and ", "now ", "okay now ", "actually "))
        return before + text + rng.choice(("", "", "", " again", " now", " too"))

    def pronoun(self, rng: random.Random) -> str:
        """What was spoken of before."""
        return rng.choice(("it", "it", "it", "that", "them"))

    def which_state(self, states: Sequence[str]) -> str | None:
        """A template: is it this or that."""
        return f"(is|are) {{x}} {states[0]} or {states[1]}"

    def out_of_place(self, rng: random.Random, domain: str) -> str:
        """A command that only makes sense for a domain, with `{x}`."""
        return rng.choice(_OUT_OF_PLACE[domain])

    def fits_all(self, name: str) -> bool:
        """Whether a device of that name may be more than its domain says."""
        return bool({"lock", "door", "gate", "window"} & set(words(name)))


ENGLISH = English()

_EVERYWHERE = (
    "(everywhere|in (every|each) room|in all (the|) rooms|in all (the|) areas|"
    "(in|throughout|around|across|all over) (the|my|our) (whole|entire|) "
    "(house|home|apartment|flat|place|building))"
)
