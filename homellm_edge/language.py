"""The home language: what our own model can say, as data.

A line of its output is one JSON object: a call with placeholders and relative or
symbolic arguments, a query about states, or a reply that refuses or asks back. Code
expands it (`dialects.grounded`), so the model never writes an entity id or a number.
The grammar builder and the training data both read these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

SlotKind = Literal["number", "signed", "color", "option", "word", "duration", "text"]


@dataclass(frozen=True, slots=True)
class Slot:
    """An argument: `<N1>` or a literal, `+<N1>` or `-20`, `<C1>`, `<V1>`, a word.

    A duration is `<D1>`; a text is `<T1>`, or `<T1><T3>` from one to the other.
    """

    name: str
    kind: SlotKind
    words: tuple[str, ...] = ()


LITERALS = ("1", "10", "20", "25", "50", "75", "100")
"""Numbers the model may write itself: `half`, `a bit`, `maximum`."""

_STEPS = ("1", "2", "10", "20")

BRIGHTNESS = Slot("brightness", "number")
BRIGHTNESS_STEP = Slot("brightness_step", "signed", _STEPS)
COLOR = Slot("color", "color")
KELVIN = Slot("color_temp_kelvin", "number")
EFFECT = Slot("effect", "option")
PERCENTAGE = Slot("percentage", "number")
POSITION = Slot("position", "number")
POSITION_STEP = Slot("position_step", "signed", _STEPS)
VOLUME = Slot("volume", "number")
VOLUME_STEP = Slot("volume_step", "signed", _STEPS)
MUTED = Slot("is_volume_muted", "word", ("true", "false"))
SOURCE = Slot("source", "option")
TEMPERATURE = Slot("temperature", "number")
TEMPERATURE_STEP = Slot("temperature_step", "signed", _STEPS)
HVAC_MODE = Slot(
    "hvac_mode", "word", ("heat", "cool", "auto", "heat_cool", "dry", "fan_only")
)
PRESET = Slot("preset_mode", "option")
FAN_MODE = Slot("fan_mode", "option")
HUMIDITY = Slot("humidity", "number")
COLOR_TEMP = Slot("color_temp", "word", ("warmer", "cooler"))
_TRUTH = ("true", "false")
OSCILLATING = Slot("oscillating", "word", _TRUTH)
SHUFFLE = Slot("shuffle", "word", _TRUTH)
REPEAT = Slot("repeat", "word", ("off", "all", "one"))
MODE = Slot("mode", "option")
OPERATION_MODE = Slot("operation_mode", "option")
DURATION = Slot("duration", "duration")
ITEM = Slot("item", "text")
SEARCH_QUERY = Slot("search_query", "text")

Form = tuple[Slot, ...]

_ON: Mapping[str, tuple[Form, ...]] = dict.fromkeys(
    ("turn_on", "turn_off", "toggle"), ((),)
)

ACTIONS: Mapping[str, Mapping[str, tuple[Form, ...]]] = {
    "light": {
        **_ON,
        "turn_on": (
            (),
            (BRIGHTNESS,),
            (BRIGHTNESS_STEP,),
            (COLOR,),
            (COLOR, BRIGHTNESS),
            (KELVIN,),
            (EFFECT,),
            (COLOR_TEMP,),
        ),
    },
    "fan": {
        **_ON,
        "set_percentage": ((PERCENTAGE,),),
        "increase_speed": ((),),
        "decrease_speed": ((),),
        "set_preset_mode": ((PRESET,),),
        "oscillate": ((OSCILLATING,),),
    },
    "cover": {
        "open_cover": ((),),
        "close_cover": ((),),
        "stop_cover": ((),),
        "set_cover_position": ((POSITION,), (POSITION_STEP,)),
    },
    "lock": {"lock": ((),), "unlock": ((),)},
    "media_player": {
        "turn_on": ((),),
        "turn_off": ((),),
        "media_play": ((),),
        "media_pause": ((),),
        "media_stop": ((),),
        "media_next_track": ((),),
        "media_previous_track": ((),),
        "volume_up": ((),),
        "volume_down": ((),),
        "volume_set": ((VOLUME,), (VOLUME_STEP,)),
        "volume_mute": ((MUTED,),),
        "select_source": ((SOURCE,),),
        "play_media": ((SEARCH_QUERY,),),
        "shuffle_set": ((SHUFFLE,),),
        "repeat_set": ((REPEAT,),),
    },
    "climate": {
        "turn_on": ((),),
        "turn_off": ((),),
        "set_temperature": ((TEMPERATURE,), (TEMPERATURE_STEP,)),
        "set_hvac_mode": ((HVAC_MODE,),),
        "set_preset_mode": ((PRESET,),),
        "set_fan_mode": ((FAN_MODE,),),
    },
    "switch": _ON,
    "input_boolean": _ON,
    "humidifier": {
        "turn_on": ((),),
        "turn_off": ((),),
        "set_humidity": ((HUMIDITY,),),
        "set_mode": ((MODE,),),
    },
    "water_heater": {
        "turn_on": ((),),
        "turn_off": ((),),
        "set_temperature": ((TEMPERATURE,),),
        "set_operation_mode": ((OPERATION_MODE,),),
    },
    "vacuum": {
        "start": ((),),
        "pause": ((),),
        "stop": ((),),
        "return_to_base": ((),),
        "locate": ((),),
        "clean_spot": ((),),
    },
    "lawn_mower": {
        "start_mowing": ((),),
        "pause": ((),),
        "stop": ((),),
        "dock": ((),),
    },
    "valve": {
        "open_valve": ((),),
        "close_valve": ((),),
        "stop_valve": ((),),
        "set_valve_position": ((POSITION,),),
    },
    "alarm_control_panel": {
        "alarm_arm_home": ((),),
        "alarm_arm_away": ((),),
        "alarm_arm_night": ((),),
        "alarm_disarm": ((),),
    },
    "timer": {"start": ((), (DURATION,)), "pause": ((),), "cancel": ((),)},
    "todo": {
        "add_item": ((ITEM,),),
        "update_item": ((ITEM,),),
        "remove_item": ((ITEM,),),
        "remove_completed_items": ((),),
    },
    "scene": {"turn_on": ((),)},
    "script": {"turn_on": ((),)},
    "button": {"press": ((),)},
    "input_button": {"press": ((),)},
    "homeassistant": {"turn_on": ((),), "turn_off": ((),)},
}
"""domain -> service -> the argument forms it takes."""

TIMER_ACTIONS: Mapping[str, tuple[Form, ...]] = {
    "start": ((DURATION,),),
    "increase": ((DURATION,),),
    "decrease": ((DURATION,),),
    "cancel": ((),),
    "pause": ((),),
    "unpause": ((),),
    "cancel_all": ((),),
}
"""What is done to the timers of the assistant itself, which are no devices."""

TIMERS = ("new", "the", "all", "later")
"""Targets of them beside a name `<T1>`, a length `<D1>` and a place.

`the` is the only one or the last one. What is started with `later` is the rest of the
sentence: a command that waits.
"""

LIST_ACTIONS: Mapping[str, tuple[Form, ...]] = {
    "add_item": ((ITEM,),),
    "update_item": ((ITEM,),),
    "remove_item": ((ITEM,),),
    "remove_completed_items": ((),),
}
LISTS = ("shopping", "any")
"""To-do lists that are not called by their names."""

GROUP_DOMAINS = frozenset(
    (
        "light fan cover lock media_player climate switch vacuum humidifier "
        "lawn_mower homeassistant"
    ).split()
)
"""Domains that an area or the whole home may be the target of."""

EVERYTHING = frozenset(["light", "fan", "media_player", "switch"])
"""What `homeassistant.turn_on/off` on an area means: nothing that locks or opens."""

ALL = "all"
"""The place name for the whole home."""

STATES = tuple(
    (
        "on off open closed locked unlocked playing paused idle heat cool detected "
        "clear wet dry low cleaning docked charging home away connected disconnected "
        "armed disarmed"
    ).split()
)
ATTRIBUTES = tuple(
    (
        "brightness temperature humidity volume position speed battery mode media "
        "color power energy illuminance pressure voltage current co2 pm25 source "
        "target_temperature level"
    ).split()
)
SCOPES = tuple(
    (
        "light fan cover lock media_player climate switch door window motion vacuum "
        "leak smoke battery person valve humidifier device charging cold connectivity "
        "gas heat moving plug power presence problem safety sound tamper update "
        "vibration"
    ).split()
)
"""What a query over several entities may be about: `scopes` tells which they are."""

QUERIES_OVER_SCOPE = ("list", "count", "any", "all")
PLAIN_QUERIES = ("time", "date", "sunrise", "sunset")
DATED_QUERIES = ("weather", "rain", "events")
WHEN = ("now", "next", "today", "tomorrow", "week")
# No two macros may be equally long and overlap: llama.cpp looks for the longest first.
ITEM_QUERIES = ("items", "count_items", "has_item")
REPLIES = tuple("not_found unclear unable chat hello thanks stay help undo".split())
"""Replies without a call; their wording is in `speech`."""

OPEN, CLOSE = "```homeassistant\n", "```"


def macros() -> tuple[str, ...]:
    """Texts that our tokenizer keeps as one token each, placeholders first."""
    tables = [*ACTIONS.items(), ("timer", TIMER_ACTIONS), ("todo", LIST_ACTIONS)]
    services = dict.fromkeys(f"{d}.{s}" for d, table in tables for s in table)
    slots = {
        slot.name
        for _, table in tables
        for forms in table.values()
        for form in forms
        for slot in form
    }
    return (
        *(f"<E{n}>" for n in range(1, 9)),
        *(f"<A{n}>" for n in range(1, 5)),
        *(f"<N{n}>" for n in range(1, 5)),
        *(f"<C{n}>" for n in range(1, 3)),
        *(f"<V{n}>" for n in range(1, 3)),
        *(f"<D{n}>" for n in range(1, 3)),
        *(f"<T{n}>" for n in range(1, 7)),
        "<here>",
        OPEN,
        '{"service": "',
        *(f'{s}", "target_' for s in services),
        'device": "',
        'area": "',
        'timer": "',
        'list": "',
        '", "except": "',
        *(f'", "{name}": "' for name in sorted(slots)),
        '"}\n',
        '{"query": "',
        'state", "target_',
        'value", "attribute": "',
        *(f'{q}", "domain": "' for q in QUERIES_OVER_SCOPE),
        *(f'{q}", "when": "' for q in DATED_QUERIES),
        *(f'{q}", "target_' for q in (*ITEM_QUERIES, "timer")),
        '", "target_device": "',
        '", "target_area": "',
        '", "is": "',
        '", "attribute": "',
        '{"reply": "',
        *(f'{r}"}}\n' for r in REPLIES),
        *(f'{q}"}}\n' for q in PLAIN_QUERIES),
    )
