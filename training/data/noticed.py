"""Questions about what sensors notice: is anything plugged in, what is charging?"""

from __future__ import annotations

from . import banks
from .questions import where_asked
from .scene import Said, Scene

_OFTEN = frozenset(["device", "plug", "connectivity", "charging", "problem", "power"])


def noticed_question(scene: Scene) -> Said | None:
    """Any, all, which, how many sensors of a class notice what they are there for?"""
    rng = scene.rng
    known = banks.keys("sensor")
    chances = [3 if k.partition(" ")[0] in _OFTEN else 1 for k in known]
    key = rng.choices(known, chances)[0]
    kind = rng.choices(banks.keys("noticed"), (4, 3, 2, 2))[0]
    if not scene.has("noticed", kind) or not scene.has("sensor", key):
        return None
    scope, _, state = key.partition(" ")
    where, target, here = where_asked(scene)
    if where is None:
        return None
    text = scene.pick("noticed", kind).replace("{p}", where)
    text = text.replace("{s}", scene.pick("sensor", key, "train"))
    query = {"query": kind, "domain": scope, "place": target, "is": state}
    label = banks.label("noticed", kind)
    asked = scene.wording.asked(rng, scene.expand(text))
    return Said(asked, [query], here=here, label=label)
