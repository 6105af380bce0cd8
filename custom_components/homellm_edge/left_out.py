"""Tells which exposed entities have no room in the model's context.

As a repair issue for the person, and with all their ids in the log.
"""

import logging
import re
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from homellm_edge.home import Home

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

_MOST_NAMED = 5
_LONGEST_NAME = 60
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~&-])")


class LeftOut:
    """The issue of one entry, made, renewed and removed as things change."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        self._hass = hass
        self._entry = entry
        self._issue_id = f"left_out_{entry.entry_id}"
        self.ids: tuple[str, ...] = ()

    @callback
    def update(self, ids: tuple[str, ...], home: Home) -> None:
        """Tell about these entities of the home; none takes back what was told."""
        if ids == self.ids:
            return
        self.ids = ids
        if not ids:
            _LOGGER.info("%s: all entities have room again", self._entry.title)
            self.withdraw()
            return
        _LOGGER.info(
            "%s: no room in the context for %s", self._entry.title, ", ".join(ids)
        )
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="left_out",
            translation_placeholders={
                "title": self._entry.title,
                "count": str(len(ids)),
                "total": str(len(home.entities)),
                "names": _names(ids, home),
            },
        )

    @callback
    def withdraw(self) -> None:
        """Remove the issue. Safe to call twice."""
        self.ids = ()
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)


def _names(ids: tuple[str, ...], home: Home) -> str:
    """The first few as a person knows them; the issue's text is Markdown."""
    entities = [home.entity(entity_id) for entity_id in ids[:_MOST_NAMED]]
    names = [
        _MARKDOWN.sub(r"\\\1", entity.name[:_LONGEST_NAME])
        for entity in entities
        if entity is not None
    ]
    return ", ".join(names) + (", …" if len(ids) > _MOST_NAMED else "")
