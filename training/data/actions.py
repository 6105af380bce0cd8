"""Sentences that want something done: to a device, to a group, to a room."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from homellm_edge.home import Area, Entity
from homellm_edge.language import ALL, EVERYTHING
from homellm_edge.services import service_for

from . import banks
from .encoding import Length, Text
from .places import somewhere
from .scene import Said, Scene
from .wording import Kind

_OPTION_LISTS = {
    "effect": "effect_list",
    "source": "source_list",
    "preset_mode": "preset_modes",
    "fan_mode": "fan_modes",
    "mode": "available_modes",
    "operation_mode": "operation_list",
}
_TEXTS: Mapping[str, Kind] = {"item": "item", "search_query": "played", "name": "timed"}


def fill(
    scene: Scene, key: str, template: str, target: str, entity: Entity | None
) -> tuple[str, dict[str, Any]] | None:
    """The words and the arguments of an action; None if this device lacks it."""
    rng = scene.rng
    _, _, form = key.partition(":")
    form, _, variant = form.partition(" ")
    words = scene.expand(template)
    data: dict[str, Any] = {}
    slots, _, fixed = form.partition("=")
    for slot in slots.split("+") if slots else ():
        if slot == "color":
            name, value = scene.wording.color(rng)
            words = words.replace("{c}", name)
            data["color"] = dict(value)
        elif slot in _OPTION_LISTS:
            values = entity.attributes.get(_OPTION_LISTS[slot]) if entity else None
            if not values:
                return None
            option = rng.choice(list(values))
            words = words.replace(
                "{v}", option if rng.random() < 0.3 else option.lower()
            )
            data[slot] = option
        elif slot in _TEXTS:
            kind = "grocery" if variant == "buy" else _TEXTS[slot]
            text = scene.wording.text(rng, kind, scene.split)
            words = words.replace("{t}", text)
            data[slot] = Text(text)
        elif slot == "duration":
            text, seconds = scene.wording.duration(rng)
            words = words.replace("{d}", text)
            data[slot] = Length(seconds)
        elif fixed and not fixed.endswith("N"):
            data[slot] = fixed
        else:
            number = _amount(rng, slot)
            words = words.replace("{n}", scene.wording.number(rng, number))
            data[slot] = (fixed[:1] if fixed else "", number)
    return words.replace("{x}", target), data


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


def action_keys(domain: str) -> list[str]:
    """The keys of the actions of a domain that are done to a device."""
    if domain == "timer":
        return ["timer.cancel", "timer.pause", "timer.start:duration"]
    known = {"input_button": "button"}.get(domain, domain)
    return [
        domain + k[len(known) :] for k in banks.keys("action", known) if " " not in k
    ]


def phrasing(scene: Scene, key: str, kind: str = "action") -> str:
    """One of the ways to say it."""
    if key.startswith("input_button."):
        key = key.removeprefix("input_")
    return scene.pick(kind, key)


def _label(key: str) -> str:
    return key.removeprefix("input_") if key.startswith("input_button.") else key


def pick_key(scene: Scene, domain: str) -> str:
    """A key for a domain; plain ones are nearly half of all."""
    keys = action_keys(domain)
    plain = [k for k in keys if ":" not in k]
    return scene.rng.choice(plain if scene.rng.random() < 0.45 and plain else keys)


def _act_on(scene: Scene, entity: Entity, key: str, target: str) -> Said | None:
    template = phrasing(scene, key)
    if "{x}" not in template:
        return None
    if service_for(entity, key.partition(":")[0]) is None:
        return None  # the grammar of this home has no such call
    if entity.domain == "timer":
        template = template.replace("{m}", "{x}")
    filled = fill(scene, key, template, target, entity)
    if filled is None:
        return None
    text, data = filled
    service = key.partition(":")[0]
    wanted = {"service": service, "device": entity.entity_id, **data}
    return Said(text, [wanted], label=_label(key))


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
        scene,
        entity,
        pick_key(scene, entity.domain),
        scene.wording.mention(scene, entity),
    )
    if said is not None:
        said.text = scene.wording.polite(scene.rng, said.text)
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
            "humidifier",
        ),
        (40, 18, 8, 8, 10, 6, 8, 2, 2),
    )[0]
    called = scene.wording.group(scene, domain)
    if called is None:
        return None
    target, place, here = called
    key = pick_key(scene, domain)
    if key == "lock.unlock":
        return None
    filled = fill(scene, key, phrasing(scene, key), target, None)
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
            text = scene.wording.except_for(rng, text, spared.name.lower())
            wanted["except"] = spared.entity_id
            return Said(text, [wanted], here=here, label=_label(key))
    return Said(scene.wording.polite(rng, text), [wanted], here=here, label=_label(key))


def at_place(scene: Scene) -> Said | None:
    """Wishes about a room: `it's too dark in the kitchen`."""
    rng = scene.rng
    domains = [k.partition(".")[0] for k in banks.keys("place")]
    domain = rng.choice(sorted(set(domains)))
    key = rng.choice(banks.keys("place", domain))
    service = key.partition(":")[0]
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
        where, target = scene.wording.place(place, "wish"), place.id
        here = somewhere(scene, 0.25)
    elif roll < 0.95:
        areas = [p.id for p in places if isinstance(p, Area)]
        if not areas:
            return None
        here = rng.choice(areas)
        where, target = scene.wording.here("wish"), "<here>"
    elif domain == "homeassistant":
        where, target = scene.wording.house("wish"), ALL
    else:
        # Nobody knows where: with one such device it is that one, else ask back.
        template = phrasing(scene, key, "place").replace("{p}", "")
        filled = fill(scene, key, template, "", None)
        asked_back: list[Mapping[str, Any]] = [{"reply": "unclear"}]
        return filled and Said(filled[0], asked_back, kind="unclear", label=key)
    template = phrasing(scene, key, "place")
    plain = "{p}" not in template
    if plain and roll < 0.5:
        return None
    template = template.replace("{p}", where)
    if roll < 0.5 and service == "homeassistant.turn_off" and rng.random() < 0.2:
        template = scene.wording.off_at(place)
    option_of = next(
        (
            e
            for e in scene.home.members(target)
            if e.domain == domain and any(e.attributes.get(a) for a in _LISTS)
        ),
        None,
    )
    filled = fill(scene, key, template, "", option_of)
    if filled is None:
        return None
    text, data = filled
    wanted = {"service": service, "place": target, **data}
    return Said(scene.expand(text), [wanted], here=here, label=key)


_LISTS = tuple(_OPTION_LISTS.values())


def several(scene: Scene) -> Said | None:
    """One verb on two or three devices, or two commands in one sentence."""
    rng = scene.rng
    first = rng.choice(scene.home.entities)
    keys = action_keys(first.domain)
    if not keys:
        return None
    if rng.random() < 0.85:
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
            template = phrasing(scene, f"switch.{verb}")
        else:
            key = pick_key(scene, first.domain)
            template = phrasing(scene, key)
        mentions = [scene.wording.mention(scene, e) for e in chosen]
        joined = scene.wording.joined(mentions)
        filled = fill(scene, key, template, joined, None)
        if filled is None:
            return None
        text, data = filled
        verb = key.partition(":")[0].partition(".")[2]
        wanted = [
            {"service": f"{e.domain}.{verb}", "device": e.entity_id, **data}
            for e in chosen
        ]
        return Said(
            scene.wording.polite(rng, text),
            wanted,
            here=somewhere(scene, 0.2),
            label=_label(key),
        )
    parts = []
    for _ in range(2):
        maker = rng.choice((_bare, _bare, _bare_group))
        part = maker(scene)
        if part is None:
            return None
        parts.append(part)
    if parts[0].here != parts[1].here:
        return None
    text = scene.wording.linked(rng, parts[0].text, parts[1].text)
    wanted = [*parts[0].wanted, *parts[1].wanted]
    label = rng.choice((parts[0].label, parts[1].label))
    return Said(
        scene.wording.polite(rng, text), wanted, here=parts[0].here, label=label
    )


def _bare(scene: Scene) -> Said | None:
    entity = scene.rng.choice(scene.home.entities)
    if not action_keys(entity.domain):
        return None
    return _act_on(
        scene,
        entity,
        pick_key(scene, entity.domain),
        scene.wording.mention(scene, entity),
    )


def _bare_group(scene: Scene) -> Said | None:
    domain = scene.rng.choice(("light", "light", "cover", "fan", "media_player"))
    called = scene.wording.group(scene, domain, plural=True)
    if called is None:
        return None
    target, place, here = called
    key = scene.rng.choice([k for k in action_keys(domain) if ":" not in k])
    filled = fill(scene, key, phrasing(scene, key), target, None)
    if filled is None:
        return None
    wanted = {"service": key, "place": place, **filled[1]}
    return Said(filled[0], [wanted], here=here, label=_label(key))


def follow_up(scene: Scene) -> Said | None:
    """`turn it off again`: a pronoun for what was spoken of before."""
    rng = scene.rng
    entity = rng.choice(scene.home.entities)
    if not action_keys(entity.domain):
        return None
    key = pick_key(scene, entity.domain)
    target = scene.wording.pronoun(rng)
    said = _act_on(scene, entity, key, target)
    if said is None:
        return None
    said.recent = (entity.entity_id,)
    said.text = scene.wording.again(rng, said.text)
    return said
