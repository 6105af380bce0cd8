"""Sentences through Home Assistant's conversation API, with a scripted model."""

import pytest
from homeassistant.components import conversation
from homeassistant.components.conversation.chat_log import async_get_chat_log
from homeassistant.components.conversation.trace import async_get_traces
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import chat_session
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_mock_service,
)

from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.errors import EngineError
from support import AGENT, Ask, SetUp, command, said

KITCHEN_ON = {"service": "light.turn_on", "target_device": "light.kitchen_lamp"}
BEDROOM_ON = {"service": "light.turn_on", "target_device": "light.bedroom_lamp"}


async def test_one_entity_named_after_the_entry(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up(title="Alfred the Butler")
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert [e.entity_id for e in entities] == ["conversation.alfred_the_butler"]
    state = hass.states.get("conversation.alfred_the_butler")
    assert state.name == "Alfred the Butler"
    assert (
        state.attributes["supported_features"]
        == conversation.ConversationEntityFeature.CONTROL
    )


async def test_a_command_switches_a_real_light(
    hass: HomeAssistant, set_up: SetUp, ask: Ask
) -> None:
    await set_up(command("Turning it on.", KITCHEN_ON))
    calls = async_capture_events(hass, "call_service")
    context = Context()
    result = await ask("turn on the kitchen lamp", context=context)
    await hass.async_block_till_done()
    assert said(result) == "Turning it on."
    assert hass.states.get("light.kitchen_lamp").state == "on"
    assert hass.states.get("light.bedroom_lamp").state == "off"
    mine = [c for c in calls if c.data["domain"] == "light"]
    assert [c.data["service"] for c in mine] == ["turn_on"]
    assert mine[0].context.id == context.id


async def test_arguments_reach_the_service(
    hass: HomeAssistant, set_up: SetUp, ask: Ask
) -> None:
    hass.states.async_set(
        "climate.hall", "heat", {"friendly_name": "Hall", "supported_features": 1}
    )
    calls = async_mock_service(hass, "climate", "set_temperature")
    await set_up(
        command(
            "Done.",
            {
                "service": "climate.set_temperature",
                "target_device": "climate.hall",
                "temperature": 21,
            },
        )
    )
    await ask("set the hall to 21 degrees")
    assert [c.data for c in calls] == [
        {"entity_id": ["climate.hall"], "temperature": 21}
    ]


async def test_the_reply_streams_in_pieces(
    hass: HomeAssistant, set_up: SetUp, ask: Ask
) -> None:
    await set_up("The kettle is cold and the lamp is off.")
    deltas: list[dict] = []
    with (
        chat_session.async_get_chat_session(hass) as session,
        async_get_chat_log(
            hass, session, chat_log_delta_listener=lambda _, d: deltas.append(d)
        ),
    ):
        result = await ask("how is it", conversation_id=session.conversation_id)
    assert deltas[0] == {"role": "assistant"}
    pieces = [delta["content"] for delta in deltas[1:]]
    assert len(pieces) > 3
    assert "".join(pieces) == said(result) == "The kettle is cold and the lamp is off."


async def test_the_engine_is_asked_with_the_home_and_the_history(
    set_up: SetUp, ask: Ask
) -> None:
    entry = await set_up("Hello.", "Again.")
    first = await ask("good morning house")
    await ask("and again", conversation_id=first.conversation_id)
    request = entry.runtime_data.backend.requests[1]
    text = request.prompt.text
    assert "light.kitchen_lamp" in text
    assert "input_boolean.kitchen" not in text
    assert "good morning house" in request.prompt.turns[0].asked


async def test_two_conversations_do_not_mix(set_up: SetUp, ask: Ask) -> None:
    entry = await set_up("Hello.", "Hello you.")
    await ask("the first secret")
    await ask("who am I")
    assert "secret" not in entry.runtime_data.backend.requests[1].prompt.text


async def test_what_is_no_longer_exposed_cannot_be_switched(
    hass: HomeAssistant, set_up: SetUp, ask: Ask
) -> None:
    await set_up(command("Sure.", KITCHEN_ON))
    async_expose_entity(hass, "conversation", "light.kitchen_lamp", False)
    calls = async_mock_service(hass, "light", "turn_on")
    await ask("turn on the kitchen lamp")
    assert calls == []


async def test_exposure_withdrawn_between_answer_and_call_counts(
    hass: HomeAssistant, set_up: SetUp, ask: Ask
) -> None:
    entry = await set_up(command("Sure.", KITCHEN_ON))
    source = entry.runtime_data.source
    before = source.home()
    source.home = lambda: before  # type: ignore[method-assign]
    async_expose_entity(hass, "conversation", "light.kitchen_lamp", False)
    result = await ask("turn on the kitchen lamp")
    assert "not exposed" in said(result)
    assert hass.states.get("light.kitchen_lamp").state == "off"


async def test_a_failing_service_is_told(
    hass: HomeAssistant, set_up: SetUp, ask: Ask
) -> None:
    async_mock_service(
        hass,
        "light",
        "turn_on",
        raise_exception=HomeAssistantError("The bulb does not answer"),
    )
    await set_up(command("", KITCHEN_ON))
    result = await ask("turn on the kitchen lamp")
    assert "The bulb does not answer" in said(result)
    traced = async_get_traces()[-1].as_dict()["events"]
    errors = [e["data"]["error"] for e in traced if e["event_type"] == "tool_call"]
    assert errors == ["The bulb does not answer."]


async def test_an_engine_error_becomes_an_error_reply(
    hass: HomeAssistant, set_up: SetUp, ask: Ask
) -> None:
    await set_up(EngineError("the model is out of breath", "let it rest"), "Back.")
    result = await ask("hello there")
    assert result.response.response_type.value == "error"
    assert "the model is out of breath; let it rest" in said(result)
    assert said(await ask("hello again")) == "Back."


async def test_an_empty_sentence_is_refused_politely(set_up: SetUp, ask: Ask) -> None:
    await set_up()
    result = await ask("?")
    assert result.response.response_type.value == "error"
    assert "empty" in said(result)


async def test_the_area_of_the_satellite_is_known(
    hass: HomeAssistant, set_up: SetUp, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up("One.", "Two.", "Three.")
    areas = []
    agent = entry.runtime_data.agent
    turn = agent.turn

    def spy(question):
        areas.append(question.area)
        return turn(question)

    monkeypatch.setattr(agent, "turn", spy)
    bedroom = ar.async_get(hass).async_get_area_by_name("Bedroom")
    satellites = MockConfigEntry(domain="test")
    satellites.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=satellites.entry_id, identifiers={("test", "1")}
    )
    dr.async_get(hass).async_update_device(device.id, area_id=bedroom.id)
    satellite = er.async_get(hass).async_get_or_create(
        "assist_satellite", "test", "1", device_id=device.id
    )
    await ask("hello there", device_id=device.id)
    await ask("hello there", satellite_id=satellite.entity_id)
    await ask("hello there")
    assert areas == [bedroom.id, bedroom.id, None]


async def test_the_microphone_stays_open_when_asked_back(
    hass: HomeAssistant, set_up: SetUp, ask: Ask
) -> None:
    hass.states.async_set("lock.door", "locked", {"friendly_name": "Front door"})
    async_expose_entity(hass, "conversation", "lock.door", True)
    calls = async_mock_service(hass, "lock", "unlock")
    unlock = {"service": "lock.unlock", "target_device": "lock.door"}
    await set_up(command("", unlock), "Is that so?")
    result = await ask("it would be nice to get in")
    assert result.continue_conversation
    assert calls == []
    await ask("yes please", conversation_id=result.conversation_id)
    assert [c.data["entity_id"] for c in calls] == [["lock.door"]]
    question = await ask("tell me something")
    assert said(question) == "Is that so?"
    assert not question.continue_conversation


async def test_options_count_from_the_next_sentence_on(
    hass: HomeAssistant, set_up: SetUp, ask: Ask
) -> None:
    entry = await set_up("One.", "Two.")
    engine = entry.runtime_data.backend
    await ask("hello there")
    hass.config_entries.async_update_entry(
        entry, options={"persona": "You live in {{ ha_name }}.", "max_tokens": 77}
    )
    await hass.async_block_till_done()
    await ask("hello there")
    assert entry.runtime_data.backend is engine
    before, after = engine.requests
    assert after.max_tokens == 77 != before.max_tokens
    assert f"You live in {hass.config.location_name}." in after.prompt.header


async def test_a_broken_persona_is_told(set_up: SetUp, ask: Ask) -> None:
    await set_up("Hello.", options={"persona": "{{ 1 / 0 }}"})
    result = await ask("hello there")
    assert result.response.response_type.value == "error"
    assert "template" in said(result)


async def test_the_agent_is_listed_for_every_language(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up()
    entity = hass.data["conversation"].get_entity(AGENT)
    await entity.async_prepare("en")
    assert entity.supported_languages == "*"
    assert entity.supports_streaming


async def test_our_own_model_is_listed_for_what_is_translated(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    entry.runtime_data.backend = ScriptedEngine([], prompt_format="grounded")
    entity = hass.data["conversation"].get_entity(AGENT)
    assert entity.supported_languages[:2] == ["en", "de"]
    assert len(entity.supported_languages) == len(set(entity.supported_languages))
