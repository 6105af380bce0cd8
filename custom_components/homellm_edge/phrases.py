"""A person's own phrases: a file in the configuration folder, and an action for it."""

import logging
from pathlib import Path

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

FILE = "homellm_edge_phrases.txt"
"""Name of the file, in the form of the library's phrase banks."""

SERVICE_ADD_PHRASE = "add_phrase"
_SCHEMA = vol.Schema(
    {
        vol.Required("phrase"): vol.All(cv.string, vol.Length(min=2, max=200)),
        vol.Required("meaning"): vol.All(cv.string, vol.Length(min=2, max=100)),
    }
)


def read_own(hass: HomeAssistant) -> list[tuple[str, str]]:
    """(sentence, meaning) of the file; blocks. A bad file is logged and left out."""
    from homellm_edge.errors import HomellmEdgeError
    from homellm_edge.phrases import own_phrases

    path = Path(hass.config.path(FILE))
    if not path.exists():
        return []
    try:
        return own_phrases(path)
    except HomellmEdgeError as err:
        _LOGGER.warning("Your own phrases are not used: %s", err)
        return []


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the action that adds a phrase."""

    async def add(call: ServiceCall) -> None:
        await _add(hass, call.data["phrase"], call.data["meaning"].strip())

    hass.services.async_register(DOMAIN, SERVICE_ADD_PHRASE, add, schema=_SCHEMA)


async def _add(hass: HomeAssistant, phrase: str, meaning: str) -> None:
    """Write the phrase to the file and let every loaded model know it at once."""
    learners = [
        entry.runtime_data.hints
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.state is ConfigEntryState.LOADED and entry.runtime_data.hints
    ]
    if not learners:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_model_learns"
        )
    from homellm_edge.errors import HomellmEdgeError
    from homellm_edge.grounding.text import words

    text = " ".join(words(phrase))
    try:
        for learner in learners:
            await hass.async_add_executor_job(learner.learn, [(text, meaning)])
    except HomellmEdgeError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="phrase_refused",
            translation_placeholders={"error": str(err)},
        ) from err
    head = f"action {meaning}" if "." in meaning else meaning
    path = Path(hass.config.path(FILE))
    await hass.async_add_executor_job(_append, path, f"[{head}]\n{text}\n")


def _append(path: Path, lines: str) -> None:
    old = path.read_text("utf-8") if path.exists() else ""
    gap = "\n" if old else ""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{gap}{lines}")
