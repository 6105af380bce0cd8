"""Names of the home prepared for matching: words, weights, places, options.

Built once per set of names (not per state change); states play no part in matching.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .._similarity import Vocabulary
from ..home import Area, Entity, Floor, Home
from ..translation import Translation
from .lexicon import NOUNS_OF_DOMAIN, PLACES_ALSO_CALLED, SYNONYMS
from .text import singular, sound_of, tokens, words

OPTION_ATTRIBUTES = (
    "source_list",
    "preset_modes",
    "effect_list",
    "fan_modes",
    "available_modes",
    "operation_list",
)
"""Attributes that list texts a person may ask for by name."""

NAMING_ATTRIBUTES = (*OPTION_ATTRIBUTES, "hvac_modes")
"""All attributes that an index is made of."""

_CLASS_NOUNS = {
    "garage": ("garage", "door"),
    "opening": ("opening", "door", "window"),
    "garage_door": ("garage", "door"),
    "gas": ("gas", "leak"),
    "moisture": ("moisture", "leak", "water"),
    "occupancy": ("motion", "presence", "occupancy"),
    "presence": ("motion", "presence", "occupancy"),
    "illuminance": ("illuminance", "brightness", "light"),
    "tv": ("tv", "television", "telly"),
    "receiver": ("receiver", "stereo"),
    "outlet": ("outlet", "plug", "socket"),
}
_WARMING = frozenset({"heat", "heat_cool", "auto"})
_COOLING = frozenset({"cool", "heat_cool", "auto", "dry", "fan_only"})
_HEATERS = frozenset({"heating", "heater", "heat", "radiator", "boiler"})
_COOLERS = frozenset({"ac", "aircon", "conditioner", "conditioning"})
_BLINDS = frozenset({"blind", "shade", "shutter"})
_BLIND_NOUNS = frozenset({"blind", "blinds", "shade", "shutter", "roller", "venetian"})


@dataclass(frozen=True, slots=True)
class Name:
    """One way to call an entity: `words[i]` has weight `weights[i]`, the sum is 1."""

    entity: int
    words: tuple[str, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One way to call an area or a floor."""

    id: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """A value of one of an entity's `OPTION_ATTRIBUTES`, and how it is said."""

    attribute: str
    value: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HomeIndex:
    """Everything the matcher looks up; positions in `entities` number the entities."""

    entities: tuple[Entity, ...]
    names: tuple[Name, ...]
    names_of_word: dict[str, tuple[int, ...]]
    places: tuple[Place, ...]
    place_words: tuple[frozenset[str], ...]
    kind_nouns: tuple[frozenset[str], ...]
    vocabulary: frozenset[str]
    lookup: Vocabulary
    bigrams: frozenset[tuple[str, str]]
    joined: dict[str, tuple[str, str]]
    options: tuple[tuple[Option, ...], ...]
    members: dict[str, frozenset[int]]


def build_index(home: Home, translation: Translation | None = None) -> HomeIndex:
    """Prepare a home. Costs about 10 us per entity name, translated five times that."""
    variants = [
        (number, way)
        for number, entity in enumerate(home.entities)
        for name in (entity.name, *entity.aliases)
        for way in _ways(name, translation)
    ]
    variants = list(dict.fromkeys((n, w) for n, w in variants if w))
    holders = Counter(w for _, w in {(n, w) for n, ws in variants for w in ws})
    names = []
    for number, ws in variants:
        raw = [holders[w] ** -0.5 for w in ws]
        names.append(Name(number, ws, tuple(r / sum(raw) for r in raw)))
    names_of_word: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        for word in dict.fromkeys(name.words):
            names_of_word.setdefault(word, []).append(at)
    places = _places(home, translation)
    bigrams = {
        pair
        for ws in [*(n.words for n in names), *(p.words for p in places)]
        for pair in pairwise(ws)
    }
    words_of_place: dict[str, set[str]] = {}
    for place in places:
        words_of_place.setdefault(place.id, set()).update(place.words)
    vocabulary = frozenset(names_of_word).union(*(p.words for p in places))
    return HomeIndex(
        entities=home.entities,
        names=tuple(names),
        names_of_word={w: tuple(at) for w, at in names_of_word.items()},
        places=places,
        place_words=tuple(_place_words(home, e, words_of_place) for e in home.entities),
        kind_nouns=tuple(kind_nouns(e) for e in home.entities),
        vocabulary=vocabulary,
        lookup=_lookup(vocabulary, _holders(names, places)),
        bigrams=frozenset(bigrams),
        joined={a + b: (a, b) for a, b in bigrams if len(a) > 2 and len(b) > 2},
        options=tuple(_options(e, translation) for e in home.entities),
        members=_members(home),
    )


def _holders(
    names: Sequence[Name], places: Sequence[Place]
) -> dict[str, frozenset[int | str]]:
    """Word -> all entities and places that are called so."""
    found: dict[str, set[int | str]] = {}
    for name in names:
        for word in name.words:
            found.setdefault(word, set()).add(name.entity)
    for place in places:
        for word in place.words:
            found.setdefault(word, set()).add(place.id)
    return {word: frozenset(holders) for word, holders in found.items()}


def _lookup(
    vocabulary: frozenset[str], holders: Mapping[str, frozenset[int | str]]
) -> Vocabulary:
    ordered = sorted(vocabulary)
    singles = [singular(w) for w in ordered]
    synonyms: dict[str, list[str]] = {}
    for listed in SYNONYMS:
        group = {singular(w) for w in listed}
        here = [w for w, s in zip(ordered, singles, strict=True) if s in group]
        # With two of them (`tv` here, `television` there) each means its own.
        if here and len({holders[w] for w in here}) == 1:
            for word in group - set(here):
                synonyms.setdefault(word, []).extend(here)
    return Vocabulary(ordered, singles, [sound_of(w) for w in ordered], synonyms)


def _places(home: Home, translation: Translation | None) -> tuple[Place, ...]:
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    items: list[Area | Floor] = [*home.areas, *home.floors]
    for item in items:
        for name in (item.name, *item.aliases):
            for ws in _ways(name, translation):
                if ws:
                    found[item.id, ws] = None
    for group in PLACES_ALSO_CALLED:
        ways = [spoken(way) for way in group]
        meant = {p for p, ws in found if ws in ways}
        if len(meant) == 1:
            for ws in ways:
                found.setdefault((next(iter(meant)), ws), None)
    named = {ws for _, ws in found}
    levels = {f.level for f in home.floors if f.level is not None}
    for floor in home.floors:
        if floor.level is None or len(levels) < 2:
            continue
        extra = ["downstairs"] if floor.level == min(levels - {-1} or levels) else []
        if floor.level == max(levels):
            extra.append("upstairs")
        for word in extra:
            if (word,) not in named:
                found[floor.id, (word,)] = None
    return tuple(Place(place_id, ws) for place_id, ws in found)


def _place_words(
    home: Home, entity: Entity, words_of_place: dict[str, set[str]]
) -> frozenset[str]:
    area = home.area(entity.area)
    if area is None:
        return frozenset()
    found = set(words_of_place.get(area.id, ()))
    if area.floor:
        found |= words_of_place.get(area.floor, set())
    return frozenset(found)


def spoken(name: str) -> tuple[str, ...]:
    """The words of a name as a sentence has them: `Lamp Two` is `lamp 2`."""
    return tuple(token.text for token in tokens(name))


def _ways(name: str, translation: Translation | None) -> list[tuple[str, ...]]:
    return translation.spellings(name) if translation else [spoken(name)]


def _options(entity: Entity, translation: Translation | None) -> tuple[Option, ...]:
    return tuple(
        Option(attribute, str(value), ws)
        for attribute in OPTION_ATTRIBUTES
        if isinstance(values := entity.attributes.get(attribute), list | tuple)
        for value in values
        for ws in _ways(str(value).replace("_", " "), translation)
        if ws
    )


def kind_nouns(entity: Entity) -> frozenset[str]:
    """The nouns that may stand for this entity: its domain's or its class's."""
    device_class = entity.device_class
    if device_class and entity.domain in ("sensor", "binary_sensor", "cover", "valve"):
        # A door sensor is no window and a curtain no gate: only its class names it.
        if entity.domain == "cover" and device_class in _BLINDS:
            return _BLIND_NOUNS
        own = _CLASS_NOUNS.get(device_class) or words(device_class.replace("_", " "))
        more = ("sensor", "detector") if entity.domain.endswith("sensor") else ()
        return frozenset((*own, *more))
    nouns = NOUNS_OF_DOMAIN.get(entity.domain, frozenset())
    listed = entity.attributes.get("hvac_modes")
    if entity.domain == "climate" and isinstance(listed, list | tuple) and listed:
        modes = {str(mode) for mode in listed}
        # Nobody calls what cannot cool an air conditioner.
        if _WARMING.isdisjoint(modes):
            nouns -= _HEATERS
        if _COOLING.isdisjoint(modes):
            nouns -= _COOLERS
    return nouns


def _members(home: Home) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {a.id: set() for a in home.areas}
    found |= {f.id: set() for f in home.floors}
    for number, entity in enumerate(home.entities):
        area = home.area(entity.area)
        if area is not None:
            found[area.id].add(number)
            if area.floor in found:
                found[area.floor].add(number)
    return {place: frozenset(numbers) for place, numbers in found.items()}


def is_noun_of(word: str, nouns: frozenset[str]) -> bool:
    """Whether the word, or its singular, is one of these nouns."""
    return word in nouns or singular(word) in nouns
