"""Timers, lists, weather, calendars and people: what an assistant does all day."""

from __future__ import annotations

from typing import Any

from homellm_edge.home import Area
from homellm_edge.language import ALL
from homellm_edge.phrases import load

from . import banks
from .actions import fill, single
from .encoding import Length, Text
from .places import somewhere
from .scene import Said, Scene


def timer_started(scene: Scene) -> Said | None:
    """A timer of the assistant's own, with or without a name."""
    rng = scene.rng
    key = rng.choice(("timer.start:duration", "timer.start:duration+name"))
    filled = fill(scene, key, scene.pick("action", key), "", None)
    if filled is None:
        return None
    text, data = filled
    name = data.pop("name", None)
    wanted = {"service": "timer.start", "timer": name or ("new",), **data}
    label = banks.label("action", key)
    return Said(
        scene.wording.polite(rng, text),
        [wanted],
        here=somewhere(scene, 0.3),
        label=label,
    )


def timer_changed(scene: Scene) -> Said | None:
    """A running timer: more, less, paused, gone, or how long it still runs."""
    rng = scene.rng
    key = rng.choice(
        (
            "timer.increase:duration",
            "timer.decrease:duration",
            "timer.cancel",
            "timer.pause",
            "timer.unpause",
            "timer",
        )
    )
    kind = "query" if key == "timer" else "action"
    template = scene.pick(kind, key)
    made = _which(scene)
    if made is None:
        return None
    which, timer, here = made
    if isinstance(timer, Length) and "{d}" in template and rng.random() < 0.5:
        return None
    filled = fill(scene, key, template, "", None)
    if filled is None:
        return None
    text, data = filled
    text = text.replace("{m}", which)
    if kind == "query":
        wanted: dict[str, Any] = {"query": "timer", "timer": timer}
        text = scene.wording.asked(rng, text)
    else:
        service = key.partition(":")[0]
        wanted = {"service": service, "timer": timer, **data}
        text = scene.wording.polite(rng, text)
    return Said(text, [wanted], here=here, label=banks.label(kind, key))


def _which(scene: Scene) -> tuple[str, Any, str | None] | None:
    """(words, timer, here): the ways to speak of a timer that runs."""
    rng = scene.rng
    here = somewhere(scene, 0.3)
    if rng.random() < 0.25:
        name = scene.wording.text(rng, "timed", scene.split)
        return scene.expand(scene.wording.timer_for(name)), Text(name), here
    text = scene.expand(scene.pick("timer", ""))
    if "{t}" in text and "{d}" in text:
        return None
    if "{t}" in text:
        name = scene.wording.text(rng, "timed", scene.split)
        return text.replace("{t}", name).replace("{p}", ""), Text(name), here
    if "{d}" in text:
        words, seconds = scene.wording.duration(rng)
        return text.replace("{d}", words).replace("{p}", ""), Length(seconds), here
    places = [p for p in scene.places() if isinstance(p, Area)]
    if "{p}" in text and places and rng.random() < 0.8:
        place = rng.choice(places)
        where = scene.expand(scene.wording.place(place, "timer"))
        return text.replace("{p}", where), ("place", place.id), here
    if places and rng.random() < 0.2:
        place = rng.choice(places)
        words = scene.expand(scene.wording.timer_of_place(place))
        return words, ("place", place.id), here
    return text.replace("{p}", ""), ("the",), here


def timers_cancelled(scene: Scene) -> Said | None:
    """All timers, or all of a room."""
    rng = scene.rng
    template = scene.pick("action", "timer.cancel_all")
    timer: tuple[str, ...] = ("all",)
    here = somewhere(scene, 0.4)
    where = ""
    places = [p for p in scene.places() if isinstance(p, Area)]
    if "{p}" not in template and places and rng.random() < 0.3:
        template += " {p}"
    if "{p}" in template:
        roll = rng.random()
        if roll < 0.5 and places:
            place = rng.choice(places)
            where, timer = (
                scene.wording.place(place, "timers"),
                ("place", place.id),
            )
        elif roll < 0.7 and here:
            where, timer = scene.wording.here("timers"), ("place", "<here>")
    text = scene.expand(template.replace("{p}", where))
    wanted = {"service": "timer.cancel_all", "timer": timer}
    return Said(
        scene.wording.polite(rng, text), [wanted], here=here, label="timer.cancel_all"
    )


def later(scene: Scene) -> Said | None:
    """A command that is to be carried out when some time has passed."""
    rng = scene.rng
    said = single(scene)
    if said is None:
        return None
    words, seconds = scene.wording.duration(rng)
    text = scene.expand(scene.pick("later", ""))
    text = text.replace("{d}", words).replace("{x}", said.text)
    duration = Length(seconds)
    wanted = {"service": "timer.start", "timer": ("later",), "duration": duration}
    return Said(text, [wanted], here=said.here, label="later")


def on_list(scene: Scene) -> Said | None:
    """Something is put on a list, done, or taken off."""
    rng = scene.rng
    key = rng.choice(
        (
            "todo.add_item:item",
            "todo.add_item:item",
            "todo.add_item:item buy",
            "todo.update_item:item",
            "todo.update_item:item any",
            "todo.remove_item:item",
            "todo.remove_completed_items",
        )
    )
    template = scene.pick("action", key)
    filled = fill(scene, key, template, "", None)
    if filled is None:
        return None
    text, data = filled
    service, _, form = key.partition(":")
    _, _, variant = form.partition(" ")
    wanted: dict[str, Any] = {"service": service}
    if variant == "buy":
        wanted["list"] = "shopping"
    elif variant == "any":
        wanted["list"] = "any"
    else:
        words, meant = _list(scene)
        wanted |= meant
        text = text.replace("{l}", words)
    wanted |= data
    lines = [wanted]
    if service == "todo.add_item" and rng.random() < 0.12:
        more = scene.wording.text(rng, "grocery", scene.split)
        words = data["item"].words
        both = scene.wording.item_pair(words, more)
        if both is None:
            return None
        text = text.replace(words, both)
        lines.append({**wanted, "item": Text(more)})
    label = banks.label("action", key)
    return Said(
        scene.wording.polite(rng, text), lines, here=somewhere(scene, 0.2), label=label
    )


def list_question(scene: Scene) -> Said | None:
    """What is on a list, how much, and is this on it?"""
    rng = scene.rng
    key = rng.choice(("items", "items", "item_count", "has_item"))
    template = scene.expand(scene.pick("query", key))
    words, meant = _list(scene)
    query = {"item_count": "count_items"}.get(key, key)
    wanted: dict[str, Any] = {"query": query, **meant}
    if key == "has_item":
        item = scene.wording.text(rng, "item", scene.split)
        template = template.replace("{t}", item)
        wanted["item"] = Text(item)
    text = template.replace("{l}", words)
    here = somewhere(scene, 0.2)
    return Said(
        scene.wording.asked(rng, text),
        [wanted],
        here=here,
        label=banks.label("query", key),
    )


def _list(scene: Scene) -> tuple[str, dict[str, Any]]:
    """(words, target) of a list: one of the home, or the one that everybody has."""
    rng = scene.rng
    lists = scene.entities("todo")
    roll = rng.random()
    if lists and roll < 0.6:
        entity = rng.choice(lists)
        words = scene.wording.list_named(rng, entity.name.lower())
        return words, {"device": entity.entity_id}
    for entity in lists:
        if scene.wording.is_shopping(entity.name.lower()):
            return entity.name.lower(), {"device": entity.entity_id}
    if roll < 0.85:
        return scene.wording.shopping_list(rng), {"list": "shopping"}
    return scene.wording.only_list(rng), {"list": "any"}


_DATED = (
    ("weather", "now", 3),
    ("weather", "today", 2),
    ("weather", "tomorrow", 2),
    ("weather", "week", 1),
    ("rain", "today", 2),
    ("rain", "tomorrow", 2),
    ("events", "next", 2),
    ("events", "today", 2),
    ("events", "tomorrow", 2),
    ("events", "week", 1),
)


def dated_question(scene: Scene) -> Said | None:
    """The weather, rain, and what is in the calendar."""
    rng = scene.rng
    query, when, _ = rng.choices(_DATED, [d[2] for d in _DATED])[0]
    domain = "calendar" if query == "events" else "weather"
    wanted: dict[str, Any] = {"query": query, "when": when}
    known = scene.entities(domain)
    key = f"{query} {when}"
    bank = load(scene.wording.language)
    named = bank.lines("query", f"{query}_of {when}")
    template = scene.pick("query", key)
    if named and known and rng.random() < 0.5:
        entity = rng.choice(known)
        template = scene.pick("query", f"{query}_of {when}")
        name = entity.name.lower()
        if domain == "calendar":
            name = scene.wording.calendar(rng, name)
        template = template.replace("{x}", name)
        wanted["device"] = entity.entity_id
    text = scene.wording.asked(rng, scene.expand(template.replace("{p}", "")))
    label = banks.label("query", key)
    return Said(text, [wanted], here=somewhere(scene, 0.3), label=label)


def person_question(scene: Scene) -> Said | None:
    """Where somebody is, who is at home."""
    rng = scene.rng
    people = scene.entities("person")
    key = rng.choice(
        (
            "person_where",
            "person_where",
            "person_home",
            "person_away",
            "anyone_home",
            "who_home",
            "who_away",
        )
    )
    text = scene.expand(scene.pick("query", key)).replace("{p}", "")
    wanted: dict[str, Any]
    if key.startswith("person"):
        if not people:
            return None
        entity = rng.choice(people)
        text = text.replace("{x}", entity.name.lower())
        wanted = {"query": "state", "device": entity.entity_id}
        if key != "person_where":
            wanted["is"] = key.partition("_")[2]
    else:
        kind = "any" if key == "anyone_home" else "list"
        state = "away" if key == "who_away" else "home"
        wanted = {"query": kind, "domain": "person", "place": ALL, "is": state}
    here = somewhere(scene, 0.2)
    return Said(
        scene.wording.asked(rng, text),
        [wanted],
        here=here,
        label=banks.label("query", key),
    )


def sun_question(scene: Scene) -> Said:
    """When the sun rises or sets."""
    key = scene.rng.choice(("sunrise", "sunset"))
    text = scene.expand(scene.pick("query", key))
    text = text.replace("{p}", "")
    label = banks.label("query", key)
    return Said(text, [{"query": key}], here=somewhere(scene, 0.2), label=label)
