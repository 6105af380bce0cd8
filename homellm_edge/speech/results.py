"""Sentences about calls: what was done, what failed, what is asked back.

Every sentence about an action is made from its result, so "done" is never said of
something that failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..home import Entity, Home
from ..services import ServiceCall
from .template import Template
from .texts import Subject, Texts, texts_for

if TYPE_CHECKING:
    from ..execute import CallResult

_MOST_NAMED = 4
_NUMBER = re.compile(r"-?[0-9]{1,9}([.,][0-9]+)?")
_OPTIONS = frozenset(
    "hvac_mode preset_mode fan_mode swing_mode swing_horizontal_mode mode "
    "operation_mode fan_speed repeat".split()
)
"""Arguments whose values are words of Home Assistant's."""


def tell_results(
    home: Home, results: Sequence[CallResult], language: str = "en"
) -> str:
    """One or two sentences about what was done and what failed."""
    texts = texts_for(language)
    done: dict[tuple[Template, float], list[str]] = {}
    for result in results:
        if result.ok:
            key, values = _phrase(texts, result.call)
            said = texts.templates[key].filled(values)
            names = done.setdefault((said, _count(values)), [])
            names += [t for t in result.call.targets if t not in names]
    parts = []
    for (said, count), targets in done.items():
        subject = _subject(texts, home, targets)
        values = {"names": subject.text}
        parts.append(texts.fill(said, values, form=subject.form, count=count))
    told = _sentence(texts, parts)
    for failed in (r for r in results if not r.ok):
        told += f" {_failure(texts, home, failed)}"
    return told.strip()


def ask_back(home: Home, calls: Sequence[ServiceCall], language: str = "en") -> str:
    """Whether the first of these calls is really meant."""
    texts, call = texts_for(language), calls[0]
    verb = call.service.partition(".")[2]
    keys = (f"asked.{call.service}", f"asked.{verb}", "asked.other")
    key = next(k for k in keys if texts.has(k))
    found = [e for t in call.targets if (e := home.entity(t)) is not None]
    subject = texts.subject(found)
    return texts.say(key, {"names": subject.text}, form=subject.form)


def tell_refusal(error: str, language: str = "en") -> str:
    """Why a command was not possible; the cause only if it is known in the language."""
    texts = texts_for(language)
    why = error if texts.language == "en" else texts.error(error)
    key = "said.not_possible_because" if why else "said.not_possible"
    return texts.say(key, {"error": why})


def _failure(texts: Texts, home: Home, failed: CallResult) -> str:
    error = failed.error.rstrip(".")
    if texts.language != "en":
        # What is not known comes from Home Assistant, maybe in this language.
        error = texts.error(error) or error
    names = _subject(texts, home, failed.call.targets).text
    key = "said.failed_for" if names else "said.failed"
    return texts.say(key, {"names": names, "error": error})


def _phrase(texts: Texts, call: ServiceCall) -> tuple[str, Mapping[str, str]]:
    """The key of the sentence and what is shown in it beside the names."""
    if not call.targets:
        return _phrase_alone(texts, call)
    data = dict(call.data)
    if "volume_level" in data:
        data["volume"] = round(float(data["volume_level"]) * 100)
    key = f"done.{_key(texts, call)}"
    slots = texts.slots(key) - {"names"}
    if not slots <= data.keys():
        return "done.other", {}
    return key, {slot: _shown(texts, slot, data[slot]) for slot in sorted(slots)}


def _key(texts: Texts, call: ServiceCall) -> str:
    verb, data = call.service.partition(".")[2], call.data
    if texts.has(f"done.{call.service}"):
        return call.service
    if "target_temp_low" in data:
        return "set_temperature:range"
    if verb == "turn_on" and "brightness_pct" in data:
        return "turn_on:brightness"
    if verb == "turn_on" and ("rgb_color" in data or "color_temp_kelvin" in data):
        return "turn_on:color"
    if verb == "volume_mute":
        return f"volume_mute:{_on(data.get('is_volume_muted'))}"
    if verb == "set_away_mode":
        return f"set_away_mode:{_on(data.get('away_mode'))}"
    return verb if texts.has(f"done.{verb}") else "other"


def _on(value: object) -> str:
    return "on" if value else "off"


def _shown(texts: Texts, slot: str, value: Any) -> str:
    if slot in _OPTIONS:
        return texts.word("options", str(value))
    return texts.number(value).replace("_", " ")


def _phrase_alone(texts: Texts, call: ServiceCall) -> tuple[str, Mapping[str, str]]:
    """Of what the assistant does without a device."""
    data = dict(call.data)
    key = f"alone.{call.service}"
    if "command" in data and texts.has(f"{key}:command"):
        key = f"{key}:command"
    elif data.get("name") and texts.has(f"{key}:named"):
        key = f"{key}:named"
    if not texts.has(key):
        return "alone.other", {}
    data["duration"] = texts.duration(int(data.get("duration_s", 0)))
    return key, {slot: str(data.get(slot, "")) for slot in sorted(texts.slots(key))}


def _count(shown: Mapping[str, str]) -> float:
    """The number that the noun after it goes with: the last one shown."""
    for value in reversed([*shown.values()]):
        if _NUMBER.fullmatch(value):
            return float(value.replace(",", "."))
    return 1


def _subject(texts: Texts, home: Home, targets: Sequence[str]) -> Subject:
    found = [e for t in targets if (e := home.entity(t)) is not None]
    return named_or_counted(texts, found, _noun_of(texts, found), _MOST_NAMED)


def named_or_counted(
    texts: Texts, entities: Sequence[Entity], noun: str, most: int
) -> Subject:
    """The names of these, or how many they are if they are more than `most`."""
    if len(entities) <= most:
        return texts.subject(entities)
    count = len(entities)
    return Subject(
        texts.counted(noun, count), texts.noun_form(noun, texts.plural(count))
    )


def _noun_of(texts: Texts, entities: Sequence[Entity]) -> str:
    domains = {e.domain for e in entities}
    noun = f"domains.{domains.pop()}" if len(domains) == 1 else ""
    return noun if noun in texts.nouns else "domains.other"


def _sentence(texts: Texts, parts: Sequence[str]) -> str:
    if not parts:
        return ""
    if texts.joined_clauses:
        lowered = [parts[0], *(p[:1].lower() + p[1:] for p in parts[1:])]
        return f"{capital(texts.joined(lowered))}."
    return " ".join(f"{capital(part)}." for part in parts)


def capital(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]
