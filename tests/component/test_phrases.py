"""The action that teaches a phrase, in a real Home Assistant with the default model."""

from pathlib import Path

import pytest
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from custom_components.homellm_edge.phrases import FILE
from support import DOMAIN


async def _teach(hass: HomeAssistant, phrase: str, meaning: str) -> None:
    await hass.services.async_call(
        DOMAIN, "add_phrase", {"phrase": phrase, "meaning": meaning}, blocking=True
    )


async def test_a_phrase_is_known_at_once_and_after_a_reload(
    home: HomeAssistant, tmp_path: Path
) -> None:
    home.config.config_dir = str(tmp_path)
    flow = home.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"model": "default"})
    await home.async_block_till_done()
    entry = result["result"]

    def hinted() -> list[tuple[str, str]]:
        runtime = entry.runtime_data
        agent_home = runtime.source.home()
        from homellm_edge.grounding import Grounder

        found = Grounder(agent_home).ground("vampire mode please")
        return list(runtime.hints.hints(found, agent_home))

    assert hinted() != [("light.turn_off", "=")]
    await _teach(home, "Vampire mode, please!", "light.turn_off")
    assert hinted() == [("light.turn_off", "=")]
    assert (tmp_path / FILE).read_text() == (
        "[action light.turn_off]\nvampire mode please\n"
    )

    with pytest.raises(ServiceValidationError, match=r"light\.explode"):
        await _teach(home, "boom", "light.explode")
    assert "boom" not in (tmp_path / FILE).read_text()

    assert await home.config_entries.async_reload(entry.entry_id)
    await home.async_block_till_done()
    assert hinted() == [("light.turn_off", "=")]
    assert await home.config_entries.async_unload(entry.entry_id)


async def test_without_a_model_the_action_says_so(
    home: HomeAssistant,
) -> None:
    from homeassistant.setup import async_setup_component

    assert await async_setup_component(home, DOMAIN, {})
    with pytest.raises(ServiceValidationError):
        await _teach(home, "vampire mode", "light.turn_off")
