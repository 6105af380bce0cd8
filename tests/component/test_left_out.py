"""What had no room in the context: a repair issue, the log, the diagnostics."""

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)

from homellm_edge.kv.session import Cut
from support import DOMAIN, SetUp, refreshed

BOTH = ("light.bedroom_lamp", "light.kitchen_lamp")


def _issue(hass: HomeAssistant, entry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"left_out_{entry.entry_id}")


async def _refresh_with(hass: HomeAssistant, entry, *left_out: str) -> None:
    """Have the next refresh leave these out."""
    entry.runtime_data.backend.cut = Cut(left_out)
    entry.runtime_data.prepare()
    await refreshed(hass)


async def test_an_issue_comes_changes_and_goes(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up(title="Small model")
    await _refresh_with(hass, entry)
    assert _issue(hass, entry) is None

    await _refresh_with(hass, entry, *BOTH)
    issue = _issue(hass, entry)
    assert issue.severity is ir.IssueSeverity.WARNING
    assert not issue.is_fixable
    assert issue.translation_key == "left_out"
    assert issue.translation_placeholders == {
        "title": "Small model",
        "count": "2",
        "total": "2",
        "names": "Bedroom Lamp, Kitchen Lamp",
    }

    await _refresh_with(hass, entry, BOTH[0])
    assert _issue(hass, entry).translation_placeholders["count"] == "1"

    await _refresh_with(hass, entry)
    assert _issue(hass, entry) is None


async def test_only_the_first_names_are_shown_and_none_is_markdown(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    ids = tuple(f"switch.s{number}" for number in range(7))
    for entity_id in ids:
        name = f"[{entity_id[-1]}](http://evil) " + "x" * 100
        hass.states.async_set(entity_id, "on", {"friendly_name": name})
    entry = await set_up()
    await _refresh_with(hass, entry, *ids)
    shown = _issue(hass, entry).translation_placeholders
    assert shown["count"] == "7"
    assert shown["names"].startswith(r"\[0\]\(http://evil\) ")
    assert shown["names"].count("evil") == 5
    assert shown["names"].endswith(", …")
    assert len(shown["names"]) < 400


async def test_an_entity_that_is_gone_meanwhile_is_no_problem(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    await _refresh_with(hass, entry, "light.gone", BOTH[0])
    assert _issue(hass, entry).translation_placeholders["names"] == "Bedroom Lamp"


async def test_the_issue_goes_with_the_entry(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    await _refresh_with(hass, entry, *BOTH)
    assert _issue(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    assert _issue(hass, entry) is None


async def test_the_log_has_all_ids_once_per_change(
    hass: HomeAssistant, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up()
    caplog.set_level("INFO", "custom_components.homellm_edge")
    for left_out in (BOTH, BOTH, BOTH[:1], (), ()):
        await _refresh_with(hass, entry, *left_out)
    said = [r.message for r in caplog.records if "room" in r.message]
    assert said == [
        f"HomeLLM Edge: no room in the context for {', '.join(BOTH)}",
        f"HomeLLM Edge: no room in the context for {BOTH[0]}",
        "HomeLLM Edge: all entities have room again",
    ]


async def test_diagnostics_count_what_is_left_out(
    hass: HomeAssistant, set_up: SetUp, hass_client
) -> None:
    entry = await set_up()
    backend = entry.runtime_data.backend
    backend.kv_plan, backend.n_ctx = "block", 4096
    await _refresh_with(hass, entry, *BOTH)
    er.async_get(hass).async_update_entity(BOTH[0], area_id=None)
    await refreshed(hass)
    data = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    # Home Assistant puts the integration's issues into the same file.
    client = await hass_client()
    reply = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    whole = (await reply.text()).casefold()
    assert "left_out_" in whole
    assert not any(name in whole for name in ("bedroom", "kitchen"))
    cache = data["cache"]
    assert cache.pop("refreshed_tokens") > 0
    assert cache == {
        "kv_plan": "block",
        "context": 4096,
        "refreshes": 2,
        "left_out": {"light": 2},
    }
