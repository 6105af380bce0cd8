"""What a bug report needs, without the names of anything in the home.

Entity ids are names, too, so what is left out is counted here; the log has the ids.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from homeassistant.core import HomeAssistant

from . import HomellmEdgeConfigEntry
from .const import CONF_MODEL_PATH, CONF_PERSONA, ENGINE_VERSION, LIBRARY_VERSION


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: HomellmEdgeConfigEntry
) -> dict[str, Any]:
    """Versions, the model and counts of what is exposed."""
    runtime = entry.runtime_data
    home = runtime.source.home()
    options = dict(entry.options)
    if CONF_PERSONA in options:  # written by the user, may tell about the household
        options[CONF_PERSONA] = f"{len(options[CONF_PERSONA])} characters"
    return {
        "library": LIBRARY_VERSION,
        "engine": ENGINE_VERSION,
        "model": runtime.model_name,
        "embedded_model": CONF_MODEL_PATH not in entry.data,
        "prompt_format": runtime.backend.prompt_format,
        "options": options,
        "cache": {
            "kv_plan": runtime.kv_plan,
            "context": runtime.context,
            "refreshes": runtime.refreshes,
            "refreshed_tokens": runtime.refreshed_tokens,
            "left_out": _domains(runtime.left_out.ids),
        },
        "home": {
            "floors": len(home.floors),
            "areas": len(home.areas),
            "entities": len(home.entities),
            "domains": _domains(e.entity_id for e in home.entities),
            "with_aliases": sum(bool(e.aliases) for e in home.entities),
            "without_area": sum(e.area is None for e in home.entities),
        },
    }


def _domains(entity_ids: Iterable[str]) -> dict[str, int]:
    """How many there are of each domain."""
    return dict(Counter(entity_id.partition(".")[0] for entity_id in entity_ids))
