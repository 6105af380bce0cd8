"""The exposed entities of Home Assistant as a `homellm_edge.home.Home`, kept current.

Structure (exposure, names, areas) is read again when it changed; a state change
replaces one entity. The `Home` itself is made when somebody asks for it.
"""

import datetime
import enum
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, State, callback

from homellm_edge.home import Area, Entity, Floor, Home

from . import ha_api

_DROPPED = frozenset(
    {
        "access_token",
        "attribution",
        "entity_picture",
        "entity_picture_local",
        "friendly_name",
        "icon",
        "latitude",
        "longitude",
        "token",
    }
)
"""Secrets, pictures, positions of people, and what the entity's name says already."""

_MAX_DEPTH = 4
_MAX_ITEMS = 500
_MAX_TEXT = 1000


class HomeSource:
    """The current home; `on_change` is called after every change, in the event loop."""

    def __init__(self, hass: HomeAssistant, on_change: Callable[[], None]) -> None:
        self._hass = hass
        self._on_change = on_change
        self._floors: tuple[Floor, ...] = ()
        self._areas: tuple[Area, ...] = ()
        self._entities: dict[str, Entity] = {}
        self._structure_changed = True
        self._home: Home | None = None
        self._structure_listeners: list[CALLBACK_TYPE] = []
        self._state_listener: CALLBACK_TYPE | None = None

    @callback
    def start(self) -> None:
        """Begin to follow the home's changes."""
        self._structure_listeners = ha_api.track_structure(
            self._hass, self._on_structure
        )

    @callback
    def stop(self) -> None:
        """Remove all listeners. Safe to call twice."""
        while self._structure_listeners:
            self._structure_listeners.pop()()
        if self._state_listener:
            self._state_listener()
            self._state_listener = None
        self._structure_changed = True

    @callback
    def home(self) -> Home:
        """The exposed home as it is now."""
        if self._structure_changed:
            self._read_structure()
        if self._home is None:
            self._home = Home(self._floors, self._areas, tuple(self._entities.values()))
        return self._home

    def _read_structure(self) -> None:
        hass = self._hass
        self._floors = tuple(
            Floor(floor_id, name, _names(aliases, name), level)
            for floor_id, name, level, aliases in ha_api.floors(hass)
        )
        self._areas = tuple(
            Area(area_id, name, floor, _names(aliases, name))
            for area_id, name, floor, aliases in ha_api.areas(hass)
        )
        self._entities = {
            state.entity_id: self._entity(state)
            for state in ha_api.exposed_states(hass)
        }
        if self._state_listener:
            self._state_listener()
        self._state_listener = (
            ha_api.track_states(hass, list(self._entities), self._on_state)
            if self._structure_listeners
            else None
        )
        self._home = None
        # Last, because asking for exposure may itself write to the registry.
        self._structure_changed = not self._structure_listeners

    def _entity(self, state: State) -> Entity:
        entity_id = state.entity_id
        return Entity(
            entity_id=entity_id,
            name=state.name.strip(),
            state=state.state,
            attributes=plain_attributes(state.attributes),
            area=ha_api.entity_area(self._hass, entity_id),
            aliases=_names(
                ha_api.entity_aliases(self._hass, entity_id), state.name.strip()
            ),
            device=ha_api.entity_device(self._hass, entity_id),
        )

    @callback
    def _on_structure(self) -> None:
        self._structure_changed = True
        self._on_change()

    @callback
    def _on_state(self, entity_id: str, state: State | None) -> None:
        if state is None or entity_id not in self._entities:
            self._structure_changed = True
        elif not self._structure_changed:
            self._entities[entity_id] = self._entity(state)
            self._home = None
        self._on_change()


def plain_attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes as JSON-like values; what cannot be one is left out."""
    result = {}
    for name, value in attributes.items():
        if name not in _DROPPED and (plain := _plain(value, _MAX_DEPTH)) is not None:
            result[name] = plain
    return MappingProxyType(result)


def _plain(value: Any, depth: int) -> Any:
    """A JSON-like copy, or None for what has no such form (or is none)."""
    if isinstance(value, enum.Enum):
        value = value.value
    match value:
        case bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return str(value[:_MAX_TEXT])
        case datetime.date() | datetime.time():
            return value.isoformat()
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        pairs = ((str(k), _plain(v, depth - 1)) for k, v in value.items())
        return {k: v for k, v in pairs if v is not None}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        items = (_plain(v, depth - 1) for v in value[:_MAX_ITEMS])
        return [v for v in items if v is not None]
    return None


def _names(aliases: list[str] | set[str], name: str) -> tuple[str, ...]:
    """The aliases without blanks, repetitions and the name itself."""
    if isinstance(aliases, set):  # keep the prompt stable from start to start
        aliases = sorted(aliases)
    unique = dict.fromkeys(alias.strip() for alias in aliases)
    return tuple(alias for alias in unique if alias and alias != name)
