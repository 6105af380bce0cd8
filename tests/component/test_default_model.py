"""The embedded default model in a real Home Assistant, nothing replaced."""

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from support import DOMAIN, Ask, said


async def test_the_default_model_switches_lights_and_answers(
    home: HomeAssistant, ask: Ask
) -> None:
    flow = home.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"model": "default"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await home.async_block_till_done()

    for sentence, light, state in (
        ("turn on the kitchen lamp", "light.kitchen_lamp", "on"),
        ("turn on the cooking light", "light.kitchen_lamp", "on"),
        ("turn on the bedroom lamp", "light.bedroom_lamp", "on"),
        ("turn off the kitchen lamp", "light.kitchen_lamp", "off"),
    ):
        other = {"light.kitchen_lamp", "light.bedroom_lamp"} - {light}
        before = {entity: home.states.get(entity).state for entity in other}
        reply = await ask(sentence)
        await home.async_block_till_done()
        assert home.states.get(light).state == state, said(reply)
        assert {entity: home.states.get(entity).state for entity in other} == before
        assert said(reply)

    before = {s.entity_id: s.state for s in home.states.async_all("light")}
    question = await ask("is the bedroom lamp on?")
    assert "on" in said(question).casefold()
    unknown = await ask("turn on the submarine")
    assert said(unknown)
    assert {s.entity_id: s.state for s in home.states.async_all("light")} == before

    entry = result["result"]
    assert await home.config_entries.async_unload(entry.entry_id)
