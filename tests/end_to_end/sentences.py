"""The sentences that are asked, in this order, and what has to come of each."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """`states`: what each entity acted on is in the end, attributes after a `.`."""

    text: str
    services: frozenset[str] = frozenset()
    states: dict[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()


CASES = (
    Case(
        "turn on the kitchen light",
        frozenset({"light.turn_on"}),
        {"light.kitchen": "on"},
    ),
    Case(
        "dim the kitchen light to 30 %",
        frozenset({"light.turn_on"}),
        {"light.kitchen": "on", "light.kitchen.brightness": range(76, 78)},
    ),
    Case(
        "turn off the kitchen light",
        frozenset({"light.turn_off"}),
        {"light.kitchen": "off"},
    ),
    Case(
        "set the thermostat to 21",
        frozenset({"climate.set_temperature"}),
        {"climate.thermostat": "heat", "climate.thermostat.temperature": 21},
    ),
    Case(
        "open the blinds",
        frozenset({"cover.open_cover"}),
        {
            "cover.living_room_blinds": "open",
            "cover.living_room_blinds.current_position": 100,
        },
    ),
    Case("is the front door locked?", says=("unlocked", "not locked")),
    Case(
        "lock the front door", frozenset({"lock.lock"}), {"lock.front_door": "locked"}
    ),
    Case(
        "is the front door locked?",
        says=("locked",),
        never_says=("unlocked", "not locked"),
    ),
    Case(
        "pause the living room speaker",
        frozenset({"media_player.media_pause"}),
        {"media_player.living_room_speaker": "paused"},
    ),
    Case(
        "turn on the kitchen light",
        frozenset({"light.turn_on"}),
        {"light.kitchen": "on"},
    ),
    Case(
        "turn off the fan and the kitchen light",
        frozenset({"fan.turn_off", "light.turn_off"}),
        {"fan.ceiling": "off", "light.kitchen": "off"},
    ),
    Case("turn on the sauna", never_says=("turned on", "is on", "done")),
)
