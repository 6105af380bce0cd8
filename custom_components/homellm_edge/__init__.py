"""HomeLLM Edge: a language model inside Home Assistant that controls the home."""

import importlib
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .phrases import async_register
from .wheels import InstallError, async_ensure_installed

if TYPE_CHECKING:
    from .runtime import Runtime

type HomellmEdgeConfigEntry = ConfigEntry[Runtime]

PLATFORMS = (Platform.CONVERSATION,)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, which are there before any entry is."""
    async_register(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: HomellmEdgeConfigEntry) -> bool:
    """Install the library if need be, load the model and start the agent."""
    issue_id = f"cannot_install_{entry.entry_id}"
    try:
        await async_ensure_installed(hass)
    except InstallError as err:
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=err.key,
            translation_placeholders=err.placeholders,
        )
        # Only a failed download can succeed later without somebody's help.
        error = ConfigEntryNotReady if err.key == "install_failed" else ConfigEntryError
        raise error(
            translation_domain=DOMAIN,
            translation_key=err.key,
            translation_placeholders=err.placeholders,
        ) from err
    ir.async_delete_issue(hass, DOMAIN, issue_id)

    # The library exists only now, and importing it reads files.
    try:
        await hass.async_add_executor_job(
            importlib.import_module, f"{__name__}.runtime"
        )
    except ImportError as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="import_failed",
            translation_placeholders={"error": str(err)},
        ) from err
    from homellm_edge.errors import HomellmEdgeError, NotEnoughMemoryError

    from .runtime import async_load

    try:
        runtime = await async_load(hass, entry)
    except NotEnoughMemoryError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="no_memory",
            translation_placeholders={"error": str(err)},
        ) from err
    except HomellmEdgeError as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="model_unusable",
            translation_placeholders={"error": str(err)},
        ) from err

    entry.runtime_data = runtime
    try:
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    except BaseException:
        await runtime.stop()
        raise
    runtime.start()
    entry.async_on_unload(entry.add_update_listener(_async_options_changed))
    return True


async def async_unload_entry(
    hass: HomeAssistant, entry: HomellmEdgeConfigEntry
) -> bool:
    """Remove the entity and free the model."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    await entry.runtime_data.stop()
    return True


async def async_remove_entry(
    hass: HomeAssistant, entry: HomellmEdgeConfigEntry
) -> None:
    """Take the entry's repair issue with it."""
    ir.async_delete_issue(hass, DOMAIN, f"cannot_install_{entry.entry_id}")


async def _async_options_changed(
    hass: HomeAssistant, entry: HomellmEdgeConfigEntry
) -> None:
    """Reload the model only for what it cannot change while it is loaded."""
    if entry.runtime_data.outdated:
        hass.config_entries.async_schedule_reload(entry.entry_id)
    else:
        entry.runtime_data.prepare()
