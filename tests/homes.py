"""Homes for tests."""

from __future__ import annotations

from typing import Any

from homellm_edge.home import Home, home_from_dict

DATA: dict[str, Any] = {
    "floors": [
        {"id": "ground", "name": "Ground floor", "level": 0},
        {"id": "upper", "name": "First floor", "level": 1},
    ],
    "areas": [
        {"id": "kitchen", "name": "Kitchen", "floor": "ground"},
        {"id": "living_room", "name": "Living Room", "floor": "ground"},
        {"id": "bedroom", "name": "Bedroom", "floor": "upper"},
        {"id": "garage", "name": "Garage", "aliases": ["car port"]},
    ],
    "entities": [
        {"entity_id": "light.kitchen", "name": "Kitchen Light", "area": "kitchen",
         "state": "off"},
        {"entity_id": "light.counter", "name": "Counter Spots", "area": "kitchen",
         "state": "on", "attributes": {"brightness": 128}},
        {"entity_id": "light.floor_lamp", "name": "Floor Lamp", "area": "living_room",
         "state": "off", "attributes": {"supported_color_modes": ["rgb"]}},
        {"entity_id": "light.zorblatt", "name": "Zorblatt", "area": "bedroom",
         "state": "off"},
        {"entity_id": "lock.front_door", "name": "Front Door", "area": "living_room",
         "state": "locked"},
        {"entity_id": "cover.blinds", "name": "Living Room Blinds",
         "area": "living_room", "state": "closed",
         "attributes": {"device_class": "blind", "current_position": 0}},
        {"entity_id": "cover.garage_door", "name": "Garage Door", "area": "garage",
         "state": "closed", "attributes": {"device_class": "garage"}},
        {"entity_id": "climate.thermostat", "name": "Thermostat",
         "area": "living_room", "state": "heat",
         "attributes": {"min_temp": 7, "max_temp": 30, "temperature": 20,
                        "current_temperature": 19.5}},
        {"entity_id": "media_player.speaker", "name": "Living Room Speaker",
         "area": "living_room", "state": "playing",
         "attributes": {"volume_level": 0.4, "source_list": ["Line In", "Radio One"]}},
        {"entity_id": "fan.ceiling", "name": "Ceiling Fan", "area": "bedroom",
         "state": "on"},
        {"entity_id": "switch.kettle", "name": "Kettle", "area": "kitchen",
         "state": "off"},
        {"entity_id": "sensor.bedroom_temperature", "name": "Bedroom Temperature",
         "area": "bedroom", "state": "18.5",
         "attributes": {"device_class": "temperature", "unit_of_measurement": "°C"}},
    ],
}  # fmt: skip


def sample_home() -> Home:
    """A home with every seed domain."""
    return home_from_dict(DATA)
