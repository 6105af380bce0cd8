"""Live home -> what can be called in it: devices of one kind, and the calls they take.

The GBNF and the JSON Schema of a home are both written from this. What is found out
about an entity is kept and found again by what it was found out from, so that a change
of state costs nothing and a new device costs itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from ..home import Entity, Home
from ..services import Argument, Service, services_for

Allow = Callable[[Entity, Service], bool]
"""Policy: whether the model may write this call at all."""

LONGEST_ID = 255
"""Characters of an entity id that Home Assistant allows."""

_MAX_KEPT = 4096
"""Entries of each memory; when one is full it starts anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Entities of one domain that offer exactly the same; `name` is fit for a rule."""

    name: str
    services: tuple[Service, ...]

    @property
    def domain(self) -> str:
        """The domain of its devices."""
        return self.services[0].name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Call:
    """One service in one shape, and the kinds of device that take it.

    Its target is one device, a list of them, or a place; only one device if it is
    `single`. With `lists_only` it is what the shapes of a service have in common, for
    lists of devices of different kinds.
    """

    service: Service
    kinds: tuple[Kind, ...]
    single: bool = False
    lists_only: bool = False

    @property
    def domain(self) -> str:
        """The service's domain."""
        return self.service.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Offers:
    """What a home offers: its kinds with their devices and places, calls by domain."""

    devices: Mapping[Kind, tuple[str, ...]]
    places: Mapping[Kind, tuple[str, ...]]
    calls: Mapping[str, tuple[Call, ...]]


class Catalogue:
    """Finds the offers of homes and remembers what it can use again.

    `allow` is asked anew each time and may look at anything in the entity.
    """

    def __init__(self, allow: Allow | None = None) -> None:
        self._allow = allow
        self._names = Names()
        self._entities: dict[str, _Seen] = {}
        self._kinds: dict[tuple[Service, ...], Kind] = {}
        self._calls: dict[tuple[Kind, ...], tuple[Call, ...]] = {}

    def offers(self, home: Home) -> Offers:
        """The offers of this home; kinds and calls in the order of their names."""
        devices: dict[Kind, list[str]] = {}
        places: dict[Kind, set[str]] = {}
        holders = _places(home)
        for entity in home.entities:
            kind = self._kind(entity)
            if kind is not None:
                devices.setdefault(kind, []).append(entity.entity_id)
                places.setdefault(kind, set()).update(holders.get(entity.area, ()))
        kinds = sorted(devices, key=lambda kind: (kind.domain, kind.name))
        domains = groupby(kinds, key=lambda kind: kind.domain)
        return Offers(
            {kind: tuple(devices[kind]) for kind in kinds},
            {kind: tuple(sorted(places[kind])) for kind in kinds},
            {domain: self._calls_of(tuple(of)) for domain, of in domains},
        )

    def _kind(self, entity: Entity) -> Kind | None:
        """The kind of an entity, None if nothing of it may be called."""
        seen = self._entities.get(entity.entity_id)
        if seen is None or not seen.still(entity):
            if len(entity.entity_id) > LONGEST_ID:
                return None
            seen = self._look(entity)
            keep(self._entities, entity.entity_id, seen)
        if self._allow is None or seen.kind is None:
            return seen.kind
        allow, services = self._allow, seen.kind.services
        allowed = tuple(s for s in services if allow(entity, s))
        return seen.kind if len(allowed) == len(services) else self._of(entity, allowed)

    def _look(self, entity: Entity) -> _Seen:
        record = _Record(entity.attributes)
        services = services_for(replace(entity, attributes=record))
        return _Seen(entity, record.read, self._of(entity, services))

    def _of(self, entity: Entity, services: tuple[Service, ...]) -> Kind | None:
        if not services:
            return None
        kind = self._kinds.get(services)
        if kind is None:
            kind = Kind(self._names.of(entity.domain, repr(services)), services)
            keep(self._kinds, services, kind)
        return kind

    def _calls_of(self, kinds: tuple[Kind, ...]) -> tuple[Call, ...]:
        calls = self._calls.get(kinds)
        if calls is None:
            calls = tuple(_calls(kinds))
            keep(self._calls, kinds, calls)
        return calls


class Names:
    """Short names for long contents: the same content always has the same name."""

    def __init__(self) -> None:
        self._contents: dict[str, str] = {}

    def of(self, prefix: str, content: str) -> str:
        """`prefix` and six digits, as a GBNF rule may be called."""
        digest = hashlib.blake2b(content.encode(errors="replace"), digest_size=3)
        name = self.plain(f"{prefix}-{digest.hexdigest()}")
        while self._contents.get(name, content) != content:
            name += "0"
        keep(self._contents, name, content)
        return name

    @staticmethod
    def plain(name: str) -> str:
        """The name in the characters that a GBNF rule can have."""
        return name.replace("_", "-").replace(".", "-")


def keep(memory: dict[Any, Any], key: object, value: object) -> None:
    """Remember a value, in a memory that does not grow for ever."""
    if len(memory) >= _MAX_KEPT:
        memory.clear()
    memory[key] = value


class _Record(Mapping[str, Any]):
    """Attributes that note which of them were read."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.read: dict[str, Any] = {}
        self._attributes = attributes

    def __getitem__(self, key: str) -> Any:
        value = self._attributes.get(key)
        self.read[key] = value
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        raise TypeError("attributes are read by name, so that a change is noticed")

    def __len__(self) -> int:
        return len(self._attributes)


class _Seen:
    """What was found out about an entity, and from which of its attributes."""

    __slots__ = ("_entity", "_read", "kind")

    def __init__(
        self, entity: Entity, read: Mapping[str, Any], kind: Kind | None
    ) -> None:
        self.kind = kind
        self._entity = entity
        self._read = tuple(read.items())

    def still(self, entity: Entity) -> bool:
        """Whether this holds of the entity as it is now."""
        if entity is self._entity:
            return True
        get = entity.attributes.get
        for key, value in self._read:
            now = get(key)
            if now is not value and (type(now) is not type(value) or now != value):
                return False
        self._entity = entity
        return True


def _places(home: Home) -> dict[str | None, tuple[str, ...]]:
    """Area -> the places that its members can be called by: it and its floor."""
    found: dict[str | None, tuple[str, ...]] = {}
    for area in home.areas:
        ids = [area.id]
        if area.floor and home.floor(area.floor) is not None:
            ids.append(area.floor)
        found[area.id] = tuple(i for i in ids if 0 < len(i) <= LONGEST_ID)
    return found


def _calls(kinds: Sequence[Kind]) -> Iterator[Call]:
    shapes: dict[str, dict[Service, list[Kind]]] = {}
    for kind in kinds:
        for service in kind.services:
            holders = shapes.setdefault(service.name, {}).setdefault(service, [])
            holders.append(kind)
    for _, by_shape in sorted(shapes.items()):
        for service, holders in by_shape.items():
            yield Call(service, tuple(holders), single=service.explicit)
        common = _common([s for s in by_shape if not s.explicit])
        if common is not None:
            offering = [
                k for s, held in by_shape.items() if not s.explicit for k in held
            ]
            every = tuple(sorted(offering, key=lambda kind: kind.name))
            yield Call(common, every, lists_only=True)


def _common(shapes: Sequence[Service]) -> Service | None:
    """What all these shapes of a service take, None if there is nothing to gain."""
    if len(shapes) < 2:
        return None
    shared = tuple(
        a for a in shapes[0].arguments if all(a in s.arguments for s in shapes)
    )
    for shape in shapes:
        if not _complete(shape, shared):
            return None
    return Service(shapes[0].name, shared)


def _complete(shape: Service, arguments: tuple[Argument, ...]) -> bool:
    """Whether these arguments alone make a call of that shape."""
    return any(
        all(a in arguments for a in form if a.required) for form in shape.forms
    ) and not any(a.required and a.variant for a in shape.arguments)
