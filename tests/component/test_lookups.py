"""What Home Assistant keeps outside states: lists, calendars, forecasts, the sun."""

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.components.calendar import CalendarEntity, CalendarEvent
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    setup_test_component_platform,
)

from custom_components.homellm_edge import waiting
from custom_components.homellm_edge.executor import HassExecutor
from homellm_edge.lookups import tell
from homellm_edge.queries import Query
from support import Shopping

SHOPPING = "todo.shopping_list"


@pytest.fixture
async def demo(home: HomeAssistant) -> None:
    """Home Assistant's demo calendars and weather services, exposed."""
    platforms = [Platform.CALENDAR, Platform.WEATHER]
    with patch(
        "homeassistant.components.demo.COMPONENTS_WITH_CONFIG_ENTRY_DEMO_PLATFORM",
        platforms,
    ):
        entry = MockConfigEntry(domain="demo")
        entry.add_to_hass(home)
        assert await home.config_entries.async_setup(entry.entry_id)
        await home.async_block_till_done()
    for state in home.states.async_all(["calendar", "weather"]):
        async_expose_entity(home, "conversation", state.entity_id, True)


async def _todo(hass: HomeAssistant, service: str, **data: Any) -> None:
    await hass.services.async_call(
        "todo", service, {"entity_id": SHOPPING, **data}, blocking=True
    )


async def test_what_is_to_be_done_on_a_list(
    hass: HomeAssistant, runs: HassExecutor, shopping: Shopping
) -> None:
    for item in ("Milk", "Eggs", "Bread"):
        await _todo(hass, "add_item", item=item)
    await _todo(hass, "update_item", item="Bread", status="completed")
    query = Query("items", (SHOPPING,))
    records = await runs.look_up(query)
    assert [i["summary"] for i in records[SHOPPING]] == ["Milk", "Eggs"]
    told = tell(query, records, runs.home(), dt_util.now())
    assert told == "There are 2 items on the Shopping list: Milk and Eggs."


async def test_what_is_not_exposed_is_not_read(
    hass: HomeAssistant, runs: HassExecutor, shopping: Shopping
) -> None:
    async_expose_entity(hass, "conversation", SHOPPING, False)
    assert await runs.look_up(Query("items", (SHOPPING,))) == {}


async def test_only_lists_calendars_and_forecasts_are_read(runs: HassExecutor) -> None:
    assert await runs.look_up(Query("items", ("light.kitchen_lamp",))) == {}


class _Calendar(CalendarEntity):
    _attr_name = "Family"
    entity_id = "calendar.family"

    def __init__(self) -> None:
        self.asked: tuple[Any, Any] | None = None

    @property
    def event(self) -> CalendarEvent | None:
        return None

    async def async_get_events(self, hass, start_date, end_date):
        self.asked = (start_date, end_date)
        midnight = start_date.replace(hour=0, minute=0, second=0, microsecond=0)
        return [
            CalendarEvent(
                start=midnight + timedelta(hours=9),
                end=midnight + timedelta(hours=10),
                summary="Dentist",
            ),
            CalendarEvent(
                start=midnight.date(),
                end=midnight.date() + timedelta(days=1),
                summary="Birthday",
            ),
        ]


async def test_events_of_the_days_asked_for(
    hass: HomeAssistant, runs: HassExecutor
) -> None:
    await hass.config.async_set_time_zone("America/New_York")
    calendar = _Calendar()
    setup_test_component_platform(hass, "calendar", [calendar])
    assert await async_setup_component(
        hass, "calendar", {"calendar": {"platform": "test"}}
    )
    await hass.async_block_till_done()
    async_expose_entity(hass, "conversation", "calendar.family", True)
    query = Query("events", ("calendar.family",), data={"when": "tomorrow"})
    records = await runs.look_up(query)
    start, end = calendar.asked
    tomorrow = dt_util.start_of_local_day() + timedelta(days=1)
    assert start == tomorrow
    assert timedelta(hours=23) <= end - start <= timedelta(hours=25)
    summaries = [e["summary"] for e in records["calendar.family"]]
    assert summaries == ["Dentist", "Birthday"]
    told = tell(query, records, runs.home(), dt_util.now())
    assert told == (
        "There are 2 events tomorrow: Birthday tomorrow and Dentist tomorrow at 09:00."
    )


async def test_demo_calendars_and_forecasts(runs: HassExecutor, demo: None) -> None:
    calendars = ("calendar.calendar_1", "calendar.calendar_2")
    found = await runs.look_up(Query("events", calendars, data={"when": "week"}))
    assert [e["summary"] for e in found[calendars[0]]] == ["Future Event"]
    assert [e["summary"] for e in found[calendars[1]]] == ["Current Event"]
    query = Query("weather", ("weather.demo_weather_south",), data={"when": "week"})
    found = await runs.look_up(query)
    days = found["weather.demo_weather_south"]
    assert len(days) == 7
    assert (
        days[0].items()
        >= {
            "condition": "rainy",
            "temperature": 22.0,
            "templow": 15.0,
            "precipitation_probability": 60,
        }.items()
    )


async def test_what_these_queries_need_is_in_the_home(
    hass: HomeAssistant, runs: HassExecutor, demo: None
) -> None:
    others = ("person.ann", "timer.tea", "water_heater.boiler", "lawn_mower.bob")
    for entity_id in (*others, "alarm_control_panel.house"):
        hass.states.async_set(entity_id, "idle", {"supported_features": 3})
        async_expose_entity(hass, "conversation", entity_id, True)
    await hass.async_block_till_done()
    home = runs.home()
    weather = home.entity("weather.demo_weather_south").attributes
    assert (weather["temperature"], weather["temperature_unit"]) == (21.6, "°C")
    assert weather["supported_features"] == 1
    event = home.entity("calendar.calendar_2").attributes
    assert event["message"] == "Current Event"
    assert event["start_time"] < event["end_time"]
    assert {e.domain for e in home.entities} >= {
        *(e.partition(".")[0] for e in others),
        "alarm_control_panel",
        "weather",
        "calendar",
    }


@pytest.mark.parametrize("expected_lingering_timers", [True])  # the sun goes on
async def test_the_sun_need_not_be_exposed(
    hass: HomeAssistant, runs: HassExecutor
) -> None:
    assert await runs.look_up(Query("sunset")) == {"sun": []}
    assert await async_setup_component(hass, "sun", {})
    await hass.async_block_till_done()
    async_expose_entity(hass, "conversation", "sun.sun", False)
    query = Query("sunset")
    records = await runs.look_up(query)
    assert "next_rising" in records["sun"][0]
    told = tell(query, records, runs.home(), dt_util.now())
    assert told.startswith("Sunset is to")


@pytest.mark.parametrize("error", [HomeAssistantError("gone"), KeyError("a bug")])
async def test_one_list_that_fails_leaves_the_others(
    hass: HomeAssistant, runs: HassExecutor, error: Exception
) -> None:
    async def get_items(call: Any) -> dict[str, Any]:
        entity_id = call.data["entity_id"]
        if entity_id == "todo.bad":
            raise error
        return {entity_id: {"items": [{"summary": "Milk"}]}}

    hass.services.async_register(
        "todo", "get_items", get_items, supports_response=SupportsResponse.ONLY
    )
    for entity_id in ("todo.bad", "todo.good"):
        hass.states.async_set(entity_id, "1")
    found = await runs.look_up(Query("items", ("todo.bad", "todo.good")))
    assert found == {"todo.good": [{"summary": "Milk"}]}


async def test_a_slow_list_is_given_up(
    hass: HomeAssistant, runs: HassExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "CALL_TIMEOUT", 0.01)
    answer = asyncio.Event()

    async def slow(_: object) -> dict[str, Any]:
        await answer.wait()
        return {}

    hass.services.async_register(
        "todo", "get_items", slow, supports_response=SupportsResponse.ONLY
    )
    hass.states.async_set("todo.slow", "1")
    assert await runs.look_up(Query("items", ("todo.slow",))) == {}
    answer.set()
    await hass.async_block_till_done()
