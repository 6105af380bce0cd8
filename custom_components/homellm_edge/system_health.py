"""The integration's line in Home Assistant's system information."""

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN, ENGINE_VERSION, LIBRARY_VERSION


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the information."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    entries = hass.config_entries.async_entries(DOMAIN)
    loaded = [e for e in entries if e.state is ConfigEntryState.LOADED]
    return {
        "library": LIBRARY_VERSION,
        "engine": ENGINE_VERSION,
        "models": ", ".join(e.runtime_data.model_name for e in loaded) or "none loaded",
    }
