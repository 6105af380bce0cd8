"""Timers of voice satellites, through Home Assistant's own intents."""

import asyncio
from typing import Any

import pytest
from homeassistant.components.intent import (
    TimerEventType,
    TimerInfo,
    async_register_timer_handler,
)
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import intent
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.homellm_edge.executor import HassExecutor
from custom_components.homellm_edge.home_source import HomeSource
from custom_components.homellm_edge.request import Request, acting_for
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.queries import Query
from homellm_edge.services import ServiceCall
from support import AGENT, Ask, SetUp, command, said

MINUTES_5 = {"duration_s": 300}
NO_SUPPORT = "This device cannot run timers; ask a voice satellite that can."


class Satellites:
    """Two devices that run timers (kitchen, bedroom) and one that does not."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.events: list[tuple[str, TimerEventType, TimerInfo]] = []
        entry = MockConfigEntry(domain="test")
        entry.add_to_hass(hass)
        self.kitchen, self.bedroom, self.plain = (
            self._device(entry, n) for n in ("Kitchen", "Bedroom", "")
        )
        for device_id in (self.kitchen, self.bedroom):
            async_register_timer_handler(
                hass, device_id, lambda e, t, d=device_id: self.events.append((d, e, t))
            )
        source = HomeSource(hass, lambda: None)
        self.executor = HassExecutor(hass, source)

    def _device(self, entry: MockConfigEntry, area: str) -> str:
        registry = dr.async_get(self.hass)
        device = registry.async_get_or_create(
            config_entry_id=entry.entry_id, identifiers={("test", area)}
        )
        found = ar.async_get(self.hass).async_get_area_by_name(area) if area else None
        registry.async_update_device(device.id, area_id=found.id if found else None)
        return device.id

    def request(self, device_id: str | None) -> Request:
        return Request(Context(), "en", device_id, None, AGENT)

    async def do(self, verb: str, device_id: str | None = None, **data: Any) -> str:
        """The error of one call that the device (the kitchen's) heard."""
        with acting_for(self.request(device_id or self.kitchen)):
            result = await self.executor.execute(ServiceCall(f"timer.{verb}", (), data))
        return result.error

    async def timers(self, **data: Any) -> list[dict[str, Any]]:
        with acting_for(self.request(self.kitchen)):
            found = await self.executor.look_up(Query("timer", data=data))
        return [dict(timer) for timer in found["timer"]]

    async def left(self) -> dict[str, int]:
        return {t["name"]: t["left_s"] for t in await self.timers()}


@pytest.fixture
def satellites(home: HomeAssistant):
    return Satellites(home)


async def test_a_timer_starts_on_the_device_that_heard_it(
    satellites: Satellites,
) -> None:
    assert await satellites.do("start", duration_s=5430, name="pizza") == ""
    [(device_id, event, timer)] = satellites.events
    assert (device_id, event) == (satellites.kitchen, TimerEventType.STARTED)
    assert (timer.name, timer.seconds, timer.language) == ("pizza", 5430, "en")
    units = (timer.start_hours, timer.start_minutes, timer.start_seconds)
    assert units == (1, 30, 30)


async def test_a_length_is_given_in_the_units_that_it_has(
    satellites: Satellites,
) -> None:
    """Home Assistant tells `5 minutes` from `0 hours 5 minutes`."""
    await satellites.do("start", **MINUTES_5)
    timer = satellites.events[0][2]
    assert (timer.start_hours, timer.start_minutes, timer.start_seconds) == (
        None,
        5,
        None,
    )


async def test_a_device_without_timers_is_told(satellites: Satellites) -> None:
    assert await satellites.do("start", satellites.plain, **MINUTES_5) == NO_SUPPORT
    with acting_for(satellites.request(None)):
        call = ServiceCall("timer.start", (), MINUTES_5)
        assert (await satellites.executor.execute(call)).error == NO_SUPPORT
    assert await satellites.timers() == []


async def test_a_timer_may_be_started_in_another_room(satellites: Satellites) -> None:
    assert await satellites.do("start", **MINUTES_5, area="Bedroom") == ""
    assert satellites.events[0][0] == satellites.bedroom
    error = await satellites.do("start", **MINUTES_5, area="Attic")
    assert error == "No device in Attic can run timers."


@pytest.mark.parametrize("data", [{}, {"duration_s": 0}])
async def test_a_timer_without_a_length_is_refused(
    satellites: Satellites, data: dict[str, int]
) -> None:
    assert "say for how long" in await satellites.do("start", **data)
    assert satellites.events == []


async def test_what_is_running_is_looked_up(satellites: Satellites) -> None:
    await satellites.do("start", duration_s=300, name="Pizza")
    await satellites.do("start", satellites.bedroom, duration_s=90)
    await satellites.do("pause", name="pizza")
    pizza, other = await satellites.timers()
    assert (pizza["name"], pizza["area"], pizza["paused"]) == ("Pizza", "Kitchen", True)
    assert (pizza["length_s"], other["length_s"]) == (300, 90)
    assert 295 <= pizza["left_s"] <= 300
    assert (other["name"], other["area"], other["paused"]) == ("", "Bedroom", False)


async def test_a_floor_is_a_place_of_timers(satellites: Satellites) -> None:
    await satellites.do("start", duration_s=300)
    await satellites.do("start", satellites.bedroom, duration_s=90)
    areas = [t["area"] for t in await satellites.timers(area="Ground floor")]
    assert sorted(areas) == ["Bedroom", "Ground floor"]
    assert await satellites.do("cancel", area="Upper floor") == ""
    assert [t["area"] for t in await satellites.timers()] == ["Kitchen"]


async def test_time_is_added_and_taken_off(satellites: Satellites) -> None:
    await satellites.do("start", duration_s=300, name="pizza")
    await satellites.do("start", duration_s=300, name="eggs")
    assert await satellites.do("increase", duration_s=3660, name="pizza") == ""
    assert await satellites.do("decrease", duration_s=60, name="eggs") == ""
    left = await satellites.left()
    assert 3950 <= left["pizza"] <= 3960
    assert 235 <= left["eggs"] <= 240


@pytest.mark.parametrize(
    ("verb", "selector", "stays"),
    [
        ("cancel", {"name": "PIZZA"}, {"pizza dough", "eggs", "tea"}),
        ("cancel", {"name": "dough"}, {"pizza", "eggs", "tea"}),
        ("cancel", {"timer_length_s": 90}, {"pizza", "pizza dough", "tea"}),
        ("cancel", {"area": "bedroom"}, {"pizza", "pizza dough", "eggs"}),
        ("cancel_all", {"area": "Kitchen"}, {"tea"}),
        ("cancel_all", {"name": "eggs"}, {"pizza", "pizza dough", "tea"}),
        ("cancel_all", {}, set()),
    ],
)
async def test_timers_are_cancelled_by_name_length_and_place(
    satellites: Satellites, verb: str, selector: dict[str, Any], stays: set[str]
) -> None:
    for name, length in (("pizza", 300), ("pizza dough", 300), ("eggs", 90)):
        await satellites.do("start", duration_s=length, name=name)
    await satellites.do("start", satellites.bedroom, duration_s=300, name="tea")
    assert await satellites.do(verb, **selector) == ""
    assert set(await satellites.left()) == stays


async def test_a_length_is_found_however_it_was_said(
    hass: HomeAssistant, satellites: Satellites
) -> None:
    """Home Assistant's sentences keep `90 seconds` as they are."""
    await satellites.do("start", duration_s=300)
    await intent.async_handle(
        hass,
        "test",
        intent.INTENT_START_TIMER,
        {"seconds": {"value": 90}},
        device_id=satellites.kitchen,
    )
    assert await satellites.do("cancel", timer_length_s=90) == ""
    assert [t["length_s"] for t in await satellites.timers()] == [300]


async def test_the_timer_of_the_own_device_comes_first(
    satellites: Satellites,
) -> None:
    await satellites.do("start", **MINUTES_5)
    await satellites.do("start", satellites.bedroom, **MINUTES_5)
    assert await satellites.do("cancel", satellites.bedroom) == ""
    assert [t["area"] for t in await satellites.timers()] == ["Kitchen"]


async def test_doubt_is_told(satellites: Satellites) -> None:
    assert await satellites.do("cancel") == "No timer is running."
    await satellites.do("start", **MINUTES_5, name="big pizza")
    assert await satellites.do("cancel", name="tea") == "There is no such timer."
    await satellites.do("start", **MINUTES_5, name="small pizza")
    for selector in ({}, {"name": "pizza"}, {"timer_length_s": 300}):
        assert "Several timers match" in await satellites.do("cancel", **selector)
    assert len(await satellites.timers()) == 2


async def test_pausing_never_takes_another_timer(satellites: Satellites) -> None:
    """Home Assistant pauses the only active timer, whatever it is called."""
    await satellites.do("start", **MINUTES_5, name="pizza")
    await satellites.do("start", **MINUTES_5, name="eggs")
    assert await satellites.do("unpause", name="eggs") == (
        "The timer is running already."
    )
    assert await satellites.do("pause", name="eggs") == ""
    assert await satellites.do("pause", name="eggs") == "The timer is paused already."
    paused = {t["name"]: t["paused"] for t in await satellites.timers()}
    assert paused == {"pizza": False, "eggs": True}
    assert await satellites.do("unpause", name="eggs") == ""
    assert not any(t["paused"] for t in await satellites.timers())


async def test_a_command_waits_and_is_given_to_the_same_agent(
    hass: HomeAssistant, satellites: Satellites, set_up: SetUp
) -> None:
    calls = async_mock_service(hass, "light", "turn_off")
    off = {"service": "light.turn_off", "target_device": "light.kitchen_lamp"}
    entry = await set_up(command("Good night.", off))
    # No device is needed for that, so it works from the browser, too.
    with acting_for(satellites.request(None)):
        data = {"duration_s": 1, "command": "turn off the kitchen lamp"}
        result = await satellites.executor.execute(ServiceCall("timer.start", (), data))
    assert result.ok
    assert await satellites.timers() == []  # as Home Assistant has it
    for _ in range(100):
        if calls:
            break
        await asyncio.sleep(0.05)
    assert calls[0].data["entity_id"] == ["light.kitchen_lamp"]
    [request] = entry.runtime_data.backend.requests
    assert "turn off the kitchen lamp" in request.prompt.question


async def test_from_the_sentence_to_the_timer_of_the_satellite(
    hass: HomeAssistant, satellites: Satellites, set_up: SetUp, ask: Ask
) -> None:
    entry = await set_up()
    start = {"service": "timer.start", "target_timer": "new", "duration": "<D1>"}
    status = {"query": "timer", "target_timer": "the"}
    entry.runtime_data.agent._backend = ScriptedEngine(
        [command("", start), command("", status), command("", start)],
        prompt_format="grounded",
    )
    satellite = er.async_get(hass).async_get_or_create(
        "assist_satellite", "test", "1", device_id=satellites.bedroom
    )
    result = await ask("set a timer for 5 minutes", satellite_id=satellite.entity_id)
    assert said(result) == "Timer set for 5 minutes."
    [(device_id, _, timer)] = satellites.events
    assert (device_id, timer.seconds) == (satellites.bedroom, 300)
    result = await ask("how long is left", device_id=satellites.kitchen)
    assert said(result).startswith("The 5 minutes timer has ")
    result = await ask("set a timer for 5 minutes")
    assert "cannot run timers" in said(result)
