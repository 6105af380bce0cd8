"""What the seed's prompt shows: a line for each device, no areas, aliases, classes.

An example whose answer needs more than that would teach a model to guess.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from homellm_edge.grounding.text import words
from homellm_edge.home import Entity, Home
from homellm_edge.language import ALL, QUERIES_OVER_SCOPE
from homellm_edge.prompt.chatml import device_line
from homellm_edge.queries import Query, attribute_value, current_state

from .names import is_device_noun

SCOPES = frozenset(
    "light fan cover lock media_player climate switch vacuum valve humidifier "
    "person".split()
)
"""Of what can be asked in the whole home: ids show domains; doors are a class."""

_BETWEEN = re.compile(r"[;=%\s]+")


def answer_is_shown(home: Home, query: Query) -> bool:
    """Whether the lines hold what the answer says."""
    if query.kind == "time":
        return True  # it stands before the sentence
    if query.kind in QUERIES_OVER_SCOPE:
        return query.scope in SCOPES and query.place in ("", ALL)
    entity = home.entity(query.targets[0]) if len(query.targets) == 1 else None
    if query.kind not in ("state", "value") or entity is None:
        return False
    if query.kind == "value" or query.attribute:
        value = attribute_value(entity, query.attribute).split(" ")[0]
        line = device_line(entity).rpartition(" = ")[2]
        return not value or value in _BETWEEN.split(line)
    if current_state(entity) != entity.state:
        # The state in the words of a class, which the name must tell.
        return any(is_device_noun(word) for word in words(entity.name))
    return True


def members_are_shown(home: Home, place: str, domain: str) -> bool:
    """Whether names alone tell who of a domain is in an area or on a floor."""
    said = set(words(_name(home, place)))
    inside = {e.entity_id for e in home.members(place) if e.domain == domain}
    named = {
        e.entity_id
        for e in home.entities
        if e.domain == domain and said <= _words_of(e)
    }
    return inside == named


def mentions_are_shown(
    home: Home, sentence: str, devices: Iterable[Entity], places: Collection[str]
) -> bool:
    """Whether these devices are called by what is in their lines.

    `places` are those that the sentence uses to tell which device it means.
    """
    said, known = sentence.casefold(), set[str]()
    for device in devices:
        own = _words_of(device)
        known |= own
        for alias in device.aliases:
            if alias.casefold() in said and not set(words(alias)) <= own:
                return False
    return all(set(words(_name(home, place))) <= known for place in places)


def _name(home: Home, place: str) -> str:
    known = home.area(place) or home.floor(place)
    return known.name if known else place


def _words_of(entity: Entity) -> set[str]:
    return {*words(entity.name), *entity.entity_id.partition(".")[2].split("_")}
