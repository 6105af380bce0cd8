"""Tells a lab program what only code inside Home Assistant can see.

Three websocket commands: how late the event loop was, what the last conversation turns
cost, and which device lines a model holds in its KV cache.
"""

from typing import Any

import probatio
from homeassistant.components import websocket_api
from homeassistant.components.conversation.trace import async_get_traces
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .lag import LagSampler

DOMAIN = "homellm_lab"

CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Begin to sample, and register the commands."""
    hass.data[DOMAIN] = LagSampler(hass)
    for command in (_lag, _turns, _held):
        websocket_api.async_register_command(hass, command)
    return True


@callback
@websocket_api.websocket_command({probatio.Required("type"): f"{DOMAIN}/lag"})
def _lag(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """The event loop's lag since the last call."""
    connection.send_result(msg["id"], hass.data[DOMAIN].take())


@callback
@websocket_api.websocket_command({probatio.Required("type"): f"{DOMAIN}/turns"})
def _turns(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """The last turns that one of our models answered, the newest last."""
    found = []
    for trace in async_get_traces():
        events = trace.as_dict()["events"]
        asked = events[0]["data"]
        details = [e["data"] for e in events if "usage" in (e["data"] or {})]
        if details:
            found.append(
                {"agent": asked["agent_id"], "text": asked["text"]} | details[-1]
            )
    connection.send_result(msg["id"], found)


@callback
@websocket_api.websocket_command(
    {
        probatio.Required("type"): f"{DOMAIN}/held",
        probatio.Required("entry_id"): str,
    }
)
def _held(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """The device lines in an entry's KV cache, and what had no room there."""
    entry = hass.config_entries.async_get_known_entry(msg["entry_id"])
    runtime = entry.runtime_data
    lines = sorted(_texts(entry))
    connection.send_result(
        msg["id"],
        {
            "kv_plan": runtime.kv_plan,
            "lines": lines,
            "left_out": list(runtime.backend.cut.blocks),
        },
    )


def _texts(entry: ConfigEntry[Any]) -> list[str]:
    """The lines as the plan believes them to be in the cache."""
    texts = entry.runtime_data.backend.lines
    return [line for text in texts for line in text.splitlines()]
