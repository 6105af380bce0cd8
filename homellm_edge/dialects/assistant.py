"""What the assistant does itself, without a device: timers, and lists with no name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import CallError
from ..grounding import Grounding
from ..home import Entity, Home
from ..language import TIMER_ACTIONS
from ..services import ServiceCall, check_call
from ..text import own_words

_TEXT = re.compile(r"<T(\d+)>(?:<T(\d+)>)?")
_MARK = re.compile(r"<([A-Z])(\d+)>")
_SHOPPING = ("shopping", "grocer", "einkauf")
_LINKS = frozenset(
    ["in", "after", "for", "within", "wait", "then", "and", "from", "now"]
)


def timer_call(home: Home, found: Grounding, data: Mapping[str, Any]) -> ServiceCall:
    """A call on a timer of the assistant: `duration_s`, `name`, `area`.

    A timer is started in an area only if that is its target: Home Assistant has no
    word for it, and the executor starts it as if a device there had been asked. A room
    that is only mentioned is what the timer is for.
    """
    service, mark = str(data.get("service", "")), str(data["target_timer"])
    if service not in [f"timer.{verb}" for verb in TIMER_ACTIONS]:
        raise CallError(f"{service} is not done to a timer", "ask again")
    called: dict[str, Any] = {}
    if "duration" in data:
        called["duration_s"] = seconds(found, str(data["duration"]))
    if service == "timer.start":
        if mark == "later":
            called["command"] = _command(found, str(data.get("duration", "")))
        elif mark.startswith("<T"):
            called["name"] = text(found, mark)
        elif mark.startswith("<A"):
            called.update(timer_selector(home, found, mark))
        return ServiceCall(service, (), called)
    return ServiceCall(service, (), {**called, **timer_selector(home, found, mark)})


def timer_selector(home: Home, found: Grounding, mark: str) -> dict[str, Any]:
    """Which timer is meant: by name, length or place; empty for the only one."""
    if mark.startswith("<T"):
        return {"name": text(found, mark)}
    if mark.startswith("<D"):
        return {"timer_length_s": seconds(found, mark)}
    if not mark.startswith("<"):
        return {}
    place = found.here if mark == "<here>" else None
    match = _MARK.fullmatch(mark)
    if match and match[1] == "A" and 0 < int(match[2]) <= len(found.places):
        place = found.places[int(match[2]) - 1]
    if place is None:
        raise CallError(f"{mark!r} stands for no timer", "say which")
    known = home.area(place) or home.floor(place)
    return {"area": known.name if known else place}


def list_call(home: Home, found: Grounding, data: Mapping[str, Any]) -> ServiceCall:
    """A call on the shopping list, or on the only list there is."""
    service = str(data.get("service", ""))
    lists = lists_meant(home, str(data["target_list"]))
    called = {}
    if "item" in data:
        adding = service == "todo.add_item"
        called["item"] = text(found, str(data["item"]), counted=adding)
    if service == "todo.update_item":
        called["status"] = "completed"
    if lists:
        return check_call(home, service, lists[:1], called)
    if service == "todo.add_item":  # Home Assistant has a shopping list of its own
        return ServiceCall("shopping_list.add_item", (), called)
    raise CallError("it is not clear which list is meant", "name the list")


def lists_meant(home: Home, which: str) -> tuple[str, ...]:
    """The list that `shopping` or `any` means; empty if that is not clear."""
    lists = [e for e in home.entities if e.domain == "todo"]
    shopping = [e for e in lists if _is_shopping(e)]
    if which != "shopping" and len(lists) == 1:
        return (lists[0].entity_id,)
    return (shopping[0].entity_id,) if len(shopping) == 1 else ()


def _is_shopping(entity: Entity) -> bool:
    names = (entity.entity_id, entity.name, *entity.aliases)
    return any(word in name.casefold() for name in names for word in _SHOPPING)


def text(found: Grounding, mark: str, *, counted: bool = False) -> str:
    """The speaker's own words that `<T1>` or `<T1><T3>` stands for."""
    match = _TEXT.fullmatch(mark)
    first = int(match[1]) if match else 0
    last = int(match[2] or first) if match else 0
    if not 0 < first <= last <= len(found.texts):
        raise CallError(f"{mark!r} stands for no words", "say it in other words")
    return found.written(first - 1, last - 1, counted=counted)


def seconds(found: Grounding, mark: str) -> int:
    """The seconds that `<D1>` stands for."""
    match = _MARK.fullmatch(mark)
    number = int(match[2]) if match and match[1] == "D" else 0
    if not 0 < number <= len(found.durations):
        raise CallError(f"{mark!r} stands for no duration", "say how long")
    return round(found.durations[number - 1].seconds)


def clock(duration: int) -> str:
    """Seconds as HH:MM:SS; raises CallError from a day on."""
    if duration >= 86400:
        raise CallError("a timer entity runs less than a day", "give a shorter time")
    minutes, rest = divmod(duration, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def _command(found: Grounding, mark: str) -> str:
    """The sentence without the words that say when."""
    seconds(found, mark)  # it must be there
    match = _MARK.fullmatch(mark)
    duration = found.durations[int(match[2]) - 1 if match else 0]
    words = [t.text for t in found.tokens]
    start, end = duration.start, duration.end
    while start and words[start - 1] in _LINKS:
        start -= 1
    while end < len(words) and words[end] in _LINKS:
        end += 1
    command = own_words([*found.tokens[:start], *found.tokens[end:]])
    if not command:
        raise CallError("there is nothing to be done later", "say what")
    return command
