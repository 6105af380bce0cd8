"""Questions about states: of one device, of a room, of several devices."""

from __future__ import annotations

from typing import Any

from homellm_edge.home import Entity
from homellm_edge.language import ALL
from homellm_edge.queries import attribute_value
from homellm_edge.scopes import in_scope

from . import banks
from . import words as bank_words
from .places import somewhere
from .scene import Said, Scene

_CLASS_VALUES = {
    "carbon_dioxide": "co2",
    "pm25": "pm25",
    "temperature": "temperature",
    "humidity": "humidity",
    "battery": "battery",
    "power": "power",
    "energy": "energy",
    "illuminance": "illuminance",
    "pressure": "pressure",
    "voltage": "voltage",
    "current": "current",
    "speed": "speed",
}
_NOT_ASKED = frozenset("person todo calendar weather button scene script".split())


def state_question(scene: Scene) -> Said | None:
    """What is the state, or a value, of one device?"""
    rng = scene.rng
    entity = rng.choice(scene.home.entities)
    if entity.domain in _NOT_ASKED:
        return None
    query: dict[str, Any] = {"query": "state", "device": entity.entity_id}
    states = bank_words.STATES_OF_DOMAIN.get(entity.domain)
    if entity.domain == "binary_sensor":
        states = bank_words.STATES_OF_CLASS.get(
            entity.device_class or "", ("on", "off")
        )
    roll = rng.random()
    if entity.domain == "sensor":
        text, label = _of_sensor(scene, entity)
    elif roll < 0.6 and states:
        state = rng.choice(states)
        query["is"] = state
        text = scene.pick("yes_no", "")
        text = scene.expand(text.replace("{s}", scene.pick("is", state, "train")))
        label = banks.label("yes_no")
    elif roll < 0.8:
        text, label = _open(scene)
        if states and len(states) > 1 and rng.random() < 0.2:
            text = scene.wording.which_state(states) or text
    else:
        attributes = [a for a in banks.keys("value") if attribute_value(entity, a)]
        if not attributes:
            return None
        attribute = rng.choice(attributes)
        query["attribute"] = attribute
        text = scene.pick("value", attribute)
        label = banks.label("value", attribute)
    text = scene.expand(text).replace("{x}", scene.wording.mention(scene, entity))
    here = somewhere(scene, 0.25)
    return Said(scene.wording.asked(rng, text), [query], here=here, label=label)


def _open(scene: Scene) -> tuple[str, str | None]:
    text = scene.pick("open_state", "")
    return text, banks.label("open_state")


def _of_sensor(scene: Scene, entity: Entity) -> tuple[str, str | None]:
    """A sensor's state is what it measures, whatever words ask for it."""
    rng = scene.rng
    key = _CLASS_VALUES.get(entity.device_class or "", "level")
    roll = rng.random()
    if roll < 0.3:
        return _open(scene)
    if roll < 0.45:
        key = "level"
    return scene.pick("value", key), banks.label("value", key)


def place_question(scene: Scene) -> Said | None:
    """What is measured in a room?"""
    rng = scene.rng
    keys = banks.keys("place_value")
    attribute = rng.choice(("temperature", "temperature", "humidity", *keys))
    where, target, here = where_asked(scene)
    if where is None:
        return None
    template = scene.pick("place_value", attribute)
    text = scene.expand(template.replace("{p}", where))
    query = {"query": "value", "attribute": attribute, "place": target}
    label = banks.label("place_value", attribute)
    return Said(scene.wording.asked(rng, text), [query], here=here, label=label)


def scope_question(scene: Scene) -> Said | None:
    """Any, all, which, how many of a kind are in a state?"""
    rng = scene.rng
    scope = rng.choice(
        [
            s
            for s in bank_words.SCOPE_NOUNS
            if any(in_scope(e, s) for e in scene.home.entities)
        ]
        or ["light"]
    )
    where, target, here = where_asked(scene)
    if where is None:
        return None
    state = rng.choice(bank_words.STATES_OF_DOMAIN.get(scope, ("on", "off")))
    kind = rng.choice(banks.keys("scope"))
    text = scene.pick("scope", kind).replace("{p}", where)
    text = text.replace("{g}", scene.wording.members(rng, scope))
    text = text.replace("{s}", scene.pick("is", state, "train"))
    query = {"query": kind, "domain": scope, "place": target, "is": state}
    label = banks.label("scope", kind)
    return Said(
        scene.wording.asked(rng, scene.expand(text)), [query], here=here, label=label
    )


_SENSED = {
    "motion": ("motion", "detected"),
    "presence": ("motion", "detected"),
    "smoke": ("smoke", "detected"),
    "leak": ("leak", "detected"),
    "door": ("door", "open"),
    "window": ("window", "open"),
}


def sensed_question(scene: Scene) -> Said | None:
    """Has a sensor noticed something somewhere?"""
    rng = scene.rng
    key = rng.choice(banks.keys("sensed"))
    where, target, here = where_asked(scene)
    if where is None:
        return None
    template = scene.pick("sensed", key)
    text = scene.expand(template.replace("{p}", where))
    scope, state = _SENSED[key]
    query = {"query": "any", "domain": scope, "place": target, "is": state}
    label = banks.label("sensed", key)
    return Said(scene.wording.asked(rng, text), [query], here=here, label=label)


def where_asked(scene: Scene) -> tuple[str | None, str, str | None]:
    """(template of the place, place, here)."""
    rng = scene.rng
    roll = rng.random()
    places = scene.places()
    if roll < 0.5 and places:
        place = rng.choice(places)
        return (
            scene.wording.place(place, "question"),
            place.id,
            somewhere(scene, 0.3),
        )
    if roll < 0.7:
        here = somewhere(scene, 1.0)
        if here is None:
            return None, "", None
        return scene.wording.here("question"), "<here>", here
    return (
        scene.wording.house("question"),
        ALL,
        somewhere(scene, 0.25),
    )
