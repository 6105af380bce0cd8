"""Answers from what Home Assistant keeps outside states: lists, calendars, forecasts.

An executor fetches the records (`Executor.look_up`); here they are put into words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from .home import Entity, Home
from .language import DATED_QUERIES, ITEM_QUERIES
from .queries import Query
from .speech import Texts, capital, texts_for

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


def tell(
    query: Query, records: Records, home: Home, now: datetime, language: str = "en"
) -> str:
    """The reply in one or two sentences."""
    texts = texts_for(language)
    if query.kind == "timer":
        return _timers(texts, records.get("timer", ()), query.data)
    if query.kind in ("sunrise", "sunset"):
        return _sun(texts, query.kind, records.get("sun", ()), now)
    if query.kind == "events":
        return capital(_events(texts, query, records, now))
    if query.kind in ("weather", "rain"):
        return _weather(texts, query, records, home, now)
    return capital(_items(texts, query, records, home))


def _items(texts: Texts, query: Query, records: Records, home: Home) -> str:
    entity = home.entity(query.targets[0])
    name = texts.name(entity) if entity else texts.say("said.the_list")
    open_items = [
        str(item.get("summary", ""))
        for target in query.targets
        for item in records.get(target, ())
        if item.get("status", "needs_action") != "completed"
    ]
    if query.kind == "has_item":
        wanted = str(query.data.get("item", ""))
        found = any(wanted.casefold() in i.casefold() for i in open_items)
        key = "said.has_item" if found else "said.lacks_item"
        return texts.say(key, {"item": wanted, "name": name})
    if not open_items:
        return texts.say("said.no_items", {"name": name})
    key = "count_items" if query.kind == "count_items" else "items"
    count = len(open_items)
    told = _at_most(texts, open_items)
    values = {"name": name, "number": str(count), "items": told}
    return texts.say(f"said.{key}", values, count=count)


def _at_most(texts: Texts, names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    rest = len(names) - _MOST_TOLD
    more = [texts.say("said.more", {"count": str(rest)})] if rest > 0 else []
    return texts.joined([*names[:_MOST_TOLD], *more])


@dataclass(frozen=True, slots=True)
class _Event:
    begins: datetime
    ends: datetime | None
    summary: str
    all_day: bool

    def goes_on(self, now: datetime) -> bool:
        """Whether it is on at that moment; a whole day only from its second day on."""
        if self.ends is None or not self.begins <= now < self.ends:
            return False
        if not self.all_day:
            return True
        return self.begins.date() < now.date() < self.last_day

    @property
    def last_day(self) -> date:
        """The day on which it ends; the end of whole days is no part of them."""
        end = self.ends or self.begins
        return (end - timedelta(days=1)).date() if self.all_day else end.date()


def _events(texts: Texts, query: Query, records: Records, now: datetime) -> str:
    start, end = days_of(query, now)
    found: list[_Event] = []
    for target in query.targets:
        for event in records.get(target, ()):
            begins = _moment(event.get("start"), now)
            ends = _moment(event.get("end"), now)
            if begins is None or begins >= end:
                continue
            # An event is over at the moment that is its end.
            if begins >= start or (ends is not None and ends > start):
                summary = str(event.get("summary") or texts.say("said.an_event"))
                all_day = _is_day(event.get("start"))
                found.append(_Event(begins, ends, summary, all_day))
    found.sort(key=lambda event: event.begins)
    when = str(query.data.get("when", "now"))
    span = f"_{when}" if when in ("today", "tomorrow", "week") else ""
    if not found:
        return texts.say(f"said.no_events{span}")
    if when in ("next", "now"):
        return _next_events(texts, found, now)
    count = len(found)
    told = _at_most(texts, [_event(texts, event, now) for event in found])
    values = {"number": str(count), "events": told}
    return texts.say(f"said.events{span}", values, count=count)


def _next_events(texts: Texts, found: Sequence[_Event], now: datetime) -> str:
    """What is on now, and what comes next."""
    told = [
        capital(
            texts.say(
                "said.event_now",
                {"summary": event.summary, "until": _until(texts, event, now)},
            )
        )
        for event in found[:_MOST_TOLD]
        if event.goes_on(now)
    ]
    for event in found:
        if not event.goes_on(now):
            values = {"event": _event(texts, event, now)}
            told.append(texts.say("said.next_event", values))
            break
    return " ".join(told)


def _event(texts: Texts, event: _Event, now: datetime) -> str:
    if event.goes_on(now):
        values = {"summary": event.summary, "until": _until(texts, event, now)}
        return texts.say("said.event_going_on", values)
    began_before = event.begins.date() < now.date()
    moment = now if event.all_day and began_before else event.begins
    values = {"summary": event.summary, "day": _day_of(texts, moment, now)}
    if event.all_day:
        return texts.say("said.event", values)
    values["clock"] = texts.clock(event.begins)
    return texts.say("said.event_at", values, count=event.begins.hour)


def _day_of(texts: Texts, moment: datetime, now: datetime) -> str:
    """`today`, `on Monday`, `on June 3`."""
    days = (moment.date() - now.date()).days
    if days in (0, 1):
        return texts.say(f"said.{'tomorrow' if days else 'today'}")
    if days > 6:
        return texts.date("said.on_date", moment)
    return texts.days["on_weekdays"][moment.weekday()]


def _until(texts: Texts, event: _Event, now: datetime) -> str:
    """`until 11:00`, `until tomorrow at 11:00`, `until Saturday`."""
    end, day = event.ends or event.begins, event.last_day
    clock, hour = texts.clock(end), end.hour
    days = (day - now.date()).days
    if days == 0:
        return texts.say("said.until_clock", {"clock": clock}, count=hour)
    if days == 1:
        until = texts.say("said.until_tomorrow")
    elif days > 6:
        until = texts.date("said.until_date", datetime(day.year, day.month, day.day))
    else:
        until = texts.days["until_weekdays"][day.weekday()]
    if event.all_day:
        return until
    return texts.say("said.until_at", {"until": until, "clock": clock}, count=hour)


def _weather(
    texts: Texts, query: Query, records: Records, home: Home, now: datetime
) -> str:
    when = str(query.data.get("when", "now"))
    target = next((t for t in query.targets if home.entity(t)), "")
    entity = home.entity(target)
    if entity is None:
        return texts.say("said.no_weather")
    days = list(records.get(target, ()))
    start, end = days_of(query, now)
    chosen = [
        d
        for d in days
        if (m := _moment(d.get("datetime"), now)) and _within(m, start, end)
    ]
    if query.kind == "rain":
        if not chosen:
            key = "said.rain_now" if entity.state in _WET else "said.dry_now"
            return texts.say(key, {"condition": _condition(texts, entity.state)})
        chance = max(_number(d.get("precipitation_probability")) or 0 for d in chosen)
        wet = chance >= _LIKELY or any(d.get("condition") in _WET for d in chosen)
        key = f"said.{'rain' if wet else 'dry'}{'_odds' if chance else ''}"
        return texts.say(key, {"odds": f"{chance:.0f}"})
    if when in ("now", "next") or not chosen:
        told = _weather_now(texts, entity)
        if when in ("now", "next"):
            return told
        return f"{texts.say('said.no_forecast')} {told}"
    return " ".join(_day(texts, d, now) for d in chosen[:_MOST_TOLD])


def _weather_now(texts: Texts, entity: Entity) -> str:
    attributes = entity.attributes
    values = {"condition": _condition(texts, entity.state), "name": entity.name}
    degrees = _number(attributes.get("temperature"))
    if degrees is None:
        degrees = _number(attributes.get("native_temperature"))
    if degrees is None:
        return texts.say("said.weather", values)
    unit = attributes.get("temperature_unit") or attributes.get(
        "native_temperature_unit"
    )
    number = texts.number(f"{degrees:g}")
    values["degrees"] = f"{number} {unit}" if unit else texts.degrees(degrees)
    return texts.say("said.weather_degrees", values)


def _day(texts: Texts, day: Mapping[str, Any], now: datetime) -> str:
    moment = _moment(day.get("datetime"), now) or now
    days = (moment.date() - now.date()).days
    name = texts.days["weekdays"][moment.weekday()]
    if days in (0, 1):
        name = texts.say(f"said.{'tomorrow' if days else 'today'}")
    condition = str(day.get("condition", "unknown"))
    values = {"day": capital(name), "condition": _condition(texts, condition)}
    high, low = _number(day.get("temperature")), _number(day.get("templow"))
    if high is None:
        return texts.say("said.day", values)
    if low is None:
        return texts.say("said.day_high", {**values, "degrees": texts.degrees(high)})
    values["low"], values["high"] = (texts.number(f"{t:g}") for t in (low, high))
    return texts.say("said.day_range", values, count=high)


def _sun(
    texts: Texts, kind: str, records: Sequence[Mapping[str, Any]], now: datetime
) -> str:
    key = "next_rising" if kind == "sunrise" else "next_setting"
    moment = _moment(records[0].get(key), now) if records else None
    if moment is None:
        return texts.say(f"said.no_{kind}")
    day = "today" if moment.date() == now.date() else "tomorrow"
    values = {"day": texts.say(f"said.{day}"), "clock": texts.clock(moment)}
    return texts.say(f"said.{kind}", values, count=moment.hour)


def _timers(
    texts: Texts, timers: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]
) -> str:
    chosen = [t for t in timers if matches(t, wanted)]
    if not timers:
        return texts.say("said.no_timer")
    if not chosen:
        return texts.say("said.unknown_timer")
    told = []
    for timer in chosen[:_MOST_TOLD]:
        values = {
            "name": str(timer.get("name") or ""),
            "length": texts.duration(int(timer["length_s"])),
            "left": texts.duration(int(timer["left_s"])),
        }
        key = "timer_named" if values["name"] else "timer_of"
        paused = "_paused" if timer.get("paused") else ""
        told.append(texts.say(f"said.{key}{paused}", values))
    return f"{capital(texts.joined(told))}."


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


def _condition(texts: Texts, state: str) -> str:
    if texts.has(f"weather.{state}"):
        return texts.word("weather", state)
    # Some services join words of their own.
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
