"""Sentences in a home, each with what is wanted in terms of the real home.

The wanted objects are written in the home language but with entity ids, place ids and
values; `encoding` turns them into placeholders once the sentence is grounded.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from homellm_edge.grounding.lexicon import COLORS
from homellm_edge.grounding.text import words
from homellm_edge.home import Area, Entity, Floor, Home
from homellm_edge.language import ALL, EVERYTHING
from homellm_edge.queries import attribute_value, in_scope

from . import phrases
from .names import AREAS, NOUNS, PEOPLE, made_up, pick
from .surface import asked, noisy, polite, typo
from .templates import expand

Wanted = Mapping[str, Any]


@dataclass(slots=True)
class Said:
    """A sentence, the objects wanted, and what the speaker's situation adds."""

    text: str
    wanted: list[Wanted]
    here: str | None = None
    recent: tuple[str, ...] = ()
    kind: str = ""


@dataclass(slots=True)
class Scene:
    """A home with what the makers below need to look up."""

    rng: random.Random
    home: Home
    split: str

    def entities(self, domain: str) -> list[Entity]:
        """The entities of a domain."""
        return [e for e in self.home.entities if e.domain == domain]

    def place_of(self, entity: Entity) -> Area | None:
        """The area of an entity."""
        return self.home.area(entity.area)

    def places(self) -> list[Area | Floor]:
        """Areas and floors that have entities in them."""
        return [
            p for p in (*self.home.areas, *self.home.floors) if self.home.members(p.id)
        ]


def say(scene: Scene) -> Said | None:
    """One random sentence; None if the home has nothing for the kind chosen."""
    makers = list(_MAKERS)
    maker = scene.rng.choices(makers, [_MAKERS[m] for m in makers])[0]
    said = maker(scene)
    if said is None:
        return None
    said.kind = said.kind or maker.__name__.strip("_")
    said.text = noisy(scene.rng, said.text)
    return said


# Devices and how they are called ------------------------------------------------------


def _mention(scene: Scene, entity: Entity) -> str:
    """A way to call one device that means it and no other."""
    rng, home = scene.rng, scene.home
    name = entity.name if rng.random() < 0.3 else entity.name.lower()
    if entity.aliases and rng.random() < 0.4:
        name = rng.choice(entity.aliases)
    area = scene.place_of(entity)
    own = words(entity.name)
    roll = rng.random()
    if area and roll < 0.2 and not set(words(area.name)) & set(own):
        bare = " ".join(own)
        forms = (f"{bare} in the {area.name}", f"{area.name} {bare}")
        return _article(rng, rng.choice(forms).lower())
    if area and roll < 0.3 and own[-1:] and len(own) > 1:
        same = [
            e
            for e in home.members(area.id)
            if e.entity_id != entity.entity_id and own[-1] in words(e.name)
        ]
        if not same and e_noun(own[-1]):
            return _article(rng, f"{own[-1]} in the {area.name}".lower())
    if roll < 0.4 and len(own) > 2:
        kept = [w for w in own if w != own[rng.randrange(len(own) - 1)]]
        others = [
            e
            for e in home.entities
            if e.entity_id != entity.entity_id and set(kept) <= set(words(e.name))
        ]
        if kept and not others:
            return _article(rng, " ".join(kept))
    if roll < 0.45:
        return _article(rng, " ".join(typo(rng, w) for w in name.split()))
    if roll < 0.5 and own and e_noun(own[-1]):
        rivals = [
            e
            for e in home.entities
            if e.entity_id != entity.entity_id
            and (e.domain == entity.domain or own[-1] in words(e.name))
        ]
        if not rivals:
            return _article(rng, own[-1])
    return _article(rng, name)


def e_noun(word: str) -> bool:
    """Whether a word is a device noun of the banks, so that it can stand alone."""
    return any(word == n.split()[-1] for nouns in NOUNS.values() for n in nouns)


def _article(rng: random.Random, name: str) -> str:
    if name.startswith(("the ", "my ")) or "'s " in name:
        return name
    return rng.choice(("the ", "the ", "the ", "", "my ", "our ", "")) + name


def _group(
    scene: Scene, domain: str, *, plural: bool = False
) -> tuple[str, str, str | None] | None:
    """(words, place id or `all`, here): several devices of a domain called together."""
    rng = scene.rng
    noun = rng.choice(phrases.GROUP_NOUNS[domain])
    is_plural = noun.endswith("s") or noun in (
        "lighting",
        "ventilation",
        "heating",
        "music",
    )
    if plural and not is_plural:
        return None
    roll = rng.random()
    if roll < 0.58:
        places = [p for p in scene.places() if _has(scene, p.id, domain)]
        if not places:
            return None
        place = rng.choice(places)
        name = place.name.lower()
        if is_plural:
            form = rng.choice(
                (
                    "(the|all the|all|) {n} in the {p}",
                    "(the|all|) {p} {n}",
                    "(every one of the|all of the) {n} in the {p}",
                    "all (the|) {p} {n}",
                    "(the|) {n} (on|at) the {p}"
                    if isinstance(place, Floor)
                    else "(both|all) {n} in the {p}",
                )
            )
        else:
            form = rng.choice(("the {n} in the {p}", "(the|) {p} {n}"))
            singles = [e for e in scene.home.members(place.id) if e.domain == domain]
            if len(singles) < 2:
                return None
        text = expand(rng, form.replace("{n}", noun).replace("{p}", name))
        return text, place.id, _somewhere(scene, 0.2)
    if roll < 0.76:
        here = _somewhere(scene, 1.0, domain)
        if here is None:
            return None
        if (
            not is_plural
            and len([e for e in scene.home.members(here) if e.domain == domain]) < 2
        ):
            return None
        forms = (
            f"the {noun}",
            noun,
            f"the {noun} here",
            f"the {noun} in here",
            f"the {noun} in this room",
            f"my {noun}",
        )
        if is_plural:
            single = noun.removesuffix("s")
            forms = (
                *forms,
                f"all the {noun} in here",
                f"all the {noun} in this room",
                f"all the {noun}",
                f"all {noun}",
                f"all of the {noun}",
                f"every {single}",
                f"every {single} in here",
            )
        return rng.choice(forms), "<here>", here
    if not is_plural or len(scene.entities(domain)) < 2:
        return None
    here = None
    single = noun.removesuffix("s")
    form = rng.choice(
        (
            f"all (the|my|our|) {noun}",
            f"all (the|my|our|of the|of my|) {noun} {_EVERYWHERE}",
            f"(every|each) {single} {_EVERYWHERE}",
            f"(every|each|every single) {single}",
            f"(every one of|each of|all of|any of) (the|my|our) {noun}",
            f"(the|my|our|) {noun} {_EVERYWHERE}",
            f"(the|my) (whole|entire) (house|home) {noun}",
            f"(the|my|) {noun}",
        )
    )
    if _EVERYWHERE in form or "whole" in form:
        # Without such words `all the lights` are those of the speaker's room.
        here = _somewhere(scene, 0.4)
    return expand(rng, form), ALL, here


_EVERYWHERE = (
    "(everywhere|in (every|each) room|in all (the|) rooms|in all (the|) areas|"
    "(in|throughout|around|across|all over) (the|my|our) (whole|entire|) "
    "(house|home|apartment|flat|place|building))"
)


def _has(scene: Scene, place: str, domain: str) -> bool:
    return any(e.domain == domain for e in scene.home.members(place))


def _somewhere(scene: Scene, chance: float, domain: str | None = None) -> str | None:
    """The area of the speaker, sometimes unknown."""
    if scene.rng.random() >= chance:
        return None
    areas = [
        a.id
        for a in scene.home.areas
        if scene.home.members(a.id) and (domain is None or _has(scene, a.id, domain))
    ]
    return scene.rng.choice(areas) if areas else None


# Actions ------------------------------------------------------------------------------


def _fill(
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


def _keys(domain: str) -> list[str]:
    return [k for k in phrases.ACTIONS if k.partition(".")[0] == domain]


def _pick_key(scene: Scene, domain: str) -> str:
    keys = _keys(domain)
    plain = [k for k in keys if ":" not in k]
    return scene.rng.choice(plain if scene.rng.random() < 0.45 and plain else keys)


def _act_on(scene: Scene, entity: Entity, key: str, target: str) -> Said | None:
    template = scene.rng.choice(phrases.ACTIONS[key])
    if entity.domain == "climate" and "{x}" not in template:
        return None
    filled = _fill(scene, key, template, target, entity)
    if filled is None:
        return None
    text, data = filled
    service = key.partition(":")[0]
    return Said(text, [{"service": service, "device": entity.entity_id, **data}])


def _single(scene: Scene) -> Said | None:
    candidates = [e for e in scene.home.entities if _keys(e.domain)]
    if not candidates:
        return None
    by_domain: dict[str, list[Entity]] = {}
    for e in candidates:
        by_domain.setdefault(e.domain, []).append(e)
    entity = scene.rng.choice(by_domain[scene.rng.choice(list(by_domain))])
    said = _act_on(
        scene, entity, _pick_key(scene, entity.domain), _mention(scene, entity)
    )
    if said is not None:
        said.text = polite(scene.rng, said.text)
        said.here = _somewhere(scene, 0.3)
    return said


def _grouped(scene: Scene) -> Said | None:
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
    group = _group(scene, domain)
    if group is None:
        return None
    target, place, here = group
    key = _pick_key(scene, domain)
    if key == "lock.unlock" or any(
        s in key for s in ("effect", "source", "preset_mode", "fan_mode")
    ):
        return None
    filled = _fill(scene, key, rng.choice(phrases.ACTIONS[key]), target, None)
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
            text = f"{text} {link} {_article(rng, spared.name.lower())}"
            wanted["except"] = spared.entity_id
            return Said(text, [wanted], here=here)
    return Said(polite(rng, text), [wanted], here=here)


def _at_place(scene: Scene) -> Said | None:
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
        here = _somewhere(scene, 0.25)
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
    filled = _fill(scene, key, template, "", None)
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


def _several(scene: Scene) -> Said | None:
    """One verb on two or three devices, or two commands in one sentence."""
    rng = scene.rng
    first = rng.choice(scene.home.entities)
    keys = _keys(first.domain)
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
            key = _pick_key(scene, first.domain)
            template = rng.choice(phrases.ACTIONS[key])
        mentions = [_mention(scene, e) for e in chosen]
        joined = f"{', '.join(mentions[:-1])} and {mentions[-1]}"
        filled = _fill(scene, key, template, joined, None)
        if filled is None:
            return None
        text, data = filled
        verb = key.partition(":")[0].partition(".")[2]
        wanted = [
            {"service": f"{e.domain}.{verb}", "device": e.entity_id, **data}
            for e in chosen
        ]
        return Said(polite(rng, text), wanted, here=_somewhere(scene, 0.2))
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
    if not _keys(entity.domain):
        return None
    return _act_on(
        scene, entity, _pick_key(scene, entity.domain), _mention(scene, entity)
    )


def _bare_group(scene: Scene) -> Said | None:
    domain = scene.rng.choice(("light", "light", "cover", "fan", "media_player"))
    group = _group(scene, domain, plural=True)
    if group is None:
        return None
    target, place, here = group
    key = scene.rng.choice([k for k in _keys(domain) if ":" not in k])
    filled = _fill(scene, key, scene.rng.choice(phrases.ACTIONS[key]), target, None)
    if filled is None:
        return None
    return Said(filled[0], [{"service": key, "place": place, **filled[1]}], here=here)


def _follow_up(scene: Scene) -> Said | None:
    """`turn it off again`: a pronoun for what was spoken of before."""
    rng = scene.rng
    entity = rng.choice(scene.home.entities)
    if not _keys(entity.domain):
        return None
    key = _pick_key(scene, entity.domain)
    target = rng.choice(("it", "it", "it", "that", "them"))
    said = _act_on(scene, entity, key, target)
    if said is None:
        return None
    said.recent = (entity.entity_id,)
    before = rng.choice(("", "", "", "and ", "now ", "okay now ", "actually "))
    said.text = before + said.text + rng.choice(("", "", "", " again", " now", " too"))
    return said


# Questions ----------------------------------------------------------------------------


def _state_question(scene: Scene) -> Said | None:
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
    text = text.replace("{x}", _mention(scene, entity))
    return Said(asked(rng, text), [query], here=_somewhere(scene, 0.25))


def _place_question(scene: Scene) -> Said | None:
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


def _scope_question(scene: Scene) -> Said | None:
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


def _sensed_question(scene: Scene) -> Said | None:
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
            _somewhere(scene, 0.3),
        )
    if roll < 0.7:
        here = _somewhere(scene, 1.0)
        if here is None:
            return None, "", None
        return "(in here|here|in this room)", "<here>", here
    return (
        "(||in the house|at home|anywhere|in the whole house)",
        ALL,
        _somewhere(scene, 0.25),
    )


# Nothing to be done -------------------------------------------------------------------


def _unknown(scene: Scene) -> Said | None:
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
        key = _pick_key(scene, domain)
        filled = _fill(
            scene, key, rng.choice(phrases.ACTIONS[key]), _article(rng, name), None
        )
        if filled is None:
            return None
        text = polite(rng, filled[0])
    else:
        states = phrases.STATES_OF_DOMAIN[domain]
        text = expand(rng, rng.choice(phrases.YES_NO)).replace(
            "{x}", _article(rng, name)
        )
        text = text.replace(
            "{s}", rng.choice(phrases.STATE_QUESTIONS[rng.choice(states)])
        )
    return Said(text, [{"reply": "not_found"}], here=_somewhere(scene, 0.2))


def _absent(scene: Scene) -> Said | None:
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
    key = _pick_key(scene, domain)
    noun = rng.choice(NOUNS[domain])
    filled = _fill(scene, key, rng.choice(phrases.ACTIONS[key]), f"the {noun}", None)
    if filled is None:
        return None
    return Said(polite(rng, filled[0]), [{"reply": "not_found"}])


def _unclear(scene: Scene) -> Said | None:
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
    key = rng.choice([k for k in _keys(domain) if ":" not in k])
    filled = _fill(scene, key, rng.choice(phrases.ACTIONS[key]), target, None)
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


def _unable(scene: Scene) -> Said | None:
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
    text = rng.choice(verbs).replace("{x}", _article(rng, name))
    return Said(polite(rng, text), [{"reply": "unable"}])


def _negation(scene: Scene) -> Said | None:
    rng = scene.rng
    if rng.random() < 0.15:
        return Said(expand(rng, rng.choice(phrases.STAY)), [{"reply": "stay"}])
    target = _mention(scene, rng.choice(scene.home.entities))
    if rng.random() < 0.3:
        group = _group(scene, rng.choice(("light", "cover", "fan")))
        if group is not None:
            target = group[0]
    text = expand(rng, rng.choice(phrases.NEGATIONS)).replace("{x}", target)
    return Said(text, [{"reply": "stay"}], here=_somewhere(scene, 0.2))


def _talk(scene: Scene) -> Said:
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
    return Said(expand(rng, rng.choice(bank)), [wanted], here=_somewhere(scene, 0.3))


Maker = Callable[[Scene], Said | None]

_MAKERS: dict[Maker, int] = {
    _single: 30,
    _grouped: 34,
    _at_place: 14,
    _several: 24,
    _follow_up: 4,
    _state_question: 10,
    _place_question: 3,
    _scope_question: 6,
    _sensed_question: 2,
    _unknown: 7,
    _absent: 2,
    _unclear: 4,
    _unable: 2,
    _negation: 3,
    _talk: 5,
}
