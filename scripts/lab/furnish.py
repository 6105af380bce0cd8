"""Gives a running Home Assistant its home: floors, areas, exposure, our agent."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from .client import Client
from .problems import LabError

DOMAIN = "homellm_edge"
ANSWERS = {"user": {"model": "default"}}
"""What the person would choose in each step of the config flow."""

WAIT_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Added:
    """A config entry of ours: its id, and its conversation entity."""

    entry_id: str
    agent: str


async def until_running(client: Client) -> None:
    """Wait until Home Assistant has started everything."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if (await client.call("get_config"))["state"] == "RUNNING":
            return
        await asyncio.sleep(0.1)
    raise LabError(f"Home Assistant was not up after {WAIT_SECONDS} s; see its log")


async def furnish(client: Client, home: dict[str, Any]) -> None:
    """Make floors and areas, put the entities in and expose them to Assist."""
    floors = await _floors(client, home.get("floors") or [])
    areas = await _areas(client, home.get("areas") or [], floors)
    listed = await client.call("config/entity_registry/list")
    known = {item["entity_id"] for item in listed}
    ids = [item["entity_id"] for item in home["entities"]]
    if missing := [entity_id for entity_id in ids if entity_id not in known]:
        raise LabError(f"the demo home lacks {', '.join(missing)}; see the log")
    for item in home["entities"]:
        await client.call(
            "config/entity_registry/update",
            entity_id=item["entity_id"],
            area_id=areas.get(item.get("area")),
            aliases=[None, *item.get("aliases", [])],  # None stands for the name
        )
    await expose(client, ids)


async def expose(client: Client, entity_ids: list[str]) -> None:
    """Let Assist see and control these."""
    await client.call(
        "homeassistant/expose_entity",
        assistants=["conversation"],
        entity_ids=entity_ids,
        should_expose=True,
    )


async def add_integration(client: Client) -> str:
    """Add ours through its config flow, if need be; returns its conversation entity."""
    entries = await client.call("config_entries/get", domain=DOMAIN)
    if not entries:
        return (await add_entry(client)).agent
    return await _agent(client, await until_loaded(client, entries[0]["entry_id"]))


async def add_entry(client: Client, answers: dict[str, Any] | None = None) -> Added:
    """Walk through our config flow with these answers by step, and wait for the model.

    Without answers it is the embedded one.
    """
    entry_id = await _walk_flow(client, answers or ANSWERS)
    return Added(entry_id, await _agent(client, await until_loaded(client, entry_id)))


async def set_options(client: Client, entry_id: str, options: dict[str, Any]) -> None:
    """Fill in an entry's options form; what needs it loads the model anew."""
    path = "/api/config/config_entries/options/flow"
    step = await client.rest("POST", path, {"handler": entry_id})
    step = await client.rest("POST", f"{path}/{step['flow_id']}", options)
    if step["type"] != "create_entry":
        raise LabError(f"the options {options} are refused: {step.get('errors')}")


async def _agent(client: Client, entry_id: str) -> str:
    """The conversation entity of an entry."""
    for item in await client.call("config/entity_registry/list"):
        if item["config_entry_id"] == entry_id and item["entity_id"].startswith(
            "conversation."
        ):
            return str(item["entity_id"])
    raise LabError(f"{DOMAIN} made no conversation entity; see Home Assistant's log")


async def prefer_agent(client: Client, agent: str) -> None:
    """Have Assist use this conversation entity."""
    found = await client.call("assist_pipeline/pipeline/list")
    for pipeline in found["pipelines"]:
        if pipeline["conversation_engine"] == agent:
            break
    else:
        pipeline = await client.call(
            "assist_pipeline/pipeline/create",
            name="HomeLLM Edge",
            language="en",
            conversation_engine=agent,
            conversation_language="en",
            prefer_local_intents=False,
            stt_engine=None,
            stt_language=None,
            tts_engine=None,
            tts_language=None,
            tts_voice=None,
            wake_word_entity=None,
            wake_word_id=None,
        )
    await client.call(
        "assist_pipeline/pipeline/set_preferred", pipeline_id=pipeline["id"]
    )


async def _floors(client: Client, items: list[dict[str, Any]]) -> dict[str, str]:
    listed = await client.call("config/floor_registry/list")
    made = {floor["name"]: floor["floor_id"] for floor in listed}
    for item in items:
        if item["name"] not in made:
            floor = await client.call(
                "config/floor_registry/create",
                name=item["name"],
                aliases=item.get("aliases", []),
                level=item.get("level"),
            )
            made[item["name"]] = floor["floor_id"]
    return {item["id"]: made[item["name"]] for item in items}


async def _areas(
    client: Client, items: list[dict[str, Any]], floors: dict[str, str]
) -> dict[str | None, str]:
    listed = await client.call("config/area_registry/list")
    made = {area["name"]: area["area_id"] for area in listed}
    for item in items:
        if item["name"] not in made:
            fields = {"name": item["name"], "aliases": item.get("aliases", [])}
            if floor := item.get("floor"):
                fields["floor_id"] = floors[floor]
            area = await client.call("config/area_registry/create", **fields)
            made[item["name"]] = area["area_id"]
    return {item["id"]: made[item["name"]] for item in items}


async def _walk_flow(client: Client, answers: dict[str, Any]) -> str:
    path = "/api/config/config_entries/flow"
    step = await client.rest("POST", path, {"handler": DOMAIN})
    while step["type"] == "form":
        if step.get("errors"):
            raise LabError(
                f"{DOMAIN} cannot be set up: {step['errors']} "
                f"{step.get('description_placeholders') or ''}"
            )
        answer = answers.get(step["step_id"], {})
        step = await client.rest("POST", f"{path}/{step['flow_id']}", answer)
    if step["type"] != "create_entry":
        raise LabError(f"{DOMAIN} cannot be set up: {step.get('reason', step['type'])}")
    return str(step["result"]["entry_id"])


async def until_loaded(client: Client, entry_id: str) -> str:
    """Wait until an entry of ours has its model; returns its id."""
    end = time.monotonic() + WAIT_SECONDS
    state = "not there"
    while time.monotonic() < end:
        entries = await client.call("config_entries/get", domain=DOMAIN)
        for entry in entries:
            if entry["entry_id"] != entry_id:
                continue
            state = entry["state"]
            if state == "loaded":
                return entry_id
            if state in ("setup_error", "migration_error", "setup_retry"):
                raise LabError(f"{DOMAIN} did not load: {entry['reason'] or state}")
        await asyncio.sleep(0.1)
    raise LabError(f"{DOMAIN} was still {state} after {WAIT_SECONDS} s; see the log")
