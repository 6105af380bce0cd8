"""Sentences after which nothing may be done: unknown, unclear, unable, small talk."""

from __future__ import annotations

from homellm_edge.grounding.text import words

from . import banks, texts
from . import words as bank_words
from .actions import action_keys, fill, phrasing, pick_key
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
    key = ""
    if roll < 0.75:
        key = pick_key(scene, domain)
        filled = fill(scene, key, phrasing(scene, key), article(rng, name), None)
        if filled is None:
            return None
        text = polite(rng, filled[0])
    else:
        states = bank_words.STATES_OF_DOMAIN[domain]
        text = expand(rng, banks.pick(rng, "yes_no", "", scene.split)).replace(
            "{x}", article(rng, name)
        )
        text = text.replace("{s}", banks.pick(rng, "is", rng.choice(states), "train"))
    label = key if roll < 0.75 else "yes_no"
    return Said(text, [{"reply": "not_found"}], here=somewhere(scene, 0.2), label=label)


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
    filled = fill(scene, key, phrasing(scene, key), f"the {noun}", None)
    if filled is None:
        return None
    return Said(polite(rng, filled[0]), [{"reply": "not_found"}], label=key)


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
        for n in bank_words.GROUP_NOUNS[domain]
        if not n.endswith("s")
        and n not in ("lighting", "ventilation", "heating", "music")
    ]
    if not singular:
        singular = ["lock" if domain == "lock" else domain]
    target = f"(the|a|my) {rng.choice(singular)}"
    key = rng.choice([k for k in action_keys(domain) if ":" not in k])
    filled = fill(scene, key, phrasing(scene, key), target, None)
    if filled is None:
        return None
    text = polite(rng, expand(rng, filled[0]))
    return Said(text, [{"reply": "unclear"}], label=key)


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
        text = expand(rng, banks.pick(rng, "reply", "stay", scene.split))
        return Said(text, [{"reply": "stay"}], label="reply stay")
    target = mention(scene, rng.choice(scene.home.entities))
    if rng.random() < 0.3:
        called = group(scene, rng.choice(("light", "cover", "fan")))
        if called is not None:
            target = called[0]
    template = banks.pick(rng, "negation", "", scene.split)
    text = expand(rng, template).replace("{x}", target)
    stay = {"reply": "stay"}
    return Said(text, [stay], here=somewhere(scene, 0.2), label="negation")


_TALK = (
    ("reply", "chat", 8),
    ("reply", "hello", 2),
    ("reply", "thanks", 2),
    ("reply", "help", 2),
    ("query", "undo", 2),
    ("query", "time", 2),
    ("query", "date", 2),
)


def talk(scene: Scene) -> Said:
    """Small talk, thanks, the time: nothing about devices."""
    rng = scene.rng
    kind, key, _ = rng.choices(_TALK, [t[2] for t in _TALK])[0]
    text = expand(rng, banks.pick(rng, kind, key, scene.split))
    text = text.replace("{t}", texts.played(rng, scene.split))
    wanted = {"reply": key} if kind == "reply" or key == "undo" else {"query": key}
    label = banks.label(kind, key)
    return Said(text, [wanted], here=somewhere(scene, 0.3), label=label)
