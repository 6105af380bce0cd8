"""How people who speak another language call their rooms and devices."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

from homellm_edge.home import Area

from ..names import held_out, made_up
from .lexicon import Lexicon, Noun

_OWN_NAMES = frozenset("scene script button todo weather calendar".split())


class ForeignHomes:
    """See `HomeWords`."""

    def __init__(
        self,
        lexicon: Lexicon,
        contracted: Callable[[str], str],
        compound: Callable[[Noun, str], str | None],
    ) -> None:
        self._lexicon = lexicon
        self._words = lexicon.pairs("words")
        self._contracted = contracted
        self._compound = compound
        self.domains = lexicon.lines("domains")

    @cached_property
    def places(self) -> dict[str, Noun]:
        """Rooms and floors by their names."""
        known = (*self._lexicon.nouns("areas"), *self._lexicon.nouns("floors"))
        return {noun.text: noun for noun in known}

    def noun(self, rng: random.Random, domain: str, split: str) -> tuple[str, str]:
        """A kind of device: its noun, and the English one that says its class."""
        if domain == "person":
            return "", "person"
        noun = _pick(rng, self._lexicon.nouns(domain), split)
        return noun.text, noun.english or noun.text

    def area(self, rng: random.Random, split: str) -> str:
        """A room."""
        if rng.random() < 0.03:
            return made_up(rng)
        return _pick(rng, self._lexicon.nouns("areas"), split).text

    def area_title(self, name: str) -> str:
        """A room's name as Home Assistant shows it."""
        return name[:1].upper() + name[1:]

    def floors(self, rng: random.Random, count: int) -> Sequence[tuple[str, int]]:
        """Floors with their levels."""
        chosen = rng.sample(self._lexicon.nouns("floors"), count)
        return [(noun.text, int(noun.english)) for noun in chosen]

    def device(
        self, rng: random.Random, split: str, domain: str, noun: str, area: Area | None
    ) -> str:
        """The name of an entity, in lower case."""
        people = self._lexicon.lines("people")
        if domain == "person":
            return rng.choice(people).split()[0] if rng.random() < 0.8 else made_up(rng)
        if domain in _OWN_NAMES:
            if domain in ("todo", "weather") and rng.random() < 0.15:
                return made_up(rng)
            return noun if rng.random() < 0.85 else f"{noun} {made_up(rng)}"
        roll = rng.random()
        place = self.places.get(area.name.lower()) if area else None
        if place and roll < 0.5:
            name = self.at(rng, noun, place)
        elif roll < 0.6:
            owner = rng.choice(people).split()[-1]
            name = self._words["owned"].replace("{n}", noun).replace("{o}", owner)
        elif roll < 0.72:
            name = self._with_adjective(rng, domain, noun)
        elif roll < 0.82:
            name = self._words["made_up"].replace("{n}", noun)
            name = name.replace("{o}", made_up(rng))
        elif roll < 0.85:
            name = made_up(rng)
        else:
            name = noun
        if rng.random() < 0.06:
            name += f" {rng.randint(1, 4)}"
        return self._contracted(name)

    def at(self, rng: random.Random, noun: str, place: Noun) -> str:
        """The name of a thing by its room."""
        if rng.random() < 0.5:
            made = self._compound(place, noun)
            if made:
                return made
        template = rng.choice(self._words["thing at"].split("|"))
        text = template.replace("{n}", noun).replace("{p}", place.text)
        form = place.forms[0] if place.forms else place.text
        return self._contracted(text.replace("{f}", form))

    def _with_adjective(self, rng: random.Random, domain: str, noun: str) -> str:
        genders = {n.text: n.gender for n in self._lexicon.nouns(domain)}
        forms = rng.choice(self._lexicon.lines("adjectives")).split()
        adjective = forms["mfnpq".index(genders.get(noun, "m"))]
        template = self._words["adjective"]
        return template.replace("{n}", noun).replace("{a}", adjective)

    def sensor(self, kind: str) -> str:
        """What a sensor of that kind adds to the name of its device."""
        for section in ("sensor", "binary_sensor"):
            for noun in self._lexicon.nouns(section):
                if noun.english == kind:
                    return noun.text[:1].upper() + noun.text[1:]
        return kind.title()

    def title(self, rng: random.Random, name: str) -> str:
        """A device's name as somebody typed it."""
        roll = rng.random()
        if roll < 0.1:
            return name
        if roll < 0.5:
            return name[:1].upper() + name[1:]
        parts = name.split()
        return " ".join(p[:1].upper() + p[1:] if len(p) > 3 else p for p in parts)


def _pick(rng: random.Random, bank: tuple[Noun, ...], split: str) -> Noun:
    common, rare = _parts(bank)
    if split == "held_out" and rare and rng.random() < 0.7:
        return rng.choice(rare)
    return rng.choice(common or bank)


@lru_cache(maxsize=256)
def _parts(bank: tuple[Noun, ...]) -> tuple[tuple[Noun, ...], tuple[Noun, ...]]:
    return (
        tuple(n for n in bank if not held_out(n.text)),
        tuple(n for n in bank if held_out(n.text)),
    )
