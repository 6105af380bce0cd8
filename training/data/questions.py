"""Questions about states: of one device, of a room, of several devices."""

from __future__ import annotations

from typing import Any

from homellm_edge.language import ALL
from homellm_edge.queries import attribute_value, in_scope

from . import phrases
from .scene import Said, Scene, mention, somewhere
from .surface import asked
from .templates import expand


def state_question(scene: Scene) -> Said | None:
    """What is the state, or a value, of one device?"""
    rng = scene.rng
    entity = rng.choice(scene.home.entities)
    query: dict[str, Any] = {"query": "state", "device": entity.entity_id}
    roll = rng.random()
    states = phrases.STATES_OF_DOMAIN.get(entity.domain)
    if entity.domain == "binary_sensor":
        states = phrases.STATES_OF_CLASS.get(entity.device_class or "", ("on", "off"))
    if entity.domain == "sensor":
        attribute = entity.device_class or ""
        bank = phrases.VALUE_QUESTIONS.get(attribute, phrases.OPEN_STATE)
        text = expand(
            rng, rng.choice(bank if rng.random() < 0.5 else phrases.OPEN_STATE)
        )
    elif roll < 0.6 and states:
        state = rng.choice(states)
        query["is"] = state
        spoken = rng.choice(phrases.STATE_QUESTIONS[state])
        text = expand(rng, rng.choice(phrases.YES_NO)).replace("{s}", spoken)
    elif roll < 0.8:
        text = expand(rng, rng.choice(phrases.OPEN_STATE))
        if states and len(states) > 1 and rng.random() < 0.3:
            text = f"(is|are) {{x}} {states[0]} or {states[1]}"
            text = expand(rng, text)
    else:
        attributes = [a for a in phrases.VALUE_QUESTIONS if attribute_value(entity, a)]
        if not attributes:
            return None
        query["attribute"] = rng.choice(attributes)
        text = expand(rng, rng.choice(phrases.VALUE_QUESTIONS[query["attribute"]]))
    text = text.replace("{x}", mention(scene, entity))
    return Said(asked(rng, text), [query], here=somewhere(scene, 0.25))


def place_question(scene: Scene) -> Said | None:
    """What is measured in a room?"""
    rng = scene.rng
    attribute = rng.choice(("temperature", "temperature", "humidity"))
    where, target, here = _where(scene)
    if where is None:
        return None
    text = expand(
        rng, rng.choice(phrases.PLACE_VALUES[attribute]).replace("{p}", where)
    )
    query = {"query": "value", "attribute": attribute, "place": target}
    return Said(asked(rng, text), [query], here=here)


def scope_question(scene: Scene) -> Said | None:
    """Any, all, which, how many of a kind are in a state?"""
    rng = scene.rng
    scope = rng.choice(
        [
            s
            for s in phrases.SCOPE_NOUNS
            if any(in_scope(e, s) for e in scene.home.entities)
        ]
        or ["light"]
    )
    where, target, here = _where(scene)
    if where is None:
        return None
    state = rng.choice(phrases.STATES_OF_DOMAIN.get(scope, ("on", "off")))
    kind = rng.choice(tuple(phrases.OVER_SCOPE))
    text = rng.choice(phrases.OVER_SCOPE[kind]).replace("{p}", where)
    text = text.replace("{g}", rng.choice(phrases.SCOPE_NOUNS[scope]))
    text = text.replace("{s}", rng.choice(phrases.STATE_QUESTIONS[state]))
    query = {"query": kind, "domain": scope, "place": target, "is": state}
    return Said(asked(rng, expand(rng, text)), [query], here=here)


def sensed_question(scene: Scene) -> Said | None:
    """Has a sensor noticed something somewhere?"""
    rng = scene.rng
    scope = rng.choice(tuple(phrases.SENSED))
    where, target, here = _where(scene)
    if where is None:
        return None
    text = expand(rng, rng.choice(phrases.SENSED[scope]).replace("{p}", where))
    query = {"query": "any", "domain": scope, "place": target, "is": "detected"}
    return Said(asked(rng, text), [query], here=here)


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
