"""The same small home with its names in each language."""

from __future__ import annotations

from homellm_edge.home import Home, home_from_dict

_NAMES = {
    "de": ("Küche", "Wohnzimmer", "Küchenlicht", "Stehlampe", "Haustür", "Garagentor",
           "Rollo", "Thermostat", "Jörgs Funzel", "Einkaufsliste"),
    "fr": ("Cuisine", "Salon", "Lumière de la cuisine", "Lampadaire", "Porte d'entrée",
           "Porte de garage", "Volet", "Thermostat", "Lampe de Zoé",
           "Liste de courses"),
    "es": ("Cocina", "Salón", "Luz de la cocina", "Lámpara de pie", "Puerta principal",
           "Puerta del garaje", "Persiana", "Termostato", "Lámpara de Begoña",
           "Lista de la compra"),
    "pl": ("Kuchnia", "Salon", "Światło w kuchni", "Lampa stojąca", "Drzwi wejściowe",
           "Brama garażowa", "Roleta", "Termostat", "Lampka Józia", "Lista zakupów"),
}  # fmt: skip


def home_in(language: str) -> Home:
    """Two rooms with a light each, a lock, a garage door, and more."""
    names = _NAMES[language]
    kitchen, living, light, lamp, lock, garage, blind, heating, own, shopping = names
    rgb = {"supported_color_modes": ["rgb"]}
    return home_from_dict(
        {
            "areas": [
                {"id": "kitchen", "name": kitchen},
                {"id": "living_room", "name": living},
            ],
            "entities": [
                {"entity_id": "light.kitchen", "name": light, "area": "kitchen",
                 "state": "off", "attributes": rgb},
                {"entity_id": "light.lamp", "name": lamp, "area": "living_room",
                 "state": "off", "attributes": rgb},
                {"entity_id": "light.own", "name": own, "area": "living_room",
                 "state": "off"},
                {"entity_id": "lock.front_door", "name": lock, "state": "locked"},
                {"entity_id": "cover.garage", "name": garage, "state": "closed",
                 "attributes": {"device_class": "garage"}},
                {"entity_id": "cover.blind", "name": blind, "area": "living_room",
                 "state": "open", "attributes": {"device_class": "blind"}},
                {"entity_id": "climate.heating", "name": heating,
                 "area": "living_room", "state": "heat"},
                {"entity_id": "todo.shopping", "name": shopping, "state": "0"},
            ],
        }
    )  # fmt: skip
