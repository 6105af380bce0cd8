"""How many ways to say something a bank has, by family.

A phrasing is a template that differs from all before it by more than articles,
politeness and the order of the words; a sentence is made by one choice in each `(a|b)`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .bank import Bank, Section

BOUNDS: Mapping[str, int] = {"en": 150, "de": 50, "fr": 50, "es": 50, "pl": 50}
"""Language -> phrasings that each of ACTION_FAMILIES has at least."""

_FAMILY_OF: Mapping[str, str] = {
    "input_boolean": "switch",
    "media_player": "media",
    "script": "scene/script",
    "scene": "scene/script",
    "button": "scene/script",
    "alarm_control_panel": "alarm",
    "homeassistant": "everything",
}
ACTION_FAMILIES = (
    *("light", "cover", "climate", "media", "fan", "lock", "switch", "vacuum"),
    *("scene/script", "todo", "timer", "alarm", "valve"),
)
_WORDS = frozenset({"is", "sensor"})
_FRAMES = frozenset({"timer", "later"})
_TALK = frozenset({"negation", "reply"})
_MOST_SENTENCES = 256
_GROUP = re.compile(r"\(([^()]*)\)")
_UNSAID: Mapping[str, frozenset[str]] = {
    "en": frozenset("a an the my please can could would will you just".split()),
    "de": frozenset(
        "der die das den dem des ein eine einen einem einer mein meine meinen bitte "
        "mal kannst könntest würdest du".split()
    ),
    "fr": frozenset(
        "le la les l' un une des du mon ma mes s'il te vous plaît peux tu "
        "pourrais".split()
    ),
    "es": frozenset(
        "el la los las un una unos unas mi mis por favor puedes podrías".split()
    ),
    "pl": frozenset("proszę mój moja moje możesz mógłbyś mogłabyś czy".split()),
}


@dataclass(frozen=True, slots=True)
class Count:
    """What a bank has of one family. `sentences` is a product, bounded a template."""

    family: str
    templates: int
    phrasings: int
    sentences: int


def count(bank: Bank) -> tuple[Count, ...]:
    """The counts of all families, those of actions first."""
    unsaid = _UNSAID.get(bank.language, frozenset())
    templates: dict[str, dict[str, None]] = {name: {} for name in ACTION_FAMILIES}
    for section in bank.sections:
        if family := family_of(section):
            templates.setdefault(family, {}).update(dict.fromkeys(section.templates))
    return tuple(_count(name, found, unsaid) for name, found in templates.items())


def family_of(section: Section) -> str:
    """The family of a section; "" of words that are no sentence."""
    if section.kind in _WORDS:
        return ""
    if section.kind in _TALK:
        return f"talk: {section.kind} {section.key}".rstrip()
    if section.kind in _FRAMES:
        return f"frame: {section.kind}"
    if section.kind in ("action", "place"):
        domain = section.key.partition(".")[0]
        return _FAMILY_OF.get(domain, domain)
    return f"question: {_question(section)}"


def expanded(template: str) -> Iterator[str]:
    """The sentences of a template, each once, the first choices first."""
    said: set[str] = (
        set()
    )  # a choice that leaves another one out is made for each of it
    for sentence in _expanded(template):
        if sentence not in said:
            said.add(sentence)
            yield sentence


def _count(family: str, templates: Mapping[str, None], unsaid: frozenset[str]) -> Count:
    said: set[tuple[str, ...]] = set()
    phrasings = 0
    for template in templates:
        ways = {
            tuple(sorted(word for word in sentence.split() if word not in unsaid))
            for sentence in itertools.islice(expanded(template), _MOST_SENTENCES)
        }
        phrasings += said.isdisjoint(ways)
        said |= ways
    return Count(family, len(templates), phrasings, len(said))


def _expanded(template: str) -> Iterator[str]:
    found = _GROUP.search(template)
    if found is None:
        yield " ".join(template.split())
        return
    for choice in found[1].split("|"):
        yield from _expanded(
            template[: found.start()] + choice + template[found.end() :]
        )


def _question(section: Section) -> str:
    return section.key.partition(" ")[0] if section.kind == "query" else section.kind
