"""Sentences that want something done: to a device, to a group, to a room."""

from __future__ import annotations

import random
from typing import Any

from homellm_edge.grounding.lexicon import COLORS
from homellm_edge.home import Area, Entity
from homellm_edge.language import ALL, EVERYTHING

from . import phrases
from .scene import Said, Scene, article, group, mention, somewhere
from .surface import polite
from .templates import expand


def fill(
    scene: Scene, key: str, template: str, target: str, entity: Entity | None
) -> tuple[str, dict[str, Any]] | None:
    """The words and the arguments of an action; None if this device lacks it."""
    rng = scene.rng
    _, _, form = key.partition(":")
    text = expand(rng, template)
    data: dict[str, Any] = {}
    slot, _, fixed = form.partition("=")
    if form == "color" or form.startswith("color+"):
        name, value = rng.choice(list(COLORS.items()))
        text = text.replace("{c}", " ".join(name))
        data["color"] = dict(value)
        slot = form.partition("+")[2]
    if slot in ("effect", "source", "preset_mode", "fan_mode"):
        attribute = {"effect": "effect_list", "source": "source_list"}.get(
            slot, f"{slot}s"
        )
        values = entity.attributes.get(attribute) if entity else None
        if not values:
            return None
        option = rng.choice(list(values))
        text = text.replace("{v}", option if rng.random() < 0.3 else option.lower())
        data[slot] = option
    elif fixed and not fixed.endswith("N"):
        data[slot] = fixed
    elif slot and slot != "color":
        number = _amount(rng, slot)
        text = text.replace("{n}", _spoken(rng, number))
        sign = fixed[:1] if fixed else ""
        data[slot] = (sign, number)
    return text.replace("{x}", target), data


def _amount(rng: random.Random, slot: str) -> float:
    if slot == "temperature":
        return rng.randint(14, 28) + (0.5 if rng.random() < 0.1 else 0)
    if slot == "temperature_step":
        return rng.randint(1, 6)
    if slot == "color_temp_kelvin":
        return rng.randint(20, 65) * 100
    if slot.endswith("_step"):
        return rng.choice((5, 10, 15, 20, 25, 30, 40))
    return rng.randint(1, 20) * 5 if rng.random() < 0.7 else rng.randint(0, 100)


_ONES = tuple(
    (
        "zero one two three four five six seven eight nine ten eleven twelve "
        "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    ).split()
)
_TENS = tuple(("twenty thirty forty fifty sixty seventy eighty ninety").split())


def _spoken(rng: random.Random, number: float) -> str:
    if number != int(number) or number >= 100 or rng.random() < 0.6:
        return f"{number:g}"
    tens, ones = divmod(int(number), 10)
    if number < 20:
        return _ONES[int(number)]
    return _TENS[tens - 2] + (f" {_ONES[ones]}" if ones else "")


def action_keys(domain: str) -> list[str]:
    """The keys of `phrases.ACTIONS` for a domain."""
    return [k for k in phrases.ACTIONS if k.partition(".")[0] == domain]


def pick_key(scene: Scene, domain: str) -> str:
    """A key for a domain; plain ones are nearly half of all."""
    keys = action_keys(domain)
    plain = [k for k in keys if ":" not in k]
    return scene.rng.choice(plain if scene.rng.random() < 0.45 and plain else keys)


def _act_on(scene: Scene, entity: Entity, key: str, target: str) -> Said | None:
    template = scene.rng.choice(phrases.ACTIONS[key])
    if entity.domain == "climate" and "{x}" not in template:
        return None
    filled = fill(scene, key, template, target, entity)
    if filled is None:
        return None
    text, data = filled
    service = key.partition(":")[0]
    return Said(text, [{"service": service, "device": entity.entity_id, **data}])


def single(scene: Scene) -> Said | None:
    """One device, called by its name."""
    candidates = [e for e in scene.home.entities if action_keys(e.domain)]
    if not candidates:
        return None
    by_domain: dict[str, list[Entity]] = {}
    for e in candidates:
        by_domain.setdefault(e.domain, []).append(e)
    entity = scene.rng.choice(by_domain[scene.rng.choice(list(by_domain))])
    said = _act_on(
        scene, entity, pick_key(scene, entity.domain), mention(scene, entity)
    )
    if said is not None:
        said.text = polite(scene.rng, said.text)
        said.here = somewhere(scene, 0.3)
    return said


def grouped(scene: Scene) -> Said | None:
    """Several devices of a domain together, perhaps all but one."""
    rng = scene.rng
    domain = rng.choices(
        (
            "light",
            "cover",
            "fan",
            "switch",
            "media_player",
            "lock",
            "climate",
            "vacuum",
        ),
        (40, 18, 8, 8, 10, 6, 8, 2),
    )[0]
    called = group(scene, domain)
    if called is None:
        return None
    target, place, here = called
    key = pick_key(scene, domain)
    if key == "lock.unlock" or any(
        s in key for s in ("effect", "source", "preset_mode", "fan_mode")
    ):
        return None
    filled = fill(scene, key, rng.choice(phrases.ACTIONS[key]), target, None)
    if filled is None:
        return None
    text, data = filled
    wanted: dict[str, Any] = {"service": key.partition(":")[0], "place": place, **data}
    if (
        place != "<here>"
        and domain in ("light", "fan", "switch", "cover")
        and rng.random() < 0.12
    ):
        members = (
            scene.entities(domain)
            if place == ALL
            else [e for e in scene.home.members(place) if e.domain == domain]
        )
        if len(members) > 1:
            spared = rng.choice(members)
            link = rng.choice(
                ("except", "except for", "but not", "apart from", "other than")
            )
            text = f"{text} {link} {article(rng, spared.name.lower())}"
            wanted["except"] = spared.entity_id
            return Said(text, [wanted], here=here)
    return Said(polite(rng, text), [wanted], here=here)


def at_place(scene: Scene) -> Said | None:
    """Wishes about a room: `it's too dark in the kitchen`."""
    rng = scene.rng
    key = rng.choice(list(phrases.PLACE_ACTIONS))
    service = key.partition(":")[0]
    domain = service.partition(".")[0]
    members = EVERYTHING if domain == "homeassistant" else {domain}
    places = [
        p
        for p in scene.places()
        if any(e.domain in members for e in scene.home.members(p.id))
    ]
    if not places:
        return None
    here: str | None = None
    roll = rng.random()
    if roll < 0.5:
        place = rng.choice(places)
        where, target = f"(in the|in|for the) {place.name.lower()}", place.id
        here = somewhere(scene, 0.25)
    elif roll < 0.95:
        areas = [p.id for p in places if isinstance(p, Area)]
        if not areas:
            return None
        here = rng.choice(areas)
        where, target = "(|||in here|here|in this room)", "<here>"
    elif domain == "homeassistant":
        where, target = "(|in the house|everywhere|in the whole house)", ALL
    else:
        # Nobody knows where: with one such device it is that one, else ask back.
        return (
            Said(_fill_place(scene, key, ""), [{"reply": "unclear"}], kind="unclear")
            if "{n}" not in "".join(phrases.PLACE_ACTIONS[key])
            else None
        )
    template = rng.choice(phrases.PLACE_ACTIONS[key]).replace("{p}", where)
    if roll < 0.5 and rng.random() < 0.25:
        template = (
            rng.choice(phrases.PLACE_ACTIONS[key]).replace(
                "{p}", f"the {place.name.lower()}"
            )
            if service == "homeassistant.turn_off"
            else template
        )
    filled = fill(scene, key, template, "", None)
    if filled is None:
        return None
    text, data = filled
    return Said(
        expand(rng, text), [{"service": service, "place": target, **data}], here=here
    )


def _fill_place(scene: Scene, key: str, where: str) -> str:
    template = scene.rng.choice(phrases.PLACE_ACTIONS[key])
    text = expand(scene.rng, template.replace("{p}", where))
    name, _ = scene.rng.choice(list(COLORS.items()))
    return text.replace("{c}", " ".join(name))


def several(scene: Scene) -> Said | None:
    """One verb on two or three devices, or two commands in one sentence."""
    rng = scene.rng
    first = rng.choice(scene.home.entities)
    keys = action_keys(first.domain)
    if not keys:
        return None
    if rng.random() < 0.55:
        shared = [
            e
            for e in scene.home.entities
            if e is not first
            and (
                e.domain == first.domain
                or {e.domain, first.domain} <= set(EVERYTHING) | {"climate"}
            )
        ]
        if not shared:
            return None
        chosen = [
            first,
            *rng.sample(shared, min(len(shared), rng.choice((1, 1, 1, 2)))),
        ]
        if len({e.domain for e in chosen}) > 1:
            verb = rng.choice(("turn_on", "turn_off"))
            key = f"light.{verb}"
            template = rng.choice(phrases.ACTIONS[f"switch.{verb}"])
        else:
            key = pick_key(scene, first.domain)
            template = rng.choice(phrases.ACTIONS[key])
        mentions = [mention(scene, e) for e in chosen]
        joined = f"{', '.join(mentions[:-1])} and {mentions[-1]}"
        filled = fill(scene, key, template, joined, None)
        if filled is None:
            return None
        text, data = filled
        verb = key.partition(":")[0].partition(".")[2]
        wanted = [
            {"service": f"{e.domain}.{verb}", "device": e.entity_id, **data}
            for e in chosen
        ]
        return Said(polite(rng, text), wanted, here=somewhere(scene, 0.2))
    parts = []
    for _ in range(2):
        maker = rng.choice((_bare, _bare, _bare_group))
        part = maker(scene)
        if part is None:
            return None
        parts.append(part)
    if parts[0].here != parts[1].here:
        return None
    link = rng.choice((" and ", " and ", " then ", " and then ", ", ", " and also "))
    text = f"{parts[0].text}{link}{parts[1].text}"
    return Said(
        polite(rng, text), [*parts[0].wanted, *parts[1].wanted], here=parts[0].here
    )


def _bare(scene: Scene) -> Said | None:
    entity = scene.rng.choice(scene.home.entities)
    if not action_keys(entity.domain):
        return None
    return _act_on(
        scene, entity, pick_key(scene, entity.domain), mention(scene, entity)
    )


def _bare_group(scene: Scene) -> Said | None:
    domain = scene.rng.choice(("light", "light", "cover", "fan", "media_player"))
    called = group(scene, domain, plural=True)
    if called is None:
        return None
    target, place, here = called
    key = scene.rng.choice([k for k in action_keys(domain) if ":" not in k])
    filled = fill(scene, key, scene.rng.choice(phrases.ACTIONS[key]), target, None)
    if filled is None:
        return None
    return Said(filled[0], [{"service": key, "place": place, **filled[1]}], here=here)


def follow_up(scene: Scene) -> Said | None:
    """`turn it off again`: a pronoun for what was spoken of before."""
    rng = scene.rng
    entity = rng.choice(scene.home.entities)
    if not action_keys(entity.domain):
        return None
    key = pick_key(scene, entity.domain)
    target = rng.choice(("it", "it", "it", "that", "them"))
    said = _act_on(scene, entity, key, target)
    if said is None:
        return None
    said.recent = (entity.entity_id,)
    before = rng.choice(("", "", "", "and ", "now ", "okay now ", "actually "))
    said.text = before + said.text + rng.choice(("", "", "", " again", " now", " too"))
    return said
