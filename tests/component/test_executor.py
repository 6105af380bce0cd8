"""Calls through Home Assistant's services: results, failures, limits."""

import asyncio

import pytest
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.homellm_edge import waiting
from custom_components.homellm_edge.executor import HassExecutor
from custom_components.homellm_edge.request import Request, acting_for
from homellm_edge.services import ServiceCall

BOTH = ("light.bedroom_lamp", "light.kitchen_lamp")


async def test_several_targets_in_one_call(
    hass: HomeAssistant, runs: HassExecutor
) -> None:
    call = ServiceCall("light.turn_on", BOTH, {})
    result = await runs.execute(call)
    assert result.ok
    assert result.call is call
    assert {hass.states.get(e).state for e in BOTH} == {"on"}
    assert runs.home().entity("light.kitchen_lamp").state == "on"


async def test_each_turn_acts_for_its_own_person(
    hass: HomeAssistant, runs: HassExecutor
) -> None:
    calls = async_mock_service(hass, "light", "turn_on")
    people = [Context(), Context()]

    async def turn(context: Context, target: str) -> None:
        with acting_for(Request(context)):
            await asyncio.sleep(0)  # let the other turn in
            await runs.execute(ServiceCall("light.turn_on", (target,), {}))

    await asyncio.gather(*map(turn, people, BOTH, strict=True))
    seen = {c.data["entity_id"][0]: c.context.id for c in calls}
    assert seen == dict(zip(BOTH, (p.id for p in people), strict=True))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (HomeAssistantError("No reply"), "No reply."),
        (ServiceValidationError("Not now!"), "Not now!"),
        (ValueError("bad value"), "bad value."),
        (HomeAssistantError(), "HomeAssistantError."),
        (KeyError("inner"), "Home Assistant reported an unexpected error."),
    ],
)
async def test_failures_become_sentences(
    hass: HomeAssistant, runs: HassExecutor, error: Exception, told: str
) -> None:
    async_mock_service(hass, "light", "turn_on", raise_exception=error)
    result = await runs.execute(ServiceCall("light.turn_on", BOTH[:1], {}))
    assert not result.ok
    assert result.error == told


async def test_an_unknown_service_and_a_bad_argument_are_told(
    runs: HassExecutor,
) -> None:
    result = await runs.execute(ServiceCall("light.explode", BOTH[:1], {}))
    assert "light.explode" in result.error
    result = await runs.execute(
        ServiceCall("light.turn_on", BOTH[:1], {"brightness_pct": "much"})
    )
    assert "brightness_pct" in result.error


async def test_one_hidden_target_stops_the_whole_call(
    hass: HomeAssistant, runs: HassExecutor
) -> None:
    async_expose_entity(hass, "conversation", "light.kitchen_lamp", False)
    calls = async_mock_service(hass, "light", "turn_on")
    result = await runs.execute(ServiceCall("light.turn_on", BOTH, {}))
    assert result.error == "Kitchen Lamp is not exposed to voice assistants."
    assert calls == []


async def test_a_slow_device_is_told_and_left_to_finish(
    hass: HomeAssistant, runs: HassExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "CALL_TIMEOUT", 0.01)
    answer, finished = asyncio.Event(), []

    async def slow(_: object) -> None:
        await answer.wait()
        finished.append(True)

    hass.services.async_register("light", "turn_on", slow)
    result = await runs.execute(ServiceCall("light.turn_on", BOTH[:1], {}))
    assert "Bedroom Lamp did not answer" in result.error
    assert not finished
    answer.set()
    await hass.async_block_till_done()
    assert finished
