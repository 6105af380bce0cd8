"""Sentences after which nothing may be done: unknown, unclear, unable, small talk."""

from __future__ import annotations

from homellm_edge.grounding.text import words

from . import banks
from . import words as bank_words
from .actions import action_keys, fill, phrasing, pick_key
from .places import somewhere
from .scene import Said, Scene


def unknown(scene: Scene) -> Said | None:
    """A device or an area that this home does not have."""
    rng = scene.rng
    domain = rng.choice(
        ("light", "fan", "cover", "lock", "media_player", "climate", "switch")
    )
    names = {w for e in scene.home.entities for w in words(e.name)}
    names |= {w for p in (*scene.home.areas, *scene.home.floors) for w in words(p.name)}
    name = scene.wording.strange(rng, domain, scene.split, names)
    if name is None:
        return None
    roll = rng.random()
    key = ""
    if roll < 0.75:
        key = pick_key(scene, domain)
        template = phrasing(scene, key)
        filled = fill(scene, key, template, scene.wording.called(rng, name), None)
        if filled is None:
            return None
        text = scene.wording.polite(rng, filled[0])
    else:
        states = bank_words.STATES_OF_DOMAIN[domain]
        text = scene.expand(scene.pick("yes_no", "")).replace(
            "{x}", scene.wording.called(rng, name)
        )
        state = scene.expand(scene.pick("is", rng.choice(states), "train"))
        text = text.replace("{s}", state)
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
    target = scene.wording.kind_of(rng, domain)
    filled = fill(scene, key, phrasing(scene, key), target, None)
    if filled is None:
        return None
    return Said(
        scene.wording.polite(rng, filled[0]), [{"reply": "not_found"}], label=key
    )


def unclear(scene: Scene) -> Said | None:
    """`turn on the light` with several of them and nobody knowing where."""
    rng = scene.rng
    domain = rng.choice(
        ("light", "light", "fan", "cover", "media_player", "lock", "switch")
    )
    if len(scene.entities(domain)) < 2:
        return None
    target = scene.wording.some_of(rng, domain)
    key = rng.choice([k for k in action_keys(domain) if ":" not in k])
    filled = fill(scene, key, phrasing(scene, key), target, None)
    if filled is None:
        return None
    text = scene.wording.polite(rng, scene.expand(filled[0]))
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
    other = rng.choice(foreign)
    name = entity.name.lower()
    if scene.wording.fits_all(name):
        return None
    text = scene.wording.out_of_place(rng, other)
    text = text.replace("{x}", scene.wording.called(rng, name))
    return Said(scene.wording.polite(rng, text), [{"reply": "unable"}])


def negation(scene: Scene) -> Said | None:
    """`don't turn it on`, `never mind`."""
    rng = scene.rng
    if rng.random() < 0.15:
        text = scene.expand(scene.pick("reply", "stay"))
        return Said(text, [{"reply": "stay"}], label="reply stay")
    target = scene.wording.mention(scene, rng.choice(scene.home.entities))
    if rng.random() < 0.3:
        called = scene.wording.group(scene, rng.choice(("light", "cover", "fan")))
        if called is not None:
            target = called[0]
    text = scene.expand(scene.pick("negation", "")).replace("{x}", target)
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
    text = scene.expand(scene.pick(kind, key))
    text = text.replace("{t}", scene.wording.text(rng, "played", scene.split))
    wanted = {"reply": key} if kind == "reply" or key == "undo" else {"query": key}
    label = banks.label(kind, key)
    return Said(text, [wanted], here=somewhere(scene, 0.3), label=label)
