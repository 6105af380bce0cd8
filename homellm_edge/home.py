"""The exposed home as frozen data: floors, areas, entities with their states.

A `Home` is a value: the integration makes a new one when a state changes, so a turn
always works on one consistent picture. `load_home` reads the home file format of the
command line and of the evaluation cases (JSON or YAML).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .errors import HomeError

ENTITY_ID = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
"""Home Assistant's own form: `domain.object_id`, lower case."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor; `level` counts from 0 = ground floor, None if not set."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """An area (room); `floor` is a floor id or None."""

    id: str
    name: str
    floor: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """An exposed entity with the state and attributes Home Assistant reports."""

    entity_id: str
    name: str
    state: str = "unknown"
    attributes: Mapping[str, Any] = field(default_factory=_nothing)
    area: str | None = None
    aliases: tuple[str, ...] = ()
    device: str | None = None

    @property
    def domain(self) -> str:
        """The part of the entity id before the dot."""
        return self.entity_id.partition(".")[0]

    @property
    def device_class(self) -> str | None:
        """The device class (`garage`, `temperature`...), None if it has none."""
        value = self.attributes.get("device_class")
        return str(value) if value else None


@dataclass(frozen=True)
class Home:
    """Floors, areas, entities. Ids are unique; malformed ones raise HomeError."""

    floors: tuple[Floor, ...] = ()
    areas: tuple[Area, ...] = ()
    entities: tuple[Entity, ...] = ()

    def __post_init__(self) -> None:
        for kind, items in (("floor", self.floors), ("area", self.areas)):
            _refuse_duplicates(kind, (item.id for item in items))
        _refuse_duplicates("entity", (e.entity_id for e in self.entities))
        for entity in self.entities:
            if not ENTITY_ID.fullmatch(entity.entity_id):
                raise HomeError(
                    f"malformed entity id {entity.entity_id!r}",
                    "write it as domain.object_id in lower case letters, digits and _",
                )
        object.__setattr__(self, "_entities", {e.entity_id: e for e in self.entities})
        object.__setattr__(self, "_areas", {a.id: a for a in self.areas})
        object.__setattr__(self, "_floors", {f.id: f for f in self.floors})

    def entity(self, entity_id: str) -> Entity | None:
        """The entity of that id, or None."""
        found: Entity | None = self._entities.get(entity_id)  # type: ignore[attr-defined]
        return found

    def area(self, area_id: str | None) -> Area | None:
        """The area of that id, or None."""
        found: Area | None = self._areas.get(area_id)  # type: ignore[attr-defined]
        return found

    def floor(self, floor_id: str | None) -> Floor | None:
        """The floor of that id, or None."""
        found: Floor | None = self._floors.get(floor_id)  # type: ignore[attr-defined]
        return found

    def find_area(self, name_or_id: str) -> Area | None:
        """The area whose id, name or alias is this, whatever its case."""
        wanted = name_or_id.casefold().strip()
        for area in self.areas:
            if wanted in {
                area.id.casefold(),
                area.name.casefold(),
                *(alias.casefold() for alias in area.aliases),
            }:
                return area
        return None

    def members(self, place_id: str) -> tuple[Entity, ...]:
        """The entities in that area, or in all areas of that floor."""
        areas = {place_id} | {a.id for a in self.areas if a.floor == place_id}
        return tuple(e for e in self.entities if e.area in areas)

    def with_state(
        self, entity_id: str, state: str, attributes: Mapping[str, Any] | None = None
    ) -> Home:
        """A home in which that entity has this state; attributes are merged in."""
        if self.entity(entity_id) is None:
            raise HomeError(f"unknown entity {entity_id}", "use an id of this home")
        return dataclasses.replace(
            self,
            entities=tuple(
                dataclasses.replace(
                    e, state=state, attributes={**e.attributes, **(attributes or {})}
                )
                if e.entity_id == entity_id
                else e
                for e in self.entities
            ),
        )


def home_from_dict(data: object) -> Home:
    """Check and convert the home file form; raises HomeError naming what is wrong."""
    if not isinstance(data, Mapping):
        raise HomeError(
            f"a home is a mapping, not {_kind(data)}",
            "give it the keys floors, areas and entities",
        )
    entities = _items(data, "entities", required=True)
    return Home(
        floors=tuple(
            Floor(
                id=_text(item, "id", where),
                name=_text(item, "name", where),
                aliases=_texts(item, "aliases", where),
                level=_level(item, where),
            )
            for where, item in _items(data, "floors")
        ),
        areas=tuple(
            Area(
                id=_text(item, "id", where),
                name=_text(item, "name", where),
                floor=_optional(item, "floor", where),
                aliases=_texts(item, "aliases", where),
            )
            for where, item in _items(data, "areas")
        ),
        entities=tuple(_entity(item, where) for where, item in entities),
    )


def load_home(path: Path) -> Home:
    """Read a home file (JSON, else YAML); raises HomeError with the file's name."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise HomeError(f"home file {path} does not exist", "check the path") from None
    except IsADirectoryError:
        raise HomeError(f"home file {path} is a folder", "name a file in it") from None
    except UnicodeDecodeError as err:
        raise HomeError(
            f"home file {path} is not UTF-8 text (byte {err.start})",
            "save it as YAML or JSON in UTF-8",
        ) from None
    except OSError as err:
        raise HomeError(
            f"home file {path} cannot be read ({err.strerror})", "check it"
        ) from None
    try:
        return home_from_dict(_parse(text))
    except HomeError as err:
        raise HomeError(f"home file {path}: {err.cause}", err.cure) from None


def _parse(text: str) -> object:
    if not text.strip():
        raise HomeError("it is empty", "write floors, areas and entities into it")
    if text.lstrip()[:1] in "{[":
        try:
            return json.loads(text)
        except json.JSONDecodeError as err:
            raise HomeError(
                f"not valid JSON at line {err.lineno}, column {err.colno} ({err.msg})",
                "correct that place",
            ) from None
    import yaml  # only needed for YAML homes; costs 15 ms of start-up

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise HomeError(
            f"neither YAML nor JSON{place} ({getattr(err, 'problem', err)})",
            "correct that place",
        ) from None


def _entity(item: Mapping[str, Any], where: str) -> Entity:
    entity_id = _text(item, "entity_id", where)
    attributes = item.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        raise HomeError(
            f"{where}: attributes are {_kind(attributes)}", "make them a mapping"
        )
    state = item.get("state", "unknown")
    if isinstance(state, bool):  # YAML reads a bare on/off as a boolean
        state = "on" if state else "off"
    return Entity(
        entity_id=entity_id,
        name=_optional(item, "name", where)
        or entity_id.partition(".")[2].replace("_", " "),
        state="unknown" if state is None else str(state),
        attributes=MappingProxyType(dict(attributes)),
        area=_optional(item, "area", where),
        aliases=_texts(item, "aliases", where),
        device=_optional(item, "device", where),
    )


def _items(
    data: Mapping[str, Any], key: str, *, required: bool = False
) -> list[tuple[str, Mapping[str, Any]]]:
    value = data.get(key)
    if value is None:
        if required:
            raise HomeError(f"the key {key} is missing", f"list the {key} under it")
        return []
    if not isinstance(value, list):
        raise HomeError(f"{key} is {_kind(value)}", "make it a list")
    for number, item in enumerate(value, 1):
        if not isinstance(item, Mapping):
            raise HomeError(f"{key}[{number}] is {_kind(item)}", "make it a mapping")
    return [(f"{key}[{number}]", item) for number, item in enumerate(value, 1)]


def _text(item: Mapping[str, Any], key: str, where: str) -> str:
    value = _optional(item, key, where)
    if not value:
        raise HomeError(f"{where}: {key} is missing", f"give it {_article(key)} {key}")
    return value


def _optional(item: Mapping[str, Any], key: str, where: str) -> str | None:
    value = item.get(key)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise HomeError(f"{where}: {key} is {_kind(value)}", "make it a text")
    return value.strip()


def _texts(item: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = item.get(key) or []
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise HomeError(f"{where}: {key} is {_kind(value)}", "make it a list of texts")
    return tuple(v.strip() for v in value if v.strip())


def _level(item: Mapping[str, Any], where: str) -> int | None:
    value = item.get("level")
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise HomeError(f"{where}: level is {_kind(value)}", "make it a whole number")
    return value


def _refuse_duplicates(kind: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for item in ids:
        if item in seen:
            raise HomeError(f"{kind} id {item!r} occurs twice", "remove one of them")
        seen.add(item)


def _kind(value: object) -> str:
    names = {list: "a list", dict: "a mapping", str: "a text", bool: "true or false"}
    return names.get(type(value), "nothing" if value is None else "a number")


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"
