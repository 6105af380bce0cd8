"""Homes that nobody would set up: every domain, hostile names, odd attributes."""

from __future__ import annotations

import random
from typing import Any

from homellm_edge.home import Area, Entity, Floor, Home

HOSTILE = (
    'say "cheese"', "back\\slash", "new\nline", "`code`", "```homeassistant", "{}[]:,",
    "<|im_end|>", "<E1>", "emoji \U0001f4a1\U0001f3e0", "\u05d0\u05d5\u05e8 \u202e",
    "x" * 200, "root ::= [a-z]", '", "service": "lock.unlock', "\u0000nul", "tab\t",
    "%s {0}", "", "\ud800 half", "\u2028", "]}\n```", "a" * 5000, "\x7f\x85", "ÄÖ",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    None, float("nan"), float("inf"), -float("inf"), 0, -0.0, 1, -5, 12.5, 0.1, 100,
    -273.15, 1e-9, 1e12, 10**30, 7, 35, 153, "7", [], True, 0.333, 33.3, 3000,
)  # fmt: skip
LISTS: tuple[Any, ...] = (
    None, [], "text", {"a": "b", "c": 5}, list(HOSTILE), ["eco", "Eco", None, 3, 2.5],
    [f"option {n}" for n in range(300)], ["on", "off", "1"], [["nested"], {}],
    ("low", "high"), ["x" * 150] * 3,
)  # fmt: skip
FLAGS: tuple[Any, ...] = (None, 0, 1, 3, 15, 57, 255, 401, 152463, 2**23 - 1, "3", -1)
RANGES = (
    "min_temp", "max_temp", "target_temp_step", "min_humidity", "max_humidity",
    "min_color_temp_kelvin", "max_color_temp_kelvin", "min", "max", "step", "minimum",
    "maximum", "percentage_step",
)  # fmt: skip
CHOICES = (
    "effect_list", "preset_modes", "fan_modes", "swing_modes", "hvac_modes", "options",
    "swing_horizontal_modes", "source_list", "sound_mode_list", "available_modes",
    "operation_list", "fan_speed_list", "available_tones", "activity_list",
)  # fmt: skip
COLORS = (["onoff"], ["brightness"], ["rgb"], ["color_temp", "hs"], [], "rgb", None)
DOMAINS = (
    "light switch cover lock climate fan media_player humidifier vacuum valve "
    "water_heater lawn_mower siren input_number number select input_select "
    "input_boolean timer todo alarm_control_panel scene script button input_button "
    "remote counter text input_text time input_datetime automation sensor weather"
).split()
STATES = ("on", "off", "unavailable", "unknown", "open", "21.5", '"', "")
LABELS = (None, "garage", "door", "gate", "blind", 5)


def random_attributes(rng: random.Random) -> dict[str, Any]:
    """Some of what any domain may report, seldom what it should."""
    attributes: dict[str, Any] = {}
    for key in RANGES:
        if rng.random() < 0.3:
            attributes[key] = rng.choice(NUMBERS)
    for key in CHOICES:
        if rng.random() < 0.3:
            attributes[key] = rng.choice(LISTS)
    for key, values in (
        ("supported_features", FLAGS),
        ("supported_color_modes", COLORS),
        ("device_class", LABELS),
        ("mode", ("text", "password")),
        ("has_time", (True, False)),
        ("pattern", (None, "[a-z]+")),
        ("brightness", NUMBERS),
    ):
        if rng.random() < 0.5:
            attributes[key] = rng.choice(values)
    return attributes


def random_home(rng: random.Random, largest: int = 200, count: int = 0) -> Home:
    """A home of `count` entities, or of 1 to `largest`, small ones more often."""
    count = count or min(largest, max(1, int(largest ** rng.random())))
    floors = tuple(Floor(i, rng.choice(HOSTILE)) for i in ("f", "g", 'f"\\\n'))
    areas = [Area(f"a{n}", rng.choice(HOSTILE), rng.choice("fgh")) for n in range(4)]
    areas.append(Area(rng.choice(HOSTILE[:4]), "x", 'f"\\\n'))
    areas.append(Area(rng.choice(["f", "", "y" * 300]), "x", "f"))
    models = [random_attributes(rng) for _ in range(5)]
    places = [a.id for a in areas] + [None, "nowhere"]
    entities = []
    for number in range(count):
        name = rng.choice(HOSTILE)
        domain = rng.choice(DOMAINS)
        thing = f"thing_{number}" if rng.random() < 0.95 else "z" * 240 + str(number)
        entities.append(
            Entity(
                f"{domain}.{thing}",
                name,
                rng.choice(STATES),
                # devices of one make report the same
                rng.choice(models) if rng.random() < 0.6 else random_attributes(rng),
                rng.choice(places),
                (name,),
            )
        )
    return Home(floors, tuple({a.id: a for a in areas}.values()), tuple(entities))
