"""A home of devices that exist in memory only, described by a home file.

The file is the one that `homellm-edge ask --home` reads: states and attributes in the
form in which Home Assistant reports them. Every device obeys its domain's services.
"""

from pathlib import Path
from typing import Any

import probatio
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.discovery import async_load_platform
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.yaml import load_yaml_dict

from .base import DOMAIN, PLATFORMS

CONFIG_SCHEMA = probatio.Schema(
    {DOMAIN: probatio.Schema({probatio.Required("home"): cv.isfile})},
    extra=probatio.ALLOW_EXTRA,
)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Make the devices of the home file named in the configuration."""
    path = Path(config[DOMAIN]["home"])
    home = await hass.async_add_executor_job(load_yaml_dict, str(path))
    items: dict[str, list[dict[str, Any]]] = {}
    for item in home["entities"]:
        items.setdefault(item["entity_id"].partition(".")[0], []).append(item)
    if unknown := sorted(items.keys() - set(PLATFORMS)):
        raise ValueError(f"{path}: the demo home has no {', '.join(unknown)}")
    for platform, found in items.items():
        hass.async_create_task(
            async_load_platform(hass, platform, DOMAIN, {"items": found}, config)
        )
    return True
