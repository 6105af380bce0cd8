"""Bank templates as plain sentences, for the encoder: slots filled with usual words."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Iterator, Mapping

from ..home import Entity
from .bank import Bank
from .labels import label_of

_INNERMOST = re.compile(r"\(([^()]*)\)")

WORD_OF_DOMAIN: Mapping[str, str] = {
    "light": "light",
    "fan": "fan",
    "cover": "blinds",
    "lock": "door lock",
    "media_player": "speaker",
    "climate": "thermostat",
    "switch": "plug",
    "input_boolean": "switch",
    "humidifier": "humidifier",
    "water_heater": "water heater",
    "vacuum": "vacuum",
    "lawn_mower": "lawn mower",
    "valve": "valve",
    "scene": "movie night",
    "script": "good night",
    "button": "button",
    "input_button": "button",
    "alarm_control_panel": "alarm",
    "timer": "timer",
    "todo": "list",
    "person": "anna",
    "calendar": "calendar",
    "weather": "berlin",
    "binary_sensor": "sensor",
}
"""How a device of a domain is called where its own name would only disturb."""

_WORD_OF_CLASS: Mapping[str, str] = {
    "garage": "garage door",
    "garage_door": "garage door",
    "gate": "gate",
    "door": "door",
    "window": "window",
}
"""Only of binary sensors: all else is called by its domain, here and in the bank, so
that no meaning gets used to a word that another one does not have."""

_ANY = ("light", "door lock", "fan", "speaker", "blinds", "thermostat", "plug")
_NO_ARTICLE = frozenset(["scene", "script", "person"])
_GROUPED = ("light", "fan", "cover", "lock", "media_player", "climate", "switch")
_FILLS: Mapping[str, tuple[str, ...]] = {
    "n": ("50", "30", "21"),
    "c": ("red", "blue", "warm white"),
    "v": ("netflix", "eco", "jazz radio"),
    "p": ("in the kitchen", "here", "in the bedroom", ""),
    "t": ("milk", "pizza", "jazz"),
    "d": ("five minutes", "an hour"),
    "m": ("my timer", "the pizza timer"),
    "l": ("my shopping list", "the list"),
    "s": ("on", "open", "locked"),
    "g": ("lights", "doors", "windows"),
}


def spoken_kind(entity: Entity) -> str:
    """The word for what kind of thing an entity is."""
    known = _WORD_OF_CLASS.get(entity.device_class or "")
    if known and entity.domain == "binary_sensor":
        return known
    if entity.domain == "sensor":
        return (entity.device_class or "sensor").replace("_", " ")
    return WORD_OF_DOMAIN.get(entity.domain, entity.domain.replace("_", " "))


def examples(
    bank: Bank, keep: Callable[[str], bool] = lambda template: True
) -> Iterator[tuple[str, str]]:
    """(sentence, label) of every template that is kept; the same ones every time."""
    for section in bank.sections:
        label = label_of(section)
        if label is None:
            continue
        for template in section.templates:
            if keep(template):
                yield sentence_of(template, label), label


def sentence_of(template: str, label: str) -> str:
    """One plain sentence of a template."""
    rng = random.Random(zlib.crc32(template.encode()))  # noqa: S311 - to be repeatable
    text = template
    while found := _INNERMOST.search(text):
        choice = rng.choice(found.group(1).split("|"))
        text = text[: found.start()] + choice + text[found.end() :]
    domain = label.partition(".")[0] if "." in label else ""
    text = text.replace("{x}", _target(rng, domain))
    for slot, words in _FILLS.items():
        text = text.replace(f"{{{slot}}}", rng.choice(words))
    return " ".join(text.split())


def _target(rng: random.Random, domain: str) -> str:
    word = WORD_OF_DOMAIN.get(domain) or rng.choice(_ANY)
    if domain in _NO_ARTICLE:
        return word
    if domain in _GROUPED and not word.endswith("s") and rng.random() < 0.35:
        return f"the {word}s"
    return f"the {word}"
