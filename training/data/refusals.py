"""Sentences after which nothing may be done: unknown, unclear, unable, small talk."""

from __future__ import annotations

from homellm_edge.grounding.text import words

from . import phrases
from .actions import action_keys, fill, pick_key
from .names import AREAS, NOUNS, PEOPLE, made_up, pick
from .scene import Said, Scene, article, group, mention, somewhere
from .surface import polite
from .templates import expand


def unknown(scene: Scene) -> Said | None:
    """A device or an area that this home does not have."""
    rng = scene.rng
    domain = rng.choice(
        ("light", "fan", "cover", "lock", "media_player", "climate", "switch")
    )
    noun = pick(rng, NOUNS[domain], scene.split)
    names = {w for e in scene.home.entities for w in words(e.name)}
    names |= {w for p in (*scene.home.areas, *scene.home.floors) for w in words(p.name)}
    qualifier = rng.choice(
        (pick(rng, AREAS, scene.split), made_up(rng), rng.choice(PEOPLE) + "s")
    )
    if set(words(qualifier)) & names:
        return None
    name = f"{qualifier} {noun}"
    if rng.random() < 0.25:
        name = f"{noun} in the {qualifier}"
    roll = rng.random()
    if roll < 0.75:
        key = pick_key(scene, domain)
        filled = fill(
            scene, key, rng.choice(phrases.ACTIONS[key]), article(rng, name), None
        )
        if filled is None:
            return None
        text = polite(rng, filled[0])
    else:
        states = phrases.STATES_OF_DOMAIN[domain]
        text = expand(rng, rng.choice(phrases.YES_NO)).replace(
            "{x}", article(rng, name)
        )
        text = text.replace(
            "{s}", rng.choice(phrases.STATE_QUESTIONS[rng.choice(states)])
        )
    return Said(text, [{"reply": "not_found"}], here=somewhere(scene, 0.2))


def absent(scene: Scene) -> Said | None:
    """A kind of device that this home has none of."""
    rng = scene.rng
    present = {e.domain for e in scene.home.entities}
    missing = [
        d
        for d in ("fan", "cover", "lock", "media_player", "climate")
        if d not in present
    ]
    if not missing:
        return None
    domain = rng.choice(missing)
    key = pick_key(scene, domain)
    noun = rng.choice(NOUNS[domain])
    filled = fill(scene, key, rng.choice(phrases.ACTIONS[key]), f"the {noun}", None)
    if filled is None:
        return None
    return Said(polite(rng, filled[0]), [{"reply": "not_found"}])


def unclear(scene: Scene) -> Said | None:
    """`turn on the light` with several of them and nobody knowing where."""
    rng = scene.rng
    domain = rng.choice(
        ("light", "light", "fan", "cover", "media_player", "lock", "switch")
    )
    if len(scene.entities(domain)) < 2:
        return None
    singular = [
        n
        for n in phrases.GROUP_NOUNS[domain]
        if not n.endswith("s")
        and n not in ("lighting", "ventilation", "heating", "music")
    ]
    if not singular:
        singular = ["lock" if domain == "lock" else domain]
    target = f"(the|a|my) {rng.choice(singular)}"
    key = rng.choice([k for k in action_keys(domain) if ":" not in k])
    filled = fill(scene, key, rng.choice(phrases.ACTIONS[key]), target, None)
    if filled is None:
        return None
    return Said(polite(rng, expand(rng, filled[0])), [{"reply": "unclear"}])


_UNABLE = {
    "light": ("lock", "media_player", "vacuum"),
    "lock": ("light", "media_player", "climate"),
    "fan": ("lock", "vacuum"),
    "switch": ("lock", "vacuum"),
    "climate": ("lock", "vacuum"),
    "media_player": ("lock", "vacuum"),
    "cover": ("media_player",),
    "scene": ("lock",),
}


def unable(scene: Scene) -> Said | None:
    """Something the device cannot do: `lock the ceiling lamp`."""
    rng = scene.rng
    entity = rng.choice(scene.home.entities)
    foreign = _UNABLE.get(entity.domain)
    if not foreign:
        return None
    verbs = {
        "lock": ("lock {x}", "unlock {x}", "bolt {x}"),
        "media_player": ("pause {x}", "mute {x}", "skip the song on {x}", "unmute {x}"),
        "vacuum": ("dock {x}", "vacuum with {x}", "send {x} back to its base"),
        "light": ("dim {x} to 20 percent", "make {x} brighter", "paint {x} red"),
        "climate": ("make {x} warmer", "heat {x} to 21 degrees"),
    }[rng.choice(foreign)]
    name = entity.name.lower()
    if {"lock", "door", "gate", "window"} & set(words(name)):
        return None
    text = rng.choice(verbs).replace("{x}", article(rng, name))
    return Said(polite(rng, text), [{"reply": "unable"}])


def negation(scene: Scene) -> Said | None:
    """`don't turn it on`, `never mind`."""
    rng = scene.rng
    if rng.random() < 0.15:
        return Said(expand(rng, rng.choice(phrases.STAY)), [{"reply": "stay"}])
    target = mention(scene, rng.choice(scene.home.entities))
    if rng.random() < 0.3:
        called = group(scene, rng.choice(("light", "cover", "fan")))
        if called is not None:
            target = called[0]
    text = expand(rng, rng.choice(phrases.NEGATIONS)).replace("{x}", target)
    return Said(text, [{"reply": "stay"}], here=somewhere(scene, 0.2))


def talk(scene: Scene) -> Said:
    """Small talk, thanks, the time: nothing about devices."""
    rng = scene.rng
    bank, wanted = rng.choice(
        (
            (phrases.CHAT, {"reply": "chat"}),
            (phrases.CHAT, {"reply": "chat"}),
            (phrases.CHAT, {"reply": "chat"}),
            (phrases.CHAT, {"reply": "chat"}),
            (phrases.HELLO, {"reply": "hello"}),
            (phrases.THANKS, {"reply": "thanks"}),
            (phrases.TIME, {"query": "time"}),
            (phrases.DATE, {"query": "date"}),
        )
    )
    return Said(expand(rng, rng.choice(bank)), [wanted], here=somewhere(scene, 0.3))
