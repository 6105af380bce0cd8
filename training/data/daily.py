"""Timers, lists, weather, calendars and people: what an assistant does all day."""

from __future__ import annotations

from typing import Any

from homellm_edge.home import Area
from homellm_edge.language import ALL

from . import banks, texts
from .actions import fill, single
from .encoding import Length, Text
from .scene import Said, Scene, somewhere
from .surface import asked, polite
from .templates import expand


def timer_started(scene: Scene) -> Said | None:
    """A timer of the assistant's own, with or without a name."""
    rng = scene.rng
    key = rng.choice(("timer.start:duration", "timer.start:duration+name"))
    filled = fill(scene, key, banks.pick(rng, "action", key, scene.split), "", None)
    if filled is None:
        return None
    text, data = filled
    name = data.pop("name", None)
    wanted = {"service": "timer.start", "timer": name or ("new",), **data}
    label = banks.label("action", key)
    return Said(polite(rng, text), [wanted], here=somewhere(scene, 0.3), label=label)


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
    template = banks.pick(rng, kind, key, scene.split)
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
        text = asked(rng, text)
    else:
        service = key.partition(":")[0]
        wanted = {"service": service, "timer": timer, **data}
        text = polite(rng, text)
    return Said(text, [wanted], here=here, label=banks.label(kind, key))


def _which(scene: Scene) -> tuple[str, Any, str | None] | None:
    """(words, timer, here): the ways to speak of a timer that runs."""
    rng = scene.rng
    here = somewhere(scene, 0.3)
    if rng.random() < 0.25:
        name = texts.timed(rng, scene.split)
        return expand(rng, f"(the|my|our|) {name} timer"), Text(name), here
    text = expand(rng, banks.pick(rng, "timer", "", scene.split))
    if "{t}" in text and "{d}" in text:
        return None
    if "{t}" in text:
        name = texts.timed(rng, scene.split)
        return text.replace("{t}", name), Text(name), here
    if "{d}" in text:
        words, seconds = texts.duration(rng)
        return text.replace("{d}", words), Length(seconds), here
    places = [p for p in scene.places() if isinstance(p, Area)]
    if "{p}" in text and places and rng.random() < 0.8:
        place = rng.choice(places)
        where = expand(rng, f"(in the|from the|in) {place.name.lower()}")
        return text.replace("{p}", where), ("place", place.id), here
    if places and rng.random() < 0.2:
        place = rng.choice(places)
        words = expand(rng, f"(the|my) {place.name.lower()} timer")
        return words, ("place", place.id), here
    return text.replace("{p}", ""), ("the",), here


def timers_cancelled(scene: Scene) -> Said | None:
    """All timers, or all of a room."""
    rng = scene.rng
    template = banks.pick(rng, "action", "timer.cancel_all", scene.split)
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
                f"(in the|in|for the) {place.name.lower()}",
                ("place", place.id),
            )
        elif roll < 0.7 and here:
            where, timer = "(in here|here|in this room)", ("place", "<here>")
    text = expand(rng, template.replace("{p}", where))
    wanted = {"service": "timer.cancel_all", "timer": timer}
    return Said(polite(rng, text), [wanted], here=here, label="timer.cancel_all")


def later(scene: Scene) -> Said | None:
    """A command that is to be carried out when some time has passed."""
    rng = scene.rng
    said = single(scene)
    if said is None:
        return None
    words, seconds = texts.duration(rng)
    text = expand(rng, banks.pick(rng, "later", "", scene.split))
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
    template = banks.pick(rng, "action", key, scene.split)
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
        more = texts.grocery(rng, scene.split)
        words = data["item"].words
        text = text.replace(words, f"{words} and {more}")
        if " and " in words or " and " in more:
            return None
        lines.append({**wanted, "item": Text(more)})
    label = banks.label("action", key)
    return Said(polite(rng, text), lines, here=somewhere(scene, 0.2), label=label)


def list_question(scene: Scene) -> Said | None:
    """What is on a list, how much, and is this on it?"""
    rng = scene.rng
    key = rng.choice(("items", "items", "item_count", "has_item"))
    template = expand(rng, banks.pick(rng, "query", key, scene.split))
    words, meant = _list(scene)
    query = {"item_count": "count_items"}.get(key, key)
    wanted: dict[str, Any] = {"query": query, **meant}
    if key == "has_item":
        item = texts.item(rng, scene.split)
        template = template.replace("{t}", item)
        wanted["item"] = Text(item)
    text = template.replace("{l}", words)
    here = somewhere(scene, 0.2)
    return Said(asked(rng, text), [wanted], here=here, label=banks.label("query", key))


def _list(scene: Scene) -> tuple[str, dict[str, Any]]:
    """(words, target) of a list: one of the home, or the one that everybody has."""
    rng = scene.rng
    lists = scene.entities("todo")
    roll = rng.random()
    if lists and roll < 0.6:
        entity = rng.choice(lists)
        name = entity.name.lower()
        if "list" not in name and rng.random() < 0.7:
            name += " list"
        owner = expand(rng, "(the|my|our|)")
        return f"{owner} {name}".strip(), {"device": entity.entity_id}
    if any("shopping" in e.name.lower() or "grocer" in e.name.lower() for e in lists):
        entity = next(
            e
            for e in lists
            if "shopping" in e.name.lower() or "grocer" in e.name.lower()
        )
        return entity.name.lower(), {"device": entity.entity_id}
    if roll < 0.85:
        words = expand(rng, "(the|my|our|) (shopping|grocery|shopping|groceries) list")
        return words, {"list": "shopping"}
    words = expand(rng, "(the|my|our) (list|to do list|todo list|task list|todos)")
    return words, {"list": "any"}


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
    named = banks.BANK.lines("query", f"{query}_of {when}")
    template = banks.pick(rng, "query", key, scene.split)
    if named and known and rng.random() < 0.5:
        entity = rng.choice(known)
        template = banks.pick(rng, "query", f"{query}_of {when}", scene.split)
        name = entity.name.lower()
        if domain == "calendar":
            name = expand(rng, f"(my|the|our|) {name} (calendar|)")
        template = template.replace("{x}", name)
        wanted["device"] = entity.entity_id
    text = asked(rng, expand(rng, template.replace("{p}", "")))
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
    text = expand(rng, banks.pick(rng, "query", key, scene.split)).replace("{p}", "")
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
    return Said(asked(rng, text), [wanted], here=here, label=banks.label("query", key))


def sun_question(scene: Scene) -> Said:
    """When the sun rises or sets."""
    key = scene.rng.choice(("sunrise", "sunset"))
    text = expand(scene.rng, banks.pick(scene.rng, "query", key, scene.split))
    text = text.replace("{p}", "")
    label = banks.label("query", key)
    return Said(text, [{"query": key}], here=somewhere(scene, 0.2), label=label)
