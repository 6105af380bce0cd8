"""What can be done with each entity: services, typed arguments, ranges, care.

The ranges are the entity's own where it reports them (`min_temp`, `hvac_modes`,
`source_list`...). The grammar builder, the checks on a call and the prompt's service
list all read this one description.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .errors import CallError
from .home import Entity, Home

Kind = Literal["integer", "number", "choice", "rgb", "boolean"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a service; bounds are inclusive, `choices` only for `choice`."""

    name: str
    kind: Kind
    minimum: float = 0
    maximum: float = 0
    step: float = 1
    choices: tuple[str, ...] = ()
    required: bool = False
    unit: str = ""
    spoken_as: str = ""
    """Another name under which models write it (`brightness` for `brightness_pct`)."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service as one entity offers it; `name` is `domain.service`."""

    name: str
    arguments: tuple[Argument, ...] = ()
    explicit: bool = False
    """Opens the house or starts the unknown: only done when asked for by name."""

    def argument(self, name: str) -> Argument | None:
        """The argument of that name (or spoken name), or None."""
        return next((a for a in self.arguments if name in (a.name, a.spoken_as)), None)


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """A checked call: every target is exposed, every argument within its range."""

    service: str
    targets: tuple[str, ...]
    data: Mapping[str, Any]

    @property
    def domain(self) -> str:
        """The service's domain."""
        return self.service.partition(".")[0]

    def to_dict(self) -> dict[str, Any]:
        """The form of the command line's JSON and of the model's output."""
        target = self.targets[0] if len(self.targets) == 1 else list(self.targets)
        return {"service": self.service, "target_device": target, **self.data}


OPENINGS = frozenset({"door", "garage", "gate"})
"""Device classes of covers whose opening lets somebody in."""

_BRIGHTNESS = Argument(
    "brightness_pct", "integer", 0, 100, unit="%", spoken_as="brightness"
)
_FEATURES: Mapping[str, Mapping[str, int]] = {
    "climate": {"target_temperature": 1, "fan_mode": 8, "preset_mode": 16},
    "cover": {"open": 1, "close": 2, "set_position": 4, "stop": 8},
    "fan": {"set_speed": 1, "oscillate": 2, "direction": 4, "preset_mode": 8},
    "media_player": {
        "pause": 1,
        "volume_set": 4,
        "volume_mute": 8,
        "previous_track": 16,
        "next_track": 32,
        "turn_on": 128,
        "turn_off": 256,
        "volume_step": 1024,
        "select_source": 2048,
        "stop": 4096,
        "play": 16384,
    },
    "vacuum": {"pause": 4, "stop": 8, "return_home": 16, "locate": 512, "start": 8192},
    "valve": {"open": 1, "close": 2, "set_position": 4, "stop": 8},
}


def services_for(entity: Entity) -> tuple[Service, ...]:
    """The services this entity offers, with its own ranges; () if only readable.

    An entity that does not report `supported_features` is taken to support everything
    its domain has: Home Assistant itself refuses what is not there.
    """
    build = _BUILDERS.get(entity.domain)
    return build(entity) if build else ()


def service_for(entity: Entity, name: str) -> Service | None:
    """The service of that full name if this entity offers it, or None."""
    return next((s for s in services_for(entity) if s.name == name), None)


def check_call(
    home: Home, service: str, targets: Sequence[str], data: Mapping[str, Any]
) -> ServiceCall:
    """Check a call against the home; raises CallError naming the first thing wrong.

    Numbers given as texts are converted, whole floats become integers.
    """
    if not targets:
        raise CallError(f"{service} has no target", "name a device")
    checked: dict[str, Any] = {}
    for target in targets:
        entity = home.entity(target)
        if entity is None:
            raise CallError(f"there is no exposed device {target}", "expose it first")
        offered = service_for(entity, service)
        if offered is None:
            raise CallError(f"{target} does not offer {service}", "use one it offers")
        for name, value in data.items():
            argument = offered.argument(name)
            if argument is None:
                raise CallError(f"{service} takes no {name}", "leave it out")
            checked[argument.name] = _checked_value(service, argument, value)
        for argument in offered.arguments:
            if argument.required and argument.name not in checked:
                raise CallError(f"{service} needs {argument.name}", "give it")
    return ServiceCall(service, tuple(dict.fromkeys(targets)), checked)


def _checked_value(service: str, argument: Argument, value: Any) -> Any:
    if argument.kind in ("integer", "number"):
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, bool) or not (
            argument.minimum <= number <= argument.maximum
        ):
            raise CallError(
                f"{service}: {argument.name} is {value!r}, not a number from "
                f"{argument.minimum:g} to {argument.maximum:g}",
                "stay in that range",
            )
        return int(number) if number.is_integer() else number
    if argument.kind == "choice":
        for choice in argument.choices:
            if str(value).casefold() == choice.casefold():
                return choice
        raise CallError(
            f"{service}: {argument.name} is {value!r}, not one of "
            + ", ".join(argument.choices),
            "use one of these",
        )
    if argument.kind == "boolean":
        if isinstance(value, bool):
            return value
        raise CallError(f"{service}: {argument.name} is {value!r}", "use true or false")
    if (
        isinstance(value, list | tuple)
        and len(value) == 3
        and all(type(v) is int and 0 <= v <= 255 for v in value)
    ):
        return list(value)
    raise CallError(
        f"{service}: {argument.name} is {value!r}", "use three numbers 0 to 255"
    )


def _has(entity: Entity, feature: str) -> bool:
    flags = entity.attributes.get("supported_features")
    if not isinstance(flags, int):
        return True
    return bool(flags & _FEATURES[entity.domain][feature])


def _choices(entity: Entity, attribute: str) -> tuple[str, ...]:
    values = entity.attributes.get(attribute)
    if not isinstance(values, list | tuple):
        return ()
    return tuple(dict.fromkeys(str(v) for v in values if v is not None and str(v)))


def _bound(entity: Entity, attribute: str, default: float) -> float:
    value = entity.attributes.get(attribute)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return default


def _switchable(entity: Entity) -> tuple[Service, ...]:
    domain = entity.domain
    return tuple(Service(f"{domain}.{v}") for v in ("turn_on", "turn_off", "toggle"))


def _light(entity: Entity) -> tuple[Service, ...]:
    modes = set(_choices(entity, "supported_color_modes"))
    arguments: list[Argument] = []
    if not modes or modes - {"onoff"}:
        arguments.append(_BRIGHTNESS)
    if not modes or modes & {"hs", "rgb", "rgbw", "rgbww", "xy"}:
        arguments.append(Argument("rgb_color", "rgb"))
    if not modes or "color_temp" in modes:
        low = _bound(entity, "min_color_temp_kelvin", 2000)
        high = _bound(entity, "max_color_temp_kelvin", 6500)
        arguments.append(Argument("color_temp_kelvin", "integer", low, high, unit="K"))
    if effects := _choices(entity, "effect_list"):
        arguments.append(Argument("effect", "choice", choices=effects))
    return (
        Service("light.turn_on", tuple(arguments)),
        Service("light.turn_off"),
        Service("light.toggle"),
    )


def _fan(entity: Entity) -> tuple[Service, ...]:
    services = list(_switchable(entity))
    if _has(entity, "set_speed"):
        step = max(_bound(entity, "percentage_step", 1), 1)
        percentage = Argument(
            "percentage", "integer", 0, 100, step, required=True, unit="%"
        )
        services += [
            Service("fan.set_percentage", (percentage,)),
            Service("fan.increase_speed"),
            Service("fan.decrease_speed"),
        ]
    if presets := _choices(entity, "preset_modes"):
        preset = Argument("preset_mode", "choice", choices=presets, required=True)
        services.append(Service("fan.set_preset_mode", (preset,)))
    if _has(entity, "oscillate"):
        oscillating = Argument("oscillating", "boolean", required=True)
        services.append(Service("fan.oscillate", (oscillating,)))
    if _has(entity, "direction"):
        direction = Argument(
            "direction", "choice", choices=("forward", "reverse"), required=True
        )
        services.append(Service("fan.set_direction", (direction,)))
    return tuple(services)


def _openable(entity: Entity) -> tuple[Service, ...]:
    domain = entity.domain
    guarded = domain == "cover" and entity.device_class in OPENINGS
    services: list[Service] = []
    if _has(entity, "open"):
        services.append(Service(f"{domain}.open_{domain}", explicit=guarded))
    if _has(entity, "close"):
        services.append(Service(f"{domain}.close_{domain}"))
    if _has(entity, "stop"):
        services.append(Service(f"{domain}.stop_{domain}"))
    if _has(entity, "set_position"):
        position = Argument("position", "integer", 0, 100, required=True, unit="%")
        services.append(
            Service(f"{domain}.set_{domain}_position", (position,), explicit=guarded)
        )
    services.append(Service(f"{domain}.toggle", explicit=guarded))
    return tuple(services)


def _lock(_: Entity) -> tuple[Service, ...]:
    return (Service("lock.lock"), Service("lock.unlock", explicit=True))


def _media_player(entity: Entity) -> tuple[Service, ...]:
    services: list[Service] = []
    for feature, name in (
        ("turn_on", "turn_on"),
        ("turn_off", "turn_off"),
        ("play", "media_play"),
        ("pause", "media_pause"),
        ("stop", "media_stop"),
        ("next_track", "media_next_track"),
        ("previous_track", "media_previous_track"),
        ("volume_step", "volume_up"),
        ("volume_step", "volume_down"),
    ):
        if _has(entity, feature):
            services.append(Service(f"media_player.{name}"))
    if _has(entity, "volume_set"):
        level = Argument("volume_level", "number", 0, 1, 0.01, required=True)
        services.append(Service("media_player.volume_set", (level,)))
    if _has(entity, "volume_mute"):
        muted = Argument("is_volume_muted", "boolean", required=True)
        services.append(Service("media_player.volume_mute", (muted,)))
    sources = _choices(entity, "source_list")
    if sources and _has(entity, "select_source"):
        source = Argument("source", "choice", choices=sources, required=True)
        services.append(Service("media_player.select_source", (source,)))
    return tuple(services)


def _climate(entity: Entity) -> tuple[Service, ...]:
    services = [Service("climate.turn_on"), Service("climate.turn_off")]
    if _has(entity, "target_temperature"):
        temperature = Argument(
            "temperature",
            "number",
            _bound(entity, "min_temp", 7),
            _bound(entity, "max_temp", 35),
            _bound(entity, "target_temp_step", 0.5),
            required=True,
            unit="°",
        )
        services.append(Service("climate.set_temperature", (temperature,)))
    modes = _choices(entity, "hvac_modes") or (
        "off",
        "heat",
        "cool",
        "heat_cool",
        "auto",
        "dry",
        "fan_only",
    )
    services.append(
        Service(
            "climate.set_hvac_mode",
            (Argument("hvac_mode", "choice", choices=modes, required=True),),
        )
    )
    for kind in ("preset_mode", "fan_mode"):
        if values := _choices(entity, f"{kind}s"):
            argument = Argument(kind, "choice", choices=values, required=True)
            services.append(Service(f"climate.set_{kind}", (argument,)))
    return tuple(services)


def _humidifier(entity: Entity) -> tuple[Service, ...]:
    humidity = Argument(
        "humidity",
        "integer",
        _bound(entity, "min_humidity", 0),
        _bound(entity, "max_humidity", 100),
        required=True,
        unit="%",
    )
    return (*_switchable(entity), Service("humidifier.set_humidity", (humidity,)))


def _vacuum(entity: Entity) -> tuple[Service, ...]:
    return tuple(
        Service(f"vacuum.{name}")
        for feature, name in (
            ("start", "start"),
            ("pause", "pause"),
            ("stop", "stop"),
            ("return_home", "return_to_base"),
            ("locate", "locate"),
        )
        if _has(entity, feature)
    )


_BUILDERS = {
    "button": lambda e: (Service("button.press"),),
    "climate": _climate,
    "cover": _openable,
    "fan": _fan,
    "humidifier": _humidifier,
    "input_boolean": _switchable,
    "input_button": lambda e: (Service("input_button.press"),),
    "light": _light,
    "lock": _lock,
    "media_player": _media_player,
    "scene": lambda e: (Service("scene.turn_on"),),
    "script": lambda e: (Service("script.turn_on", explicit=True),),
    "switch": _switchable,
    "vacuum": _vacuum,
    "valve": _openable,
}
