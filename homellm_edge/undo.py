"""Takes back what the last turn did: calls that bring devices to their state before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .errors import CallError
from .home import Entity, Home
from .services import ServiceCall, check_call

_Wanted = tuple[str, dict[str, Any]]


def restoring_calls(before: Sequence[Entity], home: Home) -> list[ServiceCall]:
    """Checked calls that give entities their earlier states; what cannot is left out.

    Whether a call may be carried out (unlocking) is for the policy to say, as always.
    """
    calls = []
    for entity in before:
        now = home.entity(entity.entity_id)
        if now is None or (now.state, now.attributes) == (
            entity.state,
            entity.attributes,
        ):
            continue
        for service, data in _WAYS.get(entity.domain, _switched)(entity):
            try:
                calls.append(check_call(home, service, [entity.entity_id], data))
            except CallError:
                continue  # it lacks the service; the rest still counts
    return calls


def _switched(entity: Entity) -> Iterator[_Wanted]:
    if entity.state in ("on", "off"):
        yield f"{entity.domain}.turn_{entity.state}", {}


def _light(entity: Entity) -> Iterator[_Wanted]:
    if entity.state != "on":
        yield from _switched(entity)
        return
    data: dict[str, Any] = {}
    brightness = _number(entity.attributes, "brightness")
    if brightness is not None:
        data["brightness_pct"] = max(1, round(brightness * 100 / 255))
    mode = entity.attributes.get("color_mode")
    if mode == "color_temp":
        kelvin = _number(entity.attributes, "color_temp_kelvin")
        if kelvin is not None:
            data["color_temp_kelvin"] = int(kelvin)
    elif entity.attributes.get("rgb_color"):
        data["rgb_color"] = list(entity.attributes["rgb_color"])
    yield "light.turn_on", data


def _fan(entity: Entity) -> Iterator[_Wanted]:
    speed = _number(entity.attributes, "percentage")
    if entity.state == "on" and speed:
        yield "fan.set_percentage", {"percentage": int(speed)}
    else:
        yield from _switched(entity)


def _openable(entity: Entity) -> Iterator[_Wanted]:
    domain = entity.domain
    position = _number(entity.attributes, "current_position")
    if position is not None and 0 < position < 100:
        yield f"{domain}.set_{domain}_position", {"position": int(position)}
    elif entity.state in ("open", "opening"):
        yield f"{domain}.open_{domain}", {}
    elif entity.state in ("closed", "closing"):
        yield f"{domain}.close_{domain}", {}


def _lock(entity: Entity) -> Iterator[_Wanted]:
    if entity.state in ("locked", "unlocked"):
        yield f"lock.{entity.state.removesuffix('ed')}", {}


def _media_player(entity: Entity) -> Iterator[_Wanted]:
    verbs = {
        "off": "turn_off",
        "standby": "turn_off",
        "playing": "media_play",
        "paused": "media_pause",
        "on": "turn_on",
        "idle": "media_stop",
    }
    if entity.state in verbs:
        yield f"media_player.{verbs[entity.state]}", {}
    volume = _number(entity.attributes, "volume_level")
    if volume is not None:
        yield "media_player.volume_set", {"volume_level": volume}
    muted = entity.attributes.get("is_volume_muted")
    if isinstance(muted, bool):
        yield "media_player.volume_mute", {"is_volume_muted": muted}


def _climate(entity: Entity) -> Iterator[_Wanted]:
    if entity.state == "off":
        yield "climate.turn_off", {}
        return
    yield "climate.set_hvac_mode", {"hvac_mode": entity.state}
    temperature = _number(entity.attributes, "temperature")
    if temperature is not None:
        yield "climate.set_temperature", {"temperature": temperature}


def _vacuum(entity: Entity) -> Iterator[_Wanted]:
    verbs = {"docked": "return_to_base", "cleaning": "start", "paused": "pause"}
    if entity.state in verbs:
        yield f"vacuum.{verbs[entity.state]}", {}


def _number(attributes: Mapping[str, Any], key: str) -> float | None:
    value = attributes.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e9 else None


_WAYS: Mapping[str, Callable[[Entity], Iterator[_Wanted]]] = {
    "climate": _climate,
    "cover": _openable,
    "fan": _fan,
    "light": _light,
    "lock": _lock,
    "media_player": _media_player,
    "vacuum": _vacuum,
    "valve": _openable,
}
