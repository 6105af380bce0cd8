"""Random homes as Home Assistant reports them: registries, states, attributes."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

from homellm_edge.home import Area, Entity, Floor, Home

from .names import made_up
from .wording import ENGLISH, HomeWords

_WEIGHTS = {
    "light": 30,
    "fan": 8,
    "cover": 12,
    "lock": 7,
    "media_player": 11,
    "climate": 8,
    "switch": 12,
    "vacuum": 2,
    "valve": 1,
    "humidifier": 1,
    "scene": 3,
    "script": 2,
    "button": 1,
    "sensor": 6,
    "binary_sensor": 7,
    "water_heater": 0.6,
    "lawn_mower": 0.6,
    "alarm_control_panel": 0.6,
    "timer": 0.5,
    "todo": 2.5,
    "weather": 0.8,
    "calendar": 1,
    "person": 2,
}
_COVER_CLASSES = {
    "blinds": "blind",
    "blind": "blind",
    "venetian": "blind",
    "roller blind": "blind",
    "curtain": "curtain",
    "curtains": "curtain",
    "drapes": "curtain",
    "shutter": "shutter",
    "shutters": "shutter",
    "shade": "shade",
    "shades": "shade",
    "awning": "awning",
    "skylight": "window",
    "window": "window",
    "garage door": "garage",
    "gate": "gate",
}
_UNITS = {
    "temperature": "\u00b0C",
    "power": "W",
    "energy": "kWh",
    "illuminance": "lx",
    "pressure": "hPa",
    "voltage": "V",
    "carbon_dioxide": "ppm",
    "speed": "km/h",
}
_COMPANIONS = (
    ("binary_sensor", ""),
    ("binary_sensor", "tamper"),
    ("binary_sensor", "battery"),
    ("sensor", "battery"),
    ("sensor", "power"),
    ("sensor", "energy"),
    ("sensor", "temperature"),
)
"""Sensors that real devices bring along, under the device's own name."""

SOURCES = (
    "Radio One",
    "Line In",
    "HDMI 1",
    "HDMI 2",
    "Bluetooth",
    "Netflix",
    "YouTube",
    "Jazz FM",
    "Vinyl",
    "AirPlay",
    "Spotify",
    "Chromecast",
    "Game Console",
    "TV",
)
PRESETS = (
    "eco",
    "sleep",
    "comfort",
    "boost",
    "away",
    "home",
    "night",
    "turbo",
    "quiet",
)
FAN_MODES = ("low", "medium", "high", "auto", "on", "diffuse")
EFFECTS = ("rainbow", "colorloop", "fireplace", "candle", "party", "sunrise", "strobe")


def random_home(
    rng: random.Random, split: str, called: HomeWords = ENGLISH.homes
) -> Home:
    """A home of 1 to 60 entities; most have 8 to 30."""
    count = rng.choice((rng.randint(1, 6), rng.randint(6, 30), rng.randint(10, 60)))
    floors = _floors(rng, called)
    areas = _areas(rng, split, floors, max(2, min(14, count // 2 + 1)), called)
    entities: list[Entity] = []
    names: set[str] = set()
    ids: set[str] = set()
    domains, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    for _ in range(count * 4):
        if len(entities) >= count:
            break
        domain = rng.choices(domains, weights)[0]
        noun, kind = called.noun(rng, domain, split)
        area = rng.choice(areas) if rng.random() < 0.9 else None
        name = called.device(rng, split, domain, noun, area)
        if name in names:
            continue
        slug = _slug(rng, name, noun)
        if f"{domain}.{slug}" in ids:
            continue
        names.add(name)
        ids.add(f"{domain}.{slug}")
        entities.append(
            Entity(
                entity_id=f"{domain}.{slug}",
                name=called.title(rng, name),
                area=area.id if area else None,
                aliases=(made_up(rng),) if rng.random() < 0.03 else (),
                **_state(rng, domain, kind),
            )
        )
        if rng.random() < 0.15:
            companion = _companion(rng, entities[-1], called)
            if companion.entity_id not in ids:
                ids.add(companion.entity_id)
                entities.append(companion)
    return Home(tuple(floors), tuple(areas), tuple(entities))


def _companion(rng: random.Random, device: Entity, called: HomeWords) -> Entity:
    domain, word = rng.choice(_COMPANIONS)
    noun = word or rng.choice(("door", "problem", "motion"))
    return Entity(
        entity_id=f"{domain}.{device.entity_id.partition('.')[2]}_{noun}",
        name=f"{device.name} {called.sensor(word) if word else word}".strip(),
        area=device.area,
        **_state(rng, domain, noun),
    )


def _floors(rng: random.Random, called: HomeWords) -> list[Floor]:
    if rng.random() < 0.5:
        return []
    chosen = called.floors(rng, rng.randint(1, 3))
    return [Floor(n.replace(" ", "_"), n.title(), (), level) for n, level in chosen]


def _areas(
    rng: random.Random,
    split: str,
    floors: list[Floor],
    count: int,
    called: HomeWords,
) -> list[Area]:
    names = dict.fromkeys(called.area(rng, split) for _ in range(count))
    return [
        Area(
            name.replace(" ", "_").replace("'", ""),
            called.area_title(name),
            rng.choice(floors).id if floors and rng.random() < 0.9 else None,
        )
        for name in names
    ]


def _slug(rng: random.Random, name: str, noun: str) -> str:
    if rng.random() < 0.15:
        name = f"{rng.choice((noun, made_up(rng), 'device'))}_{rng.randint(1, 99)}"
    return "".join(c if c.isalnum() else "_" for c in _ascii(name)).strip("_")


def _ascii(name: str) -> str:
    """In lower case without accents, as Home Assistant makes ids."""
    name = name.lower()
    if name.isascii():
        return name
    apart = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    return "".join(c for c in apart if c.isascii())


_LETTERS = str.maketrans({"ß": "ss", "ł": "l", "œ": "oe"})


def _state(rng: random.Random, domain: str, noun: str) -> dict[str, Any]:
    build = _STATES.get(domain)
    state, attributes = build(rng, noun) if build else ("unknown", {})
    return {"state": state, "attributes": attributes}


def _light(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    modes = rng.choice(
        (["onoff"], ["brightness"], ["color_temp"], ["hs", "color_temp"], ["rgb"])
    )
    attributes: dict[str, Any] = {"supported_color_modes": modes}
    if rng.random() < 0.15 and modes != ["onoff"]:
        attributes["effect_list"] = rng.sample(EFFECTS, 3)
    if rng.random() < 0.5:
        return "off", attributes
    if modes != ["onoff"]:
        attributes["brightness"] = rng.randint(3, 255)
    return "on", attributes


def _fan(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    attributes: dict[str, Any] = {"percentage": rng.choice((0, 33, 50, 66, 100))}
    if rng.random() < 0.4:
        attributes["supported_features"] = 3
        attributes["oscillating"] = False
    if rng.random() < 0.4:
        attributes["preset_modes"] = rng.sample(PRESETS, 3)
    return rng.choice(("on", "off")), attributes


def _cover(rng: random.Random, noun: str) -> tuple[str, dict[str, Any]]:
    position = rng.choice((0, 0, 100, 100, rng.randint(1, 99)))
    attributes: dict[str, Any] = {"current_position": position}
    device_class = _COVER_CLASSES.get(noun)
    if device_class and rng.random() < 0.8:
        attributes["device_class"] = device_class
    return ("open" if position else "closed"), attributes


def _media_player(rng: random.Random, noun: str) -> tuple[str, dict[str, Any]]:
    attributes: dict[str, Any] = {"volume_level": rng.randint(0, 20) / 20}
    if rng.random() < 0.3:
        attributes["supported_features"] = (1 << 23) - 1  # everything
    if noun in ("tv", "television") and rng.random() < 0.5:
        attributes["device_class"] = "tv"
    if rng.random() < 0.5:
        attributes["source_list"] = rng.sample(SOURCES, rng.randint(2, 4))
    return rng.choice(("off", "on", "playing", "paused", "idle")), attributes


def _climate(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    attributes: dict[str, Any] = {
        "min_temp": 7,
        "max_temp": 35,
        "temperature": rng.randint(16, 26),
        "current_temperature": rng.randint(150, 280) / 10,
        "hvac_modes": ["off", "heat", "cool", "auto", "heat_cool", "dry", "fan_only"],
    }
    if rng.random() < 0.3:
        attributes["preset_modes"] = rng.sample(PRESETS, 3)
    if rng.random() < 0.2:
        attributes["fan_modes"] = rng.sample(FAN_MODES, 3)
    return rng.choice(("heat", "cool", "off", "auto")), attributes


def _sensor(rng: random.Random, noun: str) -> tuple[str, dict[str, Any]]:
    device_class = "_".join(w for w in noun.split() if w != "sensor")
    attributes: dict[str, Any] = {"unit_of_measurement": _UNITS.get(device_class, "%")}
    if device_class != "carbon_dioxide" or rng.random() < 0.7:
        attributes["device_class"] = device_class
    return str(rng.randint(1, 99)), attributes


def _binary_sensor(rng: random.Random, noun: str) -> tuple[str, dict[str, Any]]:
    word = [w for w in noun.split() if w not in ("sensor", "detector")][-1]
    device_class = {"leak": "moisture", "contact": "opening"}.get(word, word)
    return rng.choice(("on", "off")), {"device_class": device_class}


def _humidifier(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    modes = rng.sample(PRESETS, 3)
    attributes = {"humidity": rng.randint(30, 60), "available_modes": modes}
    return rng.choice(("on", "off")), attributes


def _water_heater(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    modes = rng.sample(PRESETS, 3)
    attributes = {"temperature": rng.randint(40, 60), "operation_list": modes}
    return rng.choice(modes), {**attributes, "supported_features": 11}


def _lawn_mower(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    return rng.choice(("docked", "mowing", "paused")), {}


def _alarm(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    states = ("disarmed", "armed_home", "armed_away", "armed_night")
    return rng.choice(states), {"supported_features": 7}


def _todo(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    return str(rng.randint(0, 9)), {"supported_features": 7}


def _weather(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    states = ("sunny", "cloudy", "rainy", "partlycloudy", "clear-night", "fog")
    return rng.choice(states), {"temperature": rng.randint(-5, 32)}


def _person(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    return rng.choice(("home", "home", "not_home", "Work", "School")), {}


def _switch(rng: random.Random, _: str) -> tuple[str, dict[str, Any]]:
    return rng.choice(("on", "off")), {}


_STATES = {
    "light": _light,
    "fan": _fan,
    "cover": _cover,
    "media_player": _media_player,
    "climate": _climate,
    "sensor": _sensor,
    "binary_sensor": _binary_sensor,
    "switch": _switch,
    "humidifier": _humidifier,
    "water_heater": _water_heater,
    "lawn_mower": _lawn_mower,
    "alarm_control_panel": _alarm,
    "todo": _todo,
    "weather": _weather,
    "person": _person,
    "calendar": _switch,
    "timer": lambda rng, _: (rng.choice(("idle", "active", "paused")), {}),
    "lock": lambda rng, _: (rng.choice(("locked", "unlocked")), {}),
    "vacuum": lambda rng, _: (rng.choice(("docked", "cleaning", "idle")), {}),
    "valve": lambda rng, _: (rng.choice(("open", "closed")), {}),
}
