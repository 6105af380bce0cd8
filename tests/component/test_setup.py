"""Setting an entry up, taking it down again, and what stands in the way."""

import sys
from pathlib import Path

import pytest
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)

import homellm_edge
from custom_components.homellm_edge import wheels
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.errors import CpuError, NotEnoughMemoryError
from support import DOMAIN, SetUp, refreshed


async def test_set_up_and_unload(hass: HomeAssistant, set_up: SetUp) -> None:
    before = hass.bus.async_listeners()
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    engine = entry.runtime_data.backend
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert engine.closed
    hass.states.async_set("light.kitchen_lamp", "on")  # nobody may listen any more
    await hass.async_block_till_done()
    assert hass.states.get("conversation.homellm_edge").state == "unavailable"
    after = hass.bus.async_listeners()
    for event in ("area_registry_updated", "floor_registry_updated"):
        assert after.get(event) == before.get(event)


async def test_reload_gives_a_new_engine(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    engine = entry.runtime_data.backend
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert engine.closed
    assert not entry.runtime_data.backend.closed


@pytest.mark.parametrize(
    ("options", "reloads"),
    [
        ({"history": 1}, False),
        ({"max_tokens": 99}, False),
        ({"persona": "You are a butler."}, False),
        ({"threads": 0, "context": 0, "kv_plan": "auto", "kv_daily_mb": 50}, False),
        ({"threads": 2}, True),
        ({"context": 2048}, True),
        ({"kv_plan": "causal"}, True),
        ({"kv_daily_mb": 0}, True),
    ],
)
async def test_only_what_the_engine_is_loaded_with_reloads_the_model(
    hass: HomeAssistant, set_up: SetUp, options: dict, reloads: bool
) -> None:
    entry = await set_up()
    engine = entry.runtime_data.backend
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.async_block_till_done()
    assert (entry.runtime_data.backend is not engine) == reloads
    assert engine.closed == reloads


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ({}, (None, None, "auto", 50_000_000)),
        (
            {"threads": 3, "context": 2048, "kv_plan": "block", "kv_daily_mb": 0},
            (3, 2048, "block", 0),
        ),
    ],
)
async def test_the_options_reach_the_engine(
    home: HomeAssistant, monkeypatch: pytest.MonkeyPatch, options: dict, given: tuple
) -> None:
    seen = {}

    def load(path: Path, **more: object) -> ScriptedEngine:
        seen.update(more)
        return ScriptedEngine([])

    monkeypatch.setattr(LlamaEngine, "load", load)
    entry = MockConfigEntry(domain=DOMAIN, options=options)
    entry.add_to_hass(home)
    assert await home.config_entries.async_setup(entry.entry_id)
    names = ("n_threads", "n_ctx", "kv_plan", "daily_bytes")
    assert tuple(seen[name] for name in names) == given
    assert seen["cache_dir"] == Path(home.config.cache_path(DOMAIN))
    await home.config_entries.async_unload(entry.entry_id)


async def test_a_missing_wheel_becomes_a_repair_issue(
    home: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = wheels.Package("homellm-absent", "1.0", "homellm_absent")
    monkeypatch.setattr(wheels, "PACKAGES", (package,))
    monkeypatch.setattr(wheels, "WHEELS", tmp_path)
    monkeypatch.setattr(home.config, "skip_pip", False)
    entry = MockConfigEntry(domain=DOMAIN, title="HomeLLM Edge")
    entry.add_to_hass(home)
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "wheel_missing"
    issues = ir.async_get(home).issues
    issue = issues[DOMAIN, f"cannot_install_{entry.entry_id}"]
    assert issue.translation_key == "wheel_missing"
    assert issue.translation_placeholders["package"] == "homellm-absent==1.0"

    await home.config_entries.async_remove(entry.entry_id)
    assert (DOMAIN, f"cannot_install_{entry.entry_id}") not in issues


@pytest.mark.parametrize(
    ("error", "state", "key"),
    [
        (
            CpuError("this processor has no AVX2", "build it yourself"),
            ConfigEntryState.SETUP_ERROR,
            "model_unusable",
        ),
        (
            NotEnoughMemoryError("9 GiB are needed", "close something"),
            ConfigEntryState.SETUP_RETRY,
            "no_memory",
        ),
    ],
)
async def test_a_model_that_does_not_load_is_explained(
    home: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    state: ConfigEntryState,
    key: str,
) -> None:
    import custom_components.homellm_edge.runtime as runtime

    def load_engine(*_: object) -> None:
        raise error

    monkeypatch.setattr(runtime, "load_engine", load_engine)
    entry = MockConfigEntry(domain=DOMAIN)
    entry.add_to_hass(home)
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.state is state
    assert entry.error_reason_translation_key == key
    assert str(error) in entry.error_reason_translation_placeholders["error"]


async def test_a_vanished_model_file_is_named(
    home: HomeAssistant, tmp_path: Path
) -> None:
    path = tmp_path / "gone.gguf"
    entry = MockConfigEntry(domain=DOMAIN, data={"model_path": str(path)})
    entry.add_to_hass(home)
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert str(path) in entry.error_reason_translation_placeholders["error"]


async def test_diagnostics_name_nothing_of_the_home(
    hass: HomeAssistant, set_up: SetUp, hass_client
) -> None:
    import json

    entry = await set_up(options={"persona": "You are Mrs Miller's butler."})
    data = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert data["home"]["entities"] == 2
    assert data["home"]["domains"] == {"light": 2}
    assert data["home"]["with_aliases"] == 1
    assert data["embedded_model"] is True
    text = json.dumps(data).casefold()
    for secret in ("kitchen", "bedroom", "cooking", "miller"):
        assert secret not in text


async def test_a_library_that_does_not_load_is_explained(
    home: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(
        sys.modules, "custom_components.homellm_edge.runtime", raising=False
    )
    monkeypatch.setitem(sys.modules, "homellm_edge.engine.llama", None)
    entry = MockConfigEntry(domain=DOMAIN)
    entry.add_to_hass(home)
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "import_failed"
    flow = home.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"model": "default"})
    assert result["errors"] == {"base": "import_failed"}


async def test_the_prompt_follows_the_home(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    engine = entry.runtime_data.backend
    first = await _prepared(hass, engine, 1)
    assert "light.kitchen_lamp 'Kitchen Lamp' = off" in first
    for entity in ("light.kitchen_lamp", "light.bedroom_lamp"):
        await hass.services.async_call(
            "light", "turn_on", {"entity_id": entity}, blocking=True
        )
    second = await _prepared(hass, engine, 2)
    assert "light.kitchen_lamp 'Kitchen Lamp' = on" in second
    assert "light.bedroom_lamp 'Bedroom Lamp' = on" in second
    assert len(engine.refreshed) == 2  # both changes in one go


async def test_nothing_is_prepared_before_home_assistant_has_started(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    hass.set_state(CoreState.starting)
    entry = await set_up()
    hass.states.async_set("switch.new", "on")
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.runtime_data.backend.refreshed == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert "switch.new" in await _prepared(hass, entry.runtime_data.backend, 1)


async def test_the_model_is_freed_when_home_assistant_stops(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert entry.runtime_data.backend.closed


async def test_a_failing_preparation_is_logged_once(
    hass: HomeAssistant, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up(options={"persona": "{{ 1 / 0 }}"})
    for _ in range(3):
        entry.runtime_data.prepare()
        await refreshed(hass)
    warnings = [r.message for r in caplog.records if r.levelname == "WARNING"]
    assert sum("Preparing the prompt failed" in text for text in warnings) == 1
    hass.config_entries.async_update_entry(entry, options={})
    await hass.async_block_till_done()
    await refreshed(hass)
    assert caplog.text.count("Preparing the prompt works again") == 1


async def _prepared(hass: HomeAssistant, engine: ScriptedEngine, count: int) -> str:
    """The prompt that was prepared last, once that many were."""
    await refreshed(hass)
    assert len(engine.refreshed) == count
    prompt = engine.refreshed[-1]
    return prompt.text


async def test_system_health_names_the_loaded_model(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    assert await async_setup_component(hass, "system_health", {})
    await set_up()
    await set_up(data={"model_path": "/models/other-1b.gguf"}, title="Other")
    info = await get_system_health_info(hass, DOMAIN)
    assert info["library"] == homellm_edge.__version__
    assert info["models"] == "default, other-1b"
