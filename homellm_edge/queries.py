"""Questions about states, computed from the states and put into words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .home import Entity, Home
from .speech import join_names, said_name, said_state

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
_SCOPE_CLASSES: Mapping[str, frozenset[str]] = {
    "door": frozenset({"door", "garage_door", "garage", "gate", "opening"}),
    "window": frozenset({"window", "opening"}),
    "motion": frozenset({"motion", "occupancy", "presence", "moving"}),
    "leak": frozenset({"moisture"}),
    "smoke": frozenset({"smoke", "gas", "carbon_monoxide"}),
    "battery": frozenset({"battery"}),
}
_ANY_CLASS = {"person": ("person", "device_tracker")}
_PLURALS = {
    "light": "lights",
    "fan": "fans",
    "cover": "covers",
    "lock": "locks",
    "media_player": "players",
    "climate": "thermostats",
    "switch": "switches",
    "door": "doors",
    "window": "windows",
    "motion": "motion sensors",
    "leak": "leak sensors",
    "smoke": "smoke detectors",
    "battery": "batteries",
    "vacuum": "vacuums",
    "person": "people",
    "valve": "valves",
    "humidifier": "humidifiers",
}
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
_SPOKEN = {"target_temperature": "target temperature", "co2": "CO2 level"}
_MOST_NAMED = 6
_UNKNOWN = frozenset(["unavailable", "unknown"])
_ONE = {"batteries": "battery", "people": "person", "switches": "switch"}


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


def in_scope(entity: Entity, scope: str) -> bool:
    """Whether an entity is one of `lights`, `doors`, `windows`..."""
    classes = _SCOPE_CLASSES.get(scope)
    if classes:
        return entity.domain in ("binary_sensor", "cover") and (
            entity.device_class in classes
        )
    return entity.domain in _ANY_CLASS.get(scope, (scope,))


def current_state(entity: Entity) -> str:
    """The state in the words of a question: a door sensor is `open`, not `on`."""
    if entity.domain == "binary_sensor":
        pair = _BINARY_STATES.get(entity.device_class or "")
        if pair and entity.state in ("on", "off"):
            return pair[0] if entity.state == "on" else pair[1]
    if entity.domain in _ANY_CLASS["person"] and entity.state == "not_home":
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
    if entity.domain in _ANY_CLASS["person"]:
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


def answer(query: Query, home: Home, now: datetime | None = None) -> str:
    """The reply in one sentence; "" if the home has nothing that could be told."""
    now = now or datetime.now().astimezone()
    if query.kind == "time":
        return f"It is {now:%H:%M}."
    if query.kind == "date":
        return f"Today is {now:%A}, {now:%B} {now.day}, {now.year}."
    found = [e for t in query.targets if (e := home.entity(t)) is not None]
    if not found:
        return ""
    if query.kind == "value" or query.attribute:
        return _value(found, query.attribute)
    if query.kind == "state":
        return _state(found[0], query.state)
    return _over_scope(query, found)


def attribute_value(entity: Entity, attribute: str) -> str:
    """An attribute in words with its unit, "" if the entity does not have it."""
    measured = _CLASS_OF.get(attribute, attribute)
    if entity.domain == "sensor" and entity.device_class == measured:
        return said_state(entity, entity.state)
    for key in _ATTRIBUTE_KEYS.get(attribute, ()):
        value = entity.attributes.get(key)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        if attribute in ("temperature", "target_temperature"):
            return f"{value:g} degrees" if isinstance(value, int | float) else ""
        if attribute == "brightness" and isinstance(value, int | float):
            return f"{round(value * 100 / 255)} percent"
        if attribute == "volume" and isinstance(value, int | float):
            return f"{round(value * 100)} percent"
        if attribute in ("humidity", "position", "speed", "battery"):
            return f"{value} percent"
        return str(value)
    if attribute == "mode" and entity.domain == "climate":
        return entity.state
    return ""


def _value(found: Sequence[Entity], attribute: str) -> str:
    told = [(e, v) for e in found if (v := attribute_value(e, attribute))]
    spoken = _SPOKEN.get(attribute, attribute)
    if not told and found[0].domain in ("sensor", "number", "input_number"):
        return _state(found[0], "")  # what it measures is its state
    if not told:
        return f"{_capital(said_name(found[0]))} does not report its {spoken}."
    # A sensor made for the purpose knows better than a thermostat across the room.
    measured = _CLASS_OF.get(attribute, attribute)
    told.sort(
        key=lambda item: (item[0].state in _UNKNOWN, item[0].device_class != measured)
    )
    entity, value = told[0]
    if entity.domain == "sensor" and entity.state in _UNKNOWN:
        return _state(entity, "")
    name = said_name(entity)
    if attribute in entity.name.casefold():
        return f"{_capital(name)} is {value}."
    return f"The {spoken} of {name} is {value}."


def _state(entity: Entity, wanted: str) -> str:
    name, state = said_name(entity), current_state(entity)
    if entity.state in _UNKNOWN:
        return f"I do not know: {name} is {entity.state}."
    told = said_state(entity, state)
    if entity.domain in _ANY_CLASS["person"] and state not in ("home", "away"):
        told = f"at {told}"
    if not wanted:
        return f"{_capital(name)} is {told}."
    return f"{'Yes' if is_state(entity, wanted) else 'No'}, {name} is {told}."


def _over_scope(query: Query, found: Sequence[Entity]) -> str:
    wanted = query.state or "on"
    plural = _PLURALS.get(query.scope, "devices")
    yes = [e for e in found if is_state(e, wanted)]
    names = join_names([said_name(e) for e in yes[:_MOST_NAMED]])
    if len(yes) > _MOST_NAMED:
        names = f"{len(yes)} {plural}"
    be = "is" if len(yes) == 1 else "are"
    if query.kind == "count":
        one = _ONE.get(plural) or plural.removesuffix("s")
        noun = plural if len(yes) != 1 else one
        return f"{len(yes)} {noun} {be} {wanted}."
    if query.kind == "all":
        if len(yes) == len(found):
            return f"Yes, all {plural} are {wanted}."
        rest = [said_name(e) for e in found if e not in yes]
        verb = "is" if len(rest) == 1 else "are"
        shown = join_names(rest[:_MOST_NAMED])
        return f"No, {shown} {verb} not {wanted}."
    if not yes:
        start = "No, no" if query.kind == "any" else "No"
        return f"{start} {plural} are {wanted}."
    start = "Yes, " if query.kind == "any" else ""
    return _capital(f"{start}{names} {be} {wanted}.")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
