"""What an entity reports about itself: features, choices, bounds, however odd.

The bits of `supported_features` are those of the EntityFeature flags in Home Assistant
2026.11, under their names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from ..home import Entity

LARGEST = 1e9
"""Numbers beyond this are taken as this."""

_MAX_CHOICES = 200
_MAX_CHOICE = 300
_MAX_CHOICES_TEXT = 4096
"""Characters of a choice, and of all choices of an argument, as JSON."""

FEATURES: Mapping[str, Mapping[str, int]] = {
    "alarm_control_panel": {
        "arm_home": 1,
        "arm_away": 2,
        "arm_night": 4,
        "trigger": 8,
        "arm_custom_bypass": 16,
        "arm_vacation": 32,
    },
    "climate": {
        "target_temperature": 1,
        "target_temperature_range": 2,
        "target_humidity": 4,
        "turn_off": 128,
        "turn_on": 256,
    },
    "cover": {
        "open": 1,
        "close": 2,
        "set_position": 4,
        "stop": 8,
        "open_tilt": 16,
        "close_tilt": 32,
        "stop_tilt": 64,
        "set_tilt_position": 128,
    },
    "fan": {"set_speed": 1, "oscillate": 2, "direction": 4},
    "lawn_mower": {"start_mowing": 1, "pause": 2, "dock": 4, "stop": 8},
    "light": {"transition": 32},
    "lock": {"open": 1},
    "media_player": {
        "pause": 1,
        "seek": 2,
        "volume_set": 4,
        "volume_mute": 8,
        "previous_track": 16,
        "next_track": 32,
        "turn_on": 128,
        "turn_off": 256,
        "play_media": 512,
        "volume_step": 1024,
        "select_source": 2048,
        "stop": 4096,
        "clear_playlist": 8192,
        "play": 16384,
        "shuffle_set": 32768,
        "select_sound_mode": 65536,
        "repeat_set": 262144,
        "search_media": 4194304,
    },
    "remote": {"activity": 4},
    "siren": {"turn_on": 1, "turn_off": 2, "volume_set": 8, "duration": 16},
    "todo": {"create_todo_item": 1, "delete_todo_item": 2, "update_todo_item": 4},
    "vacuum": {
        "pause": 4,
        "stop": 8,
        "return_home": 16,
        "locate": 512,
        "clean_spot": 1024,
        "start": 8192,
    },
    "valve": {"open": 1, "close": 2, "set_position": 4, "stop": 8},
    "water_heater": {"target_temperature": 1, "away_mode": 4, "on_off": 8},
}


def _flags(entity: Entity) -> int | None:
    flags = entity.attributes.get("supported_features")
    if isinstance(flags, int) and not isinstance(flags, bool):
        return flags
    return None


def has(entity: Entity, *features: str) -> bool:
    """Whether it supports all these, as far as it says so."""
    flags = _flags(entity)
    bits = FEATURES[entity.domain]
    return flags is None or all(flags & bits[f] for f in features)


def reports(entity: Entity, feature: str) -> bool:
    """Whether it says that it supports this."""
    return bool((_flags(entity) or 0) & FEATURES[entity.domain][feature])


def choices(entity: Entity, attribute: str) -> tuple[str, ...]:
    """The texts in a list, or the names in a mapping, without odd and overlong ones."""
    values = entity.attributes.get(attribute)
    if isinstance(values, Mapping):
        values = list(values.values())
    if not isinstance(values, list | tuple):
        return ()
    found: dict[str, None] = {}
    size = 0.0
    for value in values:
        text = ("on" if value else "off") if isinstance(value, bool) else value
        if isinstance(text, int | float) and abs(text) < LARGEST:
            text = str(text)
        if not isinstance(text, str) or not text or text in found:
            continue
        length = _json_length(text)
        if length > _MAX_CHOICE:
            continue
        size += length
        if len(found) == _MAX_CHOICES or size > _MAX_CHOICES_TEXT:
            break
        found[text] = None
    return tuple(found)


def _json_length(text: str) -> float:
    """Characters as JSON, infinitely many of what is not UTF-8."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return len(text) + 2
    if any(0xD800 <= ord(c) < 0xE000 for c in text):
        return math.inf
    return len(json.dumps(text, ensure_ascii=False))


def bound(entity: Entity, attribute: str, default: float) -> float:
    """A number up to a thousand million either way, the default for all else."""
    value = entity.attributes.get(attribute)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return default
    if isinstance(value, float) and not math.isfinite(value):
        return default
    return float(max(-LARGEST, min(value, LARGEST)))


def step_of(entity: Entity, attribute: str, default: float) -> float:
    """A step that is not too small to be written, the default for all else."""
    value = bound(entity, attribute, default)
    return value if value >= 0.001 else default
