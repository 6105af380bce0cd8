"""Questions about states, computed from the states and put into words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .home import Entity, Home
from .speech import Texts, capital, named_or_counted, said_state, texts_for

_DETECTED = ("detected", "clear")
_BINARY_STATES: Mapping[str, tuple[str, str]] = {
    "battery": ("low", "normal"),
    "battery_charging": ("charging", "not charging"),
    "carbon_monoxide": _DETECTED,
    "cold": ("cold", "normal"),
    "connectivity": ("connected", "disconnected"),
    "door": ("open", "closed"),
    "garage_door": ("open", "closed"),
    "gas": _DETECTED,
    "heat": ("hot", "normal"),
    "light": _DETECTED,
    "lock": ("unlocked", "locked"),
    "moisture": ("wet", "dry"),
    "motion": _DETECTED,
    "moving": ("moving", "not moving"),
    "occupancy": _DETECTED,
    "opening": ("open", "closed"),
    "plug": ("plugged in", "unplugged"),
    "presence": ("home", "away"),
    "problem": ("reporting a problem", "ok"),
    "running": ("running", "not running"),
    "safety": ("unsafe", "safe"),
    "smoke": _DETECTED,
    "sound": _DETECTED,
    "tamper": _DETECTED,
    "vibration": _DETECTED,
    "window": ("open", "closed"),
}
"""Device class -> what `on` and `off` of a binary sensor mean, in HA's words."""

_POSITIVE = frozenset(
    "on open unlocked detected wet low playing home connected charging".split()
)
_NEGATIVE = frozenset("off closed locked clear dry away disconnected".split())
_PEOPLE = frozenset({"person", "device_tracker"})
_ATTRIBUTE_KEYS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("current_temperature", "temperature"),
    "target_temperature": ("temperature", "target_temp_low"),
    "humidity": ("current_humidity", "humidity"),
    "source": ("source",),
    "current": ("current",),
    "voltage": ("voltage",),
    "volume": ("volume_level",),
    "position": ("current_position", "current_valve_position"),
    "speed": ("percentage",),
    "brightness": ("brightness",),
    "battery": ("battery_level", "battery"),
    "mode": ("preset_mode", "hvac_mode"),
    "media": ("media_title",),
    "color": ("rgb_color",),
}
_CLASS_OF = {"co2": "carbon_dioxide"}
_MOST_NAMED = 6
_SCOPE_STATES: Mapping[str, tuple[str, str]] = {
    "charging": _BINARY_STATES["battery_charging"],
    **{c: _BINARY_STATES[c] for c in ("cold", "heat", "moving", "problem", "safety")},
    "update": ("outdated", "up to date"),
}
"""Scope -> what its members are said to be: `on` and `detected` tell nothing there."""

_UNKNOWN = frozenset(["unavailable", "unknown"])


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its targets resolved to entity ids of the home."""

    kind: str
    targets: tuple[str, ...] = ()
    scope: str = ""
    state: str = ""
    attribute: str = ""
    place: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What else it needs: `when`, `item`, which timer."""

    def to_dict(self) -> dict[str, Any]:
        """The form of the command line's JSON."""
        fields = {
            "query": self.kind,
            "target_device": list(self.targets),
            "domain": self.scope,
            "is": self.state,
            "attribute": self.attribute,
            "target_area": self.place,
            **self.data,
        }
        return {key: value for key, value in fields.items() if value}


def current_state(entity: Entity) -> str:
    """The state in the words of a question: a door sensor is `open`, not `on`."""
    if entity.domain == "binary_sensor":
        pair = _BINARY_STATES.get(entity.device_class or "")
        if pair and entity.state in ("on", "off"):
            return pair[0] if entity.state == "on" else pair[1]
    if entity.domain in _PEOPLE and entity.state == "not_home":
        return "away"
    return entity.state


def is_state(entity: Entity, wanted: str) -> bool:
    """Whether the entity is in the state that a question asks about."""
    state = current_state(entity)
    if state == wanted:
        return True
    if entity.state in _UNKNOWN:
        return False  # a door that does not answer is neither open nor closed
    if entity.domain == "binary_sensor":
        # `is it triggered`, `is it open`: whatever the class calls its active state
        active = entity.state == "on"
        return active if wanted in _POSITIVE else wanted in _NEGATIVE and not active
    if entity.domain in _PEOPLE:
        return wanted == "away" and state != "home"
    if wanted == "armed":
        return state.startswith("armed")
    if entity.domain in ("media_player", "climate", "vacuum"):
        if wanted == "on":
            return state not in ("off", "unavailable", "unknown", "standby", "docked")
        if wanted == "off":
            return state in ("off", "standby")
    if entity.domain in ("cover", "valve"):
        pairs = {"on": "open", "off": "closed"}
        return pairs.get(wanted) == state
    if wanted in ("heat", "cool"):
        action = str(entity.attributes.get("hvac_action", ""))
        return action.startswith(wanted)
    return False


def answer(
    query: Query, home: Home, now: datetime | None = None, language: str = "en"
) -> str:
    """The reply in one sentence; "" if the home has nothing that could be told."""
    texts = texts_for(language)
    now = now or datetime.now().astimezone()
    if query.kind == "time":
        return texts.say("said.time", {"clock": texts.clock(now)}, count=now.hour)
    if query.kind == "date":
        return texts.date("said.date", now)
    found = [e for t in query.targets if (e := home.entity(t)) is not None]
    if not found:
        return ""
    if query.kind == "value" or query.attribute:
        told = _value(texts, found, query.attribute)
    elif query.kind == "state":
        told = _state(texts, found[0], query.state)
    else:
        told = _over_scope(texts, query, found)
    return capital(told)


def attribute_value(entity: Entity, attribute: str, language: str = "en") -> str:
    """An attribute in words with its unit, "" if the entity does not have it."""
    measured = _CLASS_OF.get(attribute, attribute)
    if entity.domain == "sensor" and entity.device_class == measured:
        return said_state(entity, entity.state, language)
    texts = texts_for(language)
    for key in _ATTRIBUTE_KEYS.get(attribute, ()):
        value = entity.attributes.get(key)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        if attribute in ("temperature", "target_temperature"):
            return texts.degrees(value) if isinstance(value, int | float) else ""
        if attribute == "brightness" and isinstance(value, int | float):
            return texts.percent(round(value * 100 / 255))
        if attribute == "volume" and isinstance(value, int | float):
            return texts.percent(round(value * 100))
        if attribute in ("humidity", "position", "speed", "battery"):
            return texts.percent(str(value))
        return texts.option(str(value)) if attribute == "mode" else str(value)
    if attribute == "mode" and entity.domain == "climate":
        return texts.option(entity.state)
    return ""


def _value(texts: Texts, found: Sequence[Entity], attribute: str) -> str:
    told = [
        (e, v) for e in found if (v := attribute_value(e, attribute, texts.language))
    ]
    spoken = texts.attribute(attribute)
    if not told and found[0].domain in ("sensor", "number", "input_number"):
        return _state(texts, found[0], "")  # what it measures is its state
    if not told:
        values = {"name": texts.name(found[0]), "attribute": spoken}
        return texts.say("said.no_value", values, form=texts.form_of(found[0]))
    # A sensor made for the purpose knows better than a thermostat across the room.
    measured = _CLASS_OF.get(attribute, attribute)
    told.sort(
        key=lambda item: (item[0].state in _UNKNOWN, item[0].device_class != measured)
    )
    entity, value = told[0]
    if entity.domain == "sensor" and entity.state in _UNKNOWN:
        return _state(texts, entity, "")
    values = {"name": texts.name(entity), "attribute": spoken, "value": value}
    if texts.noun_of(attribute) in entity.name.casefold():
        return texts.say("said.value_of_named", values, form=texts.form_of(entity))
    return texts.say("said.value", values, form=texts.form_of(entity))


def _state(texts: Texts, entity: Entity, wanted: str) -> str:
    name, state, form = texts.name(entity), current_state(entity), texts.form_of(entity)
    if entity.state in _UNKNOWN:
        values = {"name": name, "state": texts.state(entity.state, form)}
        return texts.say("said.state_unknown", values, form=form)
    told = said_state(entity, state, texts.language)
    if entity.domain in _PEOPLE and state not in ("home", "away"):
        told = texts.say("said.at_place", {"place": told})
    kind = "measured" if told[:1].isdigit() or told[:1] == "-" else "state"
    if not wanted:
        key = "state_measured" if kind == "measured" else "state"
    else:
        key = f"{'yes' if is_state(entity, wanted) else 'no'}_{kind}"
    return texts.say(f"said.{key}", {"name": name, "state": told}, form=form)


def _over_scope(texts: Texts, query: Query, found: Sequence[Entity]) -> str:
    wanted = query.state or "on"
    known = f"scopes.{query.scope}"
    noun = known if known in texts.nouns else "scopes.other"
    yes = [e for e in found if is_state(e, wanted)]
    spoken = _spoken_state(query.scope, wanted)

    def told(key: str, names: str, form: int, category: int) -> str:
        values = {
            "number": str(len(yes)),
            "names": names,
            "noun": texts.noun_in(noun, category),
            "state": texts.word("states", spoken, form),
        }
        return texts.say(f"said.{key}", values, form=form)

    if query.kind == "count":
        category = texts.plural(len(yes))
        return told("count", "", texts.noun_form(noun, category), category)
    if query.kind == "all":
        if len(yes) == len(found):
            return told("all", "", texts.noun_form(noun, 1), 1)
        rest = texts.subject([e for e in found if e not in yes])
        shown = [e for e in found if e not in yes][:_MOST_NAMED]
        return told("not_all", texts.subject(shown).text, rest.form, 1)
    if not yes:
        key = "any_none" if query.kind == "any" else "list_none"
        category = texts.none_counted
        return told(key, "", texts.noun_form(noun, category), category)
    subject = named_or_counted(texts, yes, noun, _MOST_NAMED)
    key = "any" if query.kind == "any" else "list"
    return told(key, subject.text, subject.form, 1)


def _spoken_state(scope: str, wanted: str) -> str:
    pair = _SCOPE_STATES.get(scope)
    if pair is None or wanted not in _POSITIVE | _NEGATIVE:
        return wanted
    return pair[0] if wanted in _POSITIVE else pair[1]
