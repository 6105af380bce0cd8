"""Questions about states: of one device, of a room, of several devices."""

from __future__ import annotations

from typing import Any

from homellm_edge.home import Entity
from homellm_edge.language import ALL
from homellm_edge.queries import attribute_value, in_scope

from . import banks
from . import words as bank_words
from .scene import Said, Scene, mention, somewhere
from .surface import asked
from .templates import expand

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
        text = banks.pick(rng, "yes_no", "", scene.split)
        text = expand(rng, text.replace("{s}", banks.pick(rng, "is", state, "train")))
        label = banks.label("yes_no")
    elif roll < 0.8:
        text, label = _open(scene)
        if states and len(states) > 1 and rng.random() < 0.2:
            text = f"(is|are) {{x}} {states[0]} or {states[1]}"
    else:
        attributes = [a for a in banks.keys("value") if attribute_value(entity, a)]
        if not attributes:
            return None
        attribute = rng.choice(attributes)
        query["attribute"] = attribute
        text = banks.pick(rng, "value", attribute, scene.split)
        label = banks.label("value", attribute)
    text = expand(rng, text).replace("{x}", mention(scene, entity))
    here = somewhere(scene, 0.25)
    return Said(asked(rng, text), [query], here=here, label=label)


def _open(scene: Scene) -> tuple[str, str | None]:
    text = banks.pick(scene.rng, "open_state", "", scene.split)
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
    return banks.pick(rng, "value", key, scene.split), banks.label("value", key)


def place_question(scene: Scene) -> Said | None:
    """What is measured in a room?"""
    rng = scene.rng
    keys = banks.keys("place_value")
    attribute = rng.choice(("temperature", "temperature", "humidity", *keys))
    where, target, here = _where(scene)
    if where is None:
        return None
    template = banks.pick(rng, "place_value", attribute, scene.split)
    text = expand(rng, template.replace("{p}", where))
    query = {"query": "value", "attribute": attribute, "place": target}
    label = banks.label("place_value", attribute)
    return Said(asked(rng, text), [query], here=here, label=label)


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
    where, target, here = _where(scene)
    if where is None:
        return None
    state = rng.choice(bank_words.STATES_OF_DOMAIN.get(scope, ("on", "off")))
    kind = rng.choice(banks.keys("scope"))
    text = banks.pick(rng, "scope", kind, scene.split).replace("{p}", where)
    text = text.replace("{g}", rng.choice(bank_words.SCOPE_NOUNS[scope]))
    text = text.replace("{s}", banks.pick(rng, "is", state, "train"))
    query = {"query": kind, "domain": scope, "place": target, "is": state}
    label = banks.label("scope", kind)
    return Said(asked(rng, expand(rng, text)), [query], here=here, label=label)


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
    where, target, here = _where(scene)
    if where is None:
        return None
    template = banks.pick(rng, "sensed", key, scene.split)
    text = expand(rng, template.replace("{p}", where))
    scope, state = _SENSED[key]
    query = {"query": "any", "domain": scope, "place": target, "is": state}
    label = banks.label("sensed", key)
    return Said(asked(rng, text), [query], here=here, label=label)


def _where(scene: Scene) -> tuple[str | None, str, str | None]:
    """(template of the place, place, here)."""
    rng = scene.rng
    roll = rng.random()
    places = scene.places()
    if roll < 0.5 and places:
        place = rng.choice(places)
        return (
            f"(in|on|in the|on the) {place.name.lower()}",
            place.id,
            somewhere(scene, 0.3),
        )
    if roll < 0.7:
        here = somewhere(scene, 1.0)
        if here is None:
            return None, "", None
        return "(in here|here|in this room)", "<here>", here
    return (
        "(||in the house|at home|anywhere|in the whole house)",
        ALL,
        somewhere(scene, 0.25),
    )
