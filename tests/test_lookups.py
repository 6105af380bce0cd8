"""What lists, calendars, forecasts and timers hold, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.home import Home, home_from_dict
from homellm_edge.language import DATED_QUERIES, ITEM_QUERIES, PLAIN_QUERIES, WHEN
from homellm_edge.lookups import LOOKED_UP, days_of, matches, tell
from homellm_edge.queries import Query

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2024, 5, 15, 10, 30, tzinfo=BERLIN)  # a Wednesday

HOME = home_from_dict(
    {
        "entities": [
            {"entity_id": "todo.shopping", "name": "Shopping List", "state": "2"},
            {"entity_id": "calendar.family", "name": "Family", "state": "off"},
            {"entity_id": "calendar.work", "name": "Work", "state": "off"},
            {"entity_id": "weather.home", "name": "Home", "state": "partlycloudy",
             "attributes": {"temperature": 17.5, "temperature_unit": "°C"}},
        ]
    }
)  # fmt: skip
CALENDARS = ("calendar.family", "calendar.work")

Record = Mapping[str, Any]


def _items(kind: str, items: Sequence[Record], **data: Any) -> str:
    query = Query(kind, ("todo.shopping",), data=data)
    return tell(query, {"todo.shopping": items}, HOME, NOW)


def test_what_is_on_a_list() -> None:
    items = [
        {"summary": "milk", "status": "needs_action"},
        {"summary": "bread", "status": "completed"},
        {"summary": "eggs"},
    ]
    assert _items("items", items) == (
        "There are 2 items on the Shopping List: milk and eggs."
    )
    assert _items("count_items", items) == "There are 2 items on the Shopping List."
    assert _items("count_items", items[:1]) == "There is 1 item on the Shopping List."
    assert _items("items", items[1:2]) == "There is nothing on the Shopping List."
    many = [{"summary": f"thing {n}"} for n in range(7)]
    assert _items("items", many).endswith("thing 3, thing 4 and 2 more.")


def test_whether_something_is_on_a_list() -> None:
    items = [{"summary": "2 liters of Milk"}, {"summary": "tea", "status": "completed"}]
    said = _items("has_item", items, item="milk")
    assert said == "Yes, milk is on the Shopping List."
    assert _items("has_item", items, item="tea") == (
        "No, tea is not on the Shopping List."
    )
    assert _items("has_item", [], item="tea").startswith("No, ")


def test_a_list_that_could_not_be_read() -> None:
    query = Query("items", ("todo.shopping",))
    assert tell(query, {}, HOME, NOW) == "There is nothing on the Shopping List."


def _events(when: str, *events: Record, now: datetime = NOW) -> str:
    query = Query("events", CALENDARS, data={"when": when})
    return tell(query, {"calendar.family": events}, HOME, now)


def _event(summary: str, start: str, end: str) -> Record:
    return {"summary": summary, "start": start, "end": end}


DENTIST = _event("Dentist", "2024-05-15T14:00:00+02:00", "2024-05-15T15:00:00+02:00")
HOLIDAY = _event("Holiday", "2024-05-15", "2024-05-16")
PARTY = _event("Party", "2024-05-16T20:00:00+02:00", "2024-05-17T02:00:00+02:00")


def test_events_of_a_day() -> None:
    assert _events("today", DENTIST, PARTY) == (
        "There is 1 event today: Dentist today at 14:00."
    )
    assert _events("tomorrow", DENTIST, PARTY) == (
        "There is 1 event tomorrow: Party tomorrow at 20:00."
    )
    assert _events("week", PARTY, DENTIST) == (
        "There are 2 events this week: Dentist today at 14:00 and Party tomorrow at "
        "20:00."
    )
    assert _events("next", PARTY, DENTIST) == (
        "The next event is Dentist today at 14:00."
    )
    assert _events("tomorrow") == "There is nothing in the calendar tomorrow."


def test_a_whole_day_ends_at_midnight() -> None:
    """The end of an event is no part of it: today's holiday is not tomorrow's."""
    assert _events("today", HOLIDAY) == "There is 1 event today: Holiday today."
    assert _events("tomorrow", HOLIDAY) == "There is nothing in the calendar tomorrow."
    later = NOW + timedelta(days=1)
    assert _events("today", HOLIDAY, now=later).startswith("There is nothing")


def test_what_is_going_on_counts_and_what_is_over_does_not() -> None:
    on = _event("Meeting", "2024-05-15T10:00:00+02:00", "2024-05-15T11:00:00+02:00")
    over = _event("Breakfast", "2024-05-15T08:00:00+02:00", "2024-05-15T09:00:00+02:00")
    assert _events("today", on, over) == (
        "There is 1 event today: Meeting now until 11:00."
    )
    moment = {"summary": "Call", "start": "2024-05-15T08:00:00+02:00"}
    assert _events("today", moment).startswith("There is nothing")


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("2024-05-15", "X today"),
        (date(2024, 5, 15), "X today"),
        ({"date": "2024-05-15"}, "X today"),
        ("2024-05-15T12:00:00", "X today at 12:00"),
        ("2024-05-15T10:00:00Z", "X today at 12:00"),
        (datetime(2024, 5, 15, 10, tzinfo=timezone.utc), "X today at 12:00"),  # noqa: UP017
        ({"dateTime": "2024-05-15T12:00:00+02:00"}, "X today at 12:00"),
        ("2024-05-18T12:00:00", "X on Saturday at 12:00"),
        ("2024-06-03", "X on June 3"),
    ],
)
def test_all_forms_of_a_start(start: object, told: str) -> None:
    event = {"summary": "X", "start": start, "end": "2024-12-01"}
    assert _events("next", event) == f"The next event is {told}."


def test_no_more_events_are_announced_than_told() -> None:
    events = [
        _event(f"E{n}", f"2024-05-15T{n + 11}:00:00", f"2024-05-15T{n + 11}:30:00")
        for n in range(7)
    ]
    told = _events("today", *events)
    assert told.startswith("There are 7 events today: E0 today at 11:00")
    assert told.endswith("E4 today at 15:00 and 2 more.")


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2024-05-15T10:30:00", "2024-05-15T11:00:00", "until 11:00"),
        ("2024-05-13T09:00:00", "2024-05-16T12:00:00", "until tomorrow at 12:00"),
        ("2024-05-13T09:00:00", "2024-05-18T12:00:00", "until Saturday at 12:00"),
        ("2024-05-13", "2024-05-17", "until tomorrow"),
        ("2024-05-13", "2024-05-19", "until Saturday"),
        ("2024-05-13", "2024-06-04", "until June 3"),
    ],
)
def test_until_when_an_event_is_on(start: str, end: str, told: str) -> None:
    """Never `on Monday` of one that began last Monday."""
    event = _event("Trip", start, end)
    assert _events("next", event) == f"Trip is on now {told}."
    assert _events("week", event) == f"There is 1 event this week: Trip now {told}."
    assert _events("next", event, PARTY) == (
        f"Trip is on now {told}. The next event is Party tomorrow at 20:00."
    )


def test_the_last_of_several_days_is_today() -> None:
    event = _event("Trip", "2024-05-13", "2024-05-16")
    assert _events("next", event) == "The next event is Trip today."


def _weather(kind: str, when: str, *days: Record, home: Home = HOME) -> str:
    query = Query(kind, ("weather.home",), data={"when": when})
    return tell(query, {"weather.home": days}, home, NOW)


TODAY = {"datetime": "2024-05-15T10:00:00+00:00", "condition": "rainy",
         "temperature": 16, "templow": 9, "precipitation_probability": 80}  # fmt: skip
TOMORROW = {"datetime": "2024-05-16T10:00:00+00:00", "condition": "sunny",
            "temperature": 21.5, "precipitation_probability": 10}  # fmt: skip


def test_the_weather() -> None:
    assert _weather("weather", "now", TODAY) == (
        "It is partly cloudy and 17.5 °C at Home."
    )
    assert _weather("weather", "today", TODAY, TOMORROW) == (
        "Today: rainy, 9 to 16 degrees."
    )
    assert _weather("weather", "tomorrow", TODAY, TOMORROW) == (
        "Tomorrow: sunny, 21.5 degrees."
    )
    assert _weather("weather", "week", TODAY, TOMORROW).count(":") == 2
    assert _weather("weather", "tomorrow", TODAY).startswith("I have no forecast. It")


def test_rain() -> None:
    days = (TODAY, TOMORROW)
    assert _weather("rain", "today", *days) == (
        "Yes, it looks like rain, the chance is 80 percent."
    )
    assert _weather("rain", "tomorrow", *days) == (
        "No, it should stay dry, the chance is 10 percent."
    )
    assert _weather("rain", "tomorrow") == "No, it is partly cloudy now."
    wet = HOME.with_state("weather.home", "pouring")
    assert _weather("rain", "today", home=wet) == "Yes, it is pouring now."


def test_a_home_without_weather() -> None:
    query = Query("weather", ("weather.gone",), data={"when": "now"})
    assert tell(query, {}, HOME, NOW) == "There is no weather service in this home."


def test_the_sun() -> None:
    records = {"sun": [{"next_rising": "2024-05-16T03:10:00+00:00",
                        "next_setting": "2024-05-15T19:00:00+00:00"}]}  # fmt: skip
    assert tell(Query("sunrise"), records, HOME, NOW) == (
        "Sunrise is tomorrow at 05:10."
    )
    assert tell(Query("sunset"), records, HOME, NOW) == "Sunset is today at 21:00."
    nothing: list[dict[str, Any]] = [{}, {"sun": []}, {"sun": [{"next_rising": ""}]}]
    for none in nothing:
        told = tell(Query("sunrise"), none, HOME, NOW)
        assert told == "I do not know when sunrise is."


PIZZA = {"name": "Pizza", "length_s": 600, "left_s": 61, "area": "Kitchen"}
PLAIN = {"name": "", "length_s": 5400, "left_s": 3600, "area": "Office",
         "paused": True}  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({}, "The Pizza timer has 1 minute 1 second left and the 1 hour 30 minutes "
             "timer has 1 hour left and is paused."),
        ({"name": "pizza"}, "The Pizza timer has 1 minute 1 second left."),
        ({"timer_length_s": 5400}, "The 1 hour 30 minutes timer has 1 hour left and is "
                                   "paused."),
        ({"area": "kitchen"}, "The Pizza timer has 1 minute 1 second left."),
        ({"name": "tea"}, "I do not know that timer."),
    ],
)  # fmt: skip
def test_timers(wanted: Record, told: str) -> None:
    records = {"timer": [PIZZA, PLAIN]}
    assert tell(Query("timer", data=wanted), records, HOME, NOW) == told
    assert tell(Query("timer", data=wanted), {}, HOME, NOW) == "No timer is running."


def test_a_timer_has_to_be_all_that_is_said() -> None:
    assert matches(PIZZA, {"name": "pizza", "timer_length_s": 600, "area": "KITCHEN"})
    assert not matches(PIZZA, {"name": "pizza", "timer_length_s": 5400})
    assert not matches(PIZZA, {"name": "pizza", "area": "Office"})
    assert not matches(PLAIN, {"name": "pizza"})


def test_the_days_of_a_query_are_local_even_when_clocks_change() -> None:
    sunday = datetime(2024, 3, 31, 0, 30, tzinfo=BERLIN)  # a day of 23 hours
    start, end = days_of(Query("events", data={"when": "today"}), sunday)
    assert (start, end.isoformat()) == (sunday, "2024-04-01T00:00:00+02:00")
    start, end = days_of(Query("events", data={"when": "tomorrow"}), sunday)
    assert (start.isoformat(), end.isoformat()) == (
        "2024-04-01T00:00:00+02:00",
        "2024-04-02T00:00:00+02:00",
    )


_VALUE = st.none() | st.text(max_size=6) | st.floats() | st.just("2024-05-15T12:00:00Z")
_RECORD = st.dictionaries(
    st.sampled_from(
        "summary status start end datetime condition temperature templow "
        "precipitation_probability next_rising".split()
    ),
    _VALUE,
)
_KINDS = [*DATED_QUERIES, *ITEM_QUERIES, "sunrise", "sunset"]


@given(
    st.sampled_from(_KINDS), st.sampled_from(WHEN), st.lists(_RECORD, max_size=4),
    st.booleans(),
)  # fmt: skip
def test_odd_records_are_told_somehow(
    kind: str, when: str, records: list[Record], aware: bool
) -> None:
    """They come from services of other people's making; a naive clock is one, too."""
    targets = ("todo.shopping", "calendar.family", "weather.home")
    domain = "todo" if kind in ITEM_QUERIES else "weather"
    domain = "calendar" if kind == "events" else domain
    chosen = tuple(t for t in targets if t.startswith(domain))
    found = dict.fromkeys((*chosen, "sun"), records)
    query = Query(kind, chosen, data={"when": when, "item": "milk"})
    now = NOW if aware else NOW.replace(tzinfo=None)
    assert tell(query, found, HOME, now).endswith(".")


def test_what_is_looked_up_is_what_states_do_not_say() -> None:
    assert {*LOOKED_UP} == {*_KINDS, "timer"}
    assert {*PLAIN_QUERIES} - LOOKED_UP == {"time", "date"}
