"""A real chat model with random weights: what it reads of the home, and where it lies.

What such a model says means nothing, but how much it has to read is real.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from homeassistant.components.conversation.trace import async_get_traces
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)

from custom_components.homellm_edge.model_file import cache_folder
from gguf_factory import write_mamba
from support import DOMAIN, Ask, refreshed

METADATA = {"homellm.attention": "block", "homellm.prompt_format": "chatml"}

type Load = Callable[..., Awaitable[MockConfigEntry]]


@pytest.fixture
def config(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A configuration folder of the test's own."""
    folder = tmp_path / "config"
    folder.mkdir()
    hass.config.config_dir = str(folder)
    return folder


@pytest.fixture
async def load(
    home: HomeAssistant, config: Path, model: Callable[..., Path]
) -> AsyncIterator[Load]:
    """Sets an entry up with a random model; the home is in its KV cache then."""
    entries: list[MockConfigEntry] = []

    async def run(**options: Any) -> MockConfigEntry:
        path = model("chat.gguf", metadata=METADATA)
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="HomeLLM Edge",
            data={"model_path": str(path)},
            options={"max_tokens": 16, "threads": 1, "context": 2048, **options},
        )
        entry.add_to_hass(home)
        entries.append(entry)
        assert await home.config_entries.async_setup(entry.entry_id)
        await refreshed(home)
        return entry

    yield run
    for entry in entries:
        if entry.state is ConfigEntryState.LOADED:
            await home.config_entries.async_unload(entry.entry_id)


def _usage() -> dict[str, Any]:
    """What the last turn's trace says about tokens."""
    events = async_get_traces()[-1].as_dict()["events"]
    (details,) = [e["data"] for e in events if "usage" in (e["data"] or {})]
    return details["usage"]


def _kept(folder: Path) -> list[Path]:
    """The files of the KV cache's store."""
    return list(folder.rglob("*.kv"))


async def test_the_trace_tells_what_a_question_cost(
    hass: HomeAssistant, load: Load, ask: Ask
) -> None:
    entry = await load()
    runtime = entry.runtime_data
    assert runtime.refreshes == 1
    assert runtime.refreshed_tokens > 200
    await ask("is the kitchen lamp on?")
    usage = _usage()
    assert usage["reused"] == runtime.refreshed_tokens  # all but the question
    assert 0 < usage["evaluated"] < 100
    assert usage["left_out"] == ()
    assert usage["turns_left_out"] == 0


@pytest.mark.parametrize("plan", ["block", "causal", "prefix"])
async def test_a_change_costs_what_the_chosen_plan_says(
    hass: HomeAssistant, load: Load, hass_client, plan: str
) -> None:
    entry = await load(kv_plan=plan)
    runtime = entry.runtime_data
    assert runtime.kv_plan == plan
    before = runtime.refreshed_tokens
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.bedroom_lamp"}, blocking=True
    )
    await refreshed(hass)
    line = len(runtime.backend.tokenize("light.bedroom_lamp 'Bedroom Lamp' = on\n"))
    cost = runtime.refreshed_tokens - before
    # Two lights: the first line stands before the second, causal has a heading.
    assert cost == line if plan == "block" else line <= cost <= 3 * line
    data = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert data["cache"]["kv_plan"] == plan
    assert data["cache"]["refreshes"] == 2
    assert data["cache"]["context"] == 2048


async def test_what_has_no_room_is_told_until_it_has(
    hass: HomeAssistant, load: Load, ask: Ask
) -> None:
    ids = [f"switch.s{number}" for number in range(40)]
    for entity_id in ids:
        hass.states.async_set(entity_id, "on", {"friendly_name": entity_id})
    entry = await load(context=1024)
    issue_id = f"left_out_{entry.entry_id}"
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue
    left_out = entry.runtime_data.backend.cut.blocks
    assert issue.translation_placeholders["count"] == str(len(left_out))
    await ask("hello there")
    assert _usage()["left_out"] == left_out

    named = left_out[-1]  # what is asked for is taken in
    await ask(f"is {named} on?")
    assert named not in _usage()["left_out"]

    for entity_id in ids:
        async_expose_entity(hass, "conversation", entity_id, False)
    await refreshed(hass)
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None
    await ask("hello there")
    assert _usage()["left_out"] == ()


async def test_a_larger_context_is_a_cure(hass: HomeAssistant, load: Load) -> None:
    for number in range(40):
        hass.states.async_set(f"switch.s{number}", "on", {"friendly_name": "x"})
    entry = await load(context=1024)
    assert entry.runtime_data.left_out.ids
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "context": 4096}
    )
    await hass.async_block_till_done()
    await refreshed(hass)
    assert entry.runtime_data.context == 4096
    assert entry.runtime_data.left_out.ids == ()
    assert not [key for key in ir.async_get(hass).issues if "left_out" in key[1]]


async def test_the_cache_is_kept_and_found_again(
    hass: HomeAssistant, load: Load, config: Path
) -> None:
    entry = await load()
    first = entry.runtime_data.refreshed_tokens
    assert await hass.config_entries.async_reload(entry.entry_id)
    await refreshed(hass)
    assert first > 0
    assert entry.runtime_data.refreshed_tokens == 0
    assert _kept(config)
    for path in _kept(config):
        assert path.is_relative_to(config / ".cache" / DOMAIN)


async def test_without_a_budget_nothing_is_written(
    hass: HomeAssistant, load: Load, config: Path
) -> None:
    entry = await load(kv_daily_mb=0)
    first = entry.runtime_data.refreshed_tokens
    assert await hass.config_entries.async_reload(entry.entry_id)
    await refreshed(hass)
    assert entry.runtime_data.refreshed_tokens == first
    assert _kept(config) == []


async def test_a_plan_that_the_model_cannot_follow_is_explained(
    home: HomeAssistant, config: Path, tmp_path: Path
) -> None:
    path = write_mamba(tmp_path / "mamba.gguf")
    entry = MockConfigEntry(
        domain=DOMAIN, data={"model_path": str(path)}, options={"kv_plan": "block"}
    )
    entry.add_to_hass(home)
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.error_reason_translation_key == "model_unusable"
    assert "causal" in entry.error_reason_translation_placeholders["error"]


# Where it may lie


def test_the_folder_is_in_no_folder_that_is_served(
    hass: HomeAssistant, config: Path
) -> None:
    hass.config.media_dirs = {"local": str(config / "media")}
    folder = cache_folder(hass)
    assert folder == config / ".cache" / DOMAIN
    assert not {"media", "www"} & set(folder.relative_to(config).parts)


@pytest.mark.parametrize("how", ["media folder", "link to www", "link to media"])
def test_a_folder_that_is_served_is_not_used(
    hass: HomeAssistant,
    config: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    films = tmp_path / "films"
    hass.config.media_dirs = {"local": str(films)}
    if how == "media folder":
        hass.config.media_dirs["all"] = str(config)
    else:
        target = config / "www" if how == "link to www" else films
        target.mkdir()
        (config / ".cache").symlink_to(target)
    assert cache_folder(hass) is None
    assert "over HTTP" in caplog.text


@pytest.mark.parametrize("served", ["www", "media"])
async def test_below_such_a_name_all_works_without_a_store(
    hass: HomeAssistant,
    load: Load,
    ask: Ask,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    served: str,
) -> None:
    config = tmp_path / served / "config"
    config.mkdir(parents=True)
    hass.config.config_dir = str(config)
    entry = await load()
    assert "KV cache is not kept over a restart" in caplog.text
    await ask("is the kitchen lamp on?")
    assert _usage()["reused"] > 200
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert _kept(config) == []
