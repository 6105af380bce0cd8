"""What a question over several entities may be about, and which entities it covers."""

from __future__ import annotations

from collections.abc import Mapping

from .home import Entity
from .language import EVERYTHING

_CLASSES: Mapping[str, frozenset[str]] = {
    "door": frozenset({"door", "garage_door", "garage", "gate", "opening"}),
    "window": frozenset({"window", "opening"}),
    "motion": frozenset({"motion", "occupancy", "presence", "moving"}),
    "leak": frozenset({"moisture"}),
    "smoke": frozenset({"smoke", "gas", "carbon_monoxide"}),
    "battery": frozenset({"battery"}),
    "charging": frozenset({"battery_charging"}),
    "cold": frozenset({"cold"}),
    "connectivity": frozenset({"connectivity"}),
    "gas": frozenset({"gas", "carbon_monoxide"}),
    "heat": frozenset({"heat"}),
    "moving": frozenset({"moving"}),
    "plug": frozenset({"plug"}),
    "power": frozenset({"power"}),
    "presence": frozenset({"presence"}),
    "problem": frozenset({"problem"}),
    "safety": frozenset({"safety"}),
    "sound": frozenset({"sound"}),
    "tamper": frozenset({"tamper"}),
    "update": frozenset({"update"}),
    "vibration": frozenset({"vibration"}),
}
"""Scope -> the device classes of binary sensors and covers in it."""

_DOMAINS: Mapping[str, frozenset[str]] = {
    "person": frozenset({"person", "device_tracker"}),
    "device": EVERYTHING,
}


def in_scope(entity: Entity, scope: str) -> bool:
    """Whether an entity is one of `lights`, `doors`, `windows`..."""
    classes = _CLASSES.get(scope)
    if classes:
        return entity.domain in ("binary_sensor", "cover") and (
            entity.device_class in classes
        )
    return entity.domain in _DOMAINS.get(scope, frozenset({scope}))
