"""Answers from what Home Assistant keeps outside states: lists, calendars, forecasts.

An executor fetches the records (`Executor.look_up`); here they are put into words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from .home import Home
from .language import DATED_QUERIES, ITEM_QUERIES
from .queries import Query
from .speech import join_names, said_duration, said_name

LOOKED_UP = frozenset([*DATED_QUERIES, *ITEM_QUERIES, "timer", "sunrise", "sunset"])
"""Kinds of queries that states alone do not answer."""

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""Entity id -> its records, in Home Assistant's form; timers under the id `timer`,
the attributes of `sun.sun` under `sun`.

A to-do item has `summary` and `status`; an event `summary`, `start` and `end`; a day of
a forecast `datetime`, `condition`, `temperature`, `templow` and
`precipitation_probability`; a timer `name`, `length_s`, `left_s` and `area`.
"""

_MOST_TOLD = 5
_WET = frozenset("rainy pouring lightning-rainy snowy-rainy hail snowy".split())
_LIKELY = 40
"""Percent of rain from which the answer is yes."""


def days_of(query: Query, now: datetime) -> tuple[datetime, datetime]:
    """From when to when the query looks: local midnights, except for `now`."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    when = query.data.get("when", "now")
    if when == "tomorrow":
        return midnight + timedelta(days=1), midnight + timedelta(days=2)
    if when in ("week", "next"):
        return now, midnight + timedelta(days=8 if when == "week" else 60)
    return now, midnight + timedelta(days=1)


def tell(query: Query, records: Records, home: Home, now: datetime) -> str:
    """The reply in one or two sentences."""
    if query.kind == "timer":
        return _timers(records.get("timer", ()), query.data)
    if query.kind in ("sunrise", "sunset"):
        return _sun(query.kind, records.get("sun", ()), now)
    if query.kind == "events":
        return _events(query, records, now)
    if query.kind in ("weather", "rain"):
        return _weather(query, records, home, now)
    return _items(query, records, home)


def _items(query: Query, records: Records, home: Home) -> str:
    entity = home.entity(query.targets[0])
    name = said_name(entity) if entity else "the list"
    open_items = [
        str(item.get("summary", ""))
        for target in query.targets
        for item in records.get(target, ())
        if item.get("status", "needs_action") != "completed"
    ]
    if query.kind == "has_item":
        wanted = str(query.data.get("item", ""))
        found = any(wanted.casefold() in i.casefold() for i in open_items)
        told = "Yes" if found else "No"
        return f"{told}, {wanted} is {'' if found else 'not '}on {name}."
    if not open_items:
        return f"There is nothing on {name}."
    count = len(open_items)
    told = f"There {_be(count)} {count} {_noun('item', count)} on {name}"
    if query.kind == "count_items":
        return f"{told}."
    shown = open_items[:_MOST_TOLD]
    rest = count - len(shown)
    more = [f"{rest} more"] if rest else []
    return f"{told}: {join_names([*shown, *more])}."


def _events(query: Query, records: Records, now: datetime) -> str:
    start, end = days_of(query, now)
    found = []
    for target in query.targets:
        for event in records.get(target, ()):
            begins = _moment(event.get("start"), now)
            ends = _moment(event.get("end"), now)
            if begins is None or begins >= end:
                continue
            # An event is over at the moment that is its end.
            if begins >= start or (ends is not None and ends > start):
                found.append((begins, event))
    found.sort(key=lambda pair: pair[0])
    when = str(query.data.get("when", "now"))
    span = {"tomorrow": " tomorrow", "week": " this week", "today": " today"}
    if not found:
        return f"There is nothing in the calendar{span.get(when, '')}."
    if when in ("next", "now"):
        begins, event = found[0]
        return f"The next event is {_event(begins, event, now)}."
    told = [_event(begins, event, now) for begins, event in found[:_MOST_TOLD]]
    count = len(found)
    if count > _MOST_TOLD:
        told.append(f"{count - _MOST_TOLD} more")
    return (
        f"There {_be(count)} {count} {_noun('event', count)}{span.get(when, '')}: "
        f"{join_names(told)}."
    )


def _event(begins: datetime, event: Mapping[str, Any], now: datetime) -> str:
    days = (begins.date() - now.date()).days
    day = {0: "today", 1: "tomorrow"}.get(days, f"on {begins:%A}")
    if days > 6:
        day = f"on {begins:%B} {begins.day}"
    at = "" if _is_day(event.get("start")) else f" at {begins:%H:%M}"
    return f"{event.get('summary') or 'an event'} {day}{at}"


def _weather(query: Query, records: Records, home: Home, now: datetime) -> str:
    when = str(query.data.get("when", "now"))
    target = next((t for t in query.targets if home.entity(t)), "")
    entity = home.entity(target)
    if entity is None:
        return "There is no weather service in this home."
    days = list(records.get(target, ()))
    start, end = days_of(query, now)
    chosen = [
        d
        for d in days
        if (m := _moment(d.get("datetime"), now)) and _within(m, start, end)
    ]
    if query.kind == "rain":
        if not chosen:
            wet = entity.state in _WET
            return f"{'Yes' if wet else 'No'}, it is {_condition(entity.state)} now."
        chance = max(_number(d.get("precipitation_probability")) or 0 for d in chosen)
        wet = chance >= _LIKELY or any(d.get("condition") in _WET for d in chosen)
        odds = f", the chance is {chance:.0f} percent" if chance else ""
        return (
            f"{'Yes, it looks like rain' if wet else 'No, it should stay dry'}{odds}."
        )
    if when in ("now", "next") or not chosen:
        told = f"It is {_condition(entity.state)}"
        degrees = _number(entity.attributes.get("temperature"))
        if degrees is None:
            degrees = _number(entity.attributes.get("native_temperature"))
        unit = str(
            entity.attributes.get("temperature_unit")
            or entity.attributes.get("native_temperature_unit")
            or "degrees"
        )
        if degrees is not None:
            told += f" and {degrees:g} {unit}"
        lead = "" if when in ("now", "next") else "I have no forecast. "
        return f"{lead}{told} at {entity.name}."
    return " ".join(_day(d, now) for d in chosen[:_MOST_TOLD])


def _day(day: Mapping[str, Any], now: datetime) -> str:
    moment = _moment(day.get("datetime"), now) or now
    days = (moment.date() - now.date()).days
    name = {0: "Today", 1: "Tomorrow"}.get(days, f"{moment:%A}")
    told = f"{name}: {_condition(str(day.get('condition', 'unknown')))}"
    high, low = _number(day.get("temperature")), _number(day.get("templow"))
    if high is not None and low is not None:
        told += f", {low:g} to {high:g} degrees"
    elif high is not None:
        told += f", {high:g} degrees"
    return f"{told}."


def _sun(kind: str, records: Sequence[Mapping[str, Any]], now: datetime) -> str:
    key = "next_rising" if kind == "sunrise" else "next_setting"
    moment = _moment(records[0].get(key), now) if records else None
    if moment is None:
        return f"I do not know when {kind} is."
    day = "today" if moment.date() == now.date() else "tomorrow"
    return f"{kind.capitalize()} is {day} at {moment:%H:%M}."


def _timers(timers: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]) -> str:
    chosen = [t for t in timers if matches(t, wanted)]
    if not timers:
        return "No timer is running."
    if not chosen:
        return "I do not know that timer."
    told = []
    for timer in chosen[:_MOST_TOLD]:
        name = (
            f"the {timer['name']} timer"
            if timer.get("name")
            else (f"the {said_duration(int(timer['length_s']))} timer")
        )
        state = " and is paused" if timer.get("paused") else ""
        told.append(f"{name} has {said_duration(int(timer['left_s']))} left{state}")
    text = join_names(told)
    return f"{text[:1].upper()}{text[1:]}."


def matches(timer: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a running timer is the one that `name`, length or area ask for."""
    name = str(wanted.get("name", "")).casefold()
    if name and name not in str(timer.get("name", "")).casefold():
        return False
    length = wanted.get("timer_length_s")
    if length is not None and length != timer.get("length_s"):
        return False
    area = str(wanted.get("area", "")).casefold()
    return not area or area == str(timer.get("area", "")).casefold()


def _moment(value: Any, now: datetime) -> datetime | None:
    """A moment or a day in Home Assistant's forms, in the zone of `now`."""
    if isinstance(value, Mapping):
        value = value.get("dateTime") or value.get("date")
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    else:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=now.tzinfo)
    local = moment.astimezone(now.tzinfo)
    return local if now.tzinfo else local.replace(tzinfo=None)


def _is_day(value: Any) -> bool:
    """Whether a start is a day without a time of day."""
    if isinstance(value, Mapping):
        return not value.get("dateTime")
    if isinstance(value, str):
        return len(value) <= 10
    return not isinstance(value, datetime)


def _within(moment: datetime, start: datetime, end: datetime) -> bool:
    return start.date() <= moment.date() and moment < end


def _condition(state: str) -> str:
    return (
        state.replace("partlycloudy", "partly cloudy")
        .replace("-", " ")
        .replace("_", " ")
    )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e6 else None


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _noun(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"
