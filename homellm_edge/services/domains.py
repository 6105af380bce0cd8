"""Home Assistant's domains -> the services that one entity of them offers.

All ranges and choices come from what an entity can, none from its state, so that a
change of state changes nothing here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ..home import Entity
from .attributes import bound, choices, has, reports, step_of
from .description import Argument, Service

OPENINGS = frozenset({"door", "garage", "gate"})
"""Device classes of covers whose opening lets somebody in."""

_MAX_TEXT = 100
_SECONDS_OF_A_DAY = 86400


def services_for(entity: Entity) -> tuple[Service, ...]:
    """The services this entity offers, with its own ranges; () if only readable.

    An entity that does not report `supported_features` is taken to support what is
    common in its domain: Home Assistant itself refuses what is not there. What is rare
    (tilting, a door latch, a transition) is only offered where it is reported.
    """
    build = _BUILDERS.get(entity.domain)
    return build(entity) if build else ()


def service_for(entity: Entity, name: str) -> Service | None:
    """The service of that full name if this entity offers it, or None."""
    return next((s for s in services_for(entity) if s.name == name), None)


def _with(name: str, *arguments: Argument, explicit: bool = False) -> list[Service]:
    """The service with these arguments; none if one of them has no value."""
    return [Service(name, arguments, explicit)] if all(map(_some, arguments)) else []


def _some(argument: Argument) -> bool:
    """Whether there is any value for it."""
    if argument.kind == "choice":
        return bool(argument.choices)
    if argument.kind in ("integer", "number"):
        return argument.numbers != ()
    return argument.kind != "text" or 1 <= argument.minimum <= argument.maximum


def _choice(name: str, choices: tuple[str, ...], *, required: bool = True) -> Argument:
    return Argument(name, "choice", choices=choices, required=required)


def _switch(name: str) -> Argument:
    return Argument(name, "boolean", required=True)


def _percent(name: str, low: float = 0, high: float = 100) -> Argument:
    return Argument(name, "integer", low, high, required=True, unit="%")


def _text(name: str, low: float = 1, high: float = _MAX_TEXT) -> Argument:
    return Argument(name, "text", max(low, 1), min(high, _MAX_TEXT), required=True)


def _plain(domain: str, *names: str) -> Callable[[Entity], tuple[Service, ...]]:
    services = tuple(Service(f"{domain}.{name}") for name in names)
    return lambda entity: services


def _switchable(entity: Entity) -> tuple[Service, ...]:
    domain = entity.domain
    return tuple(Service(f"{domain}.{v}") for v in ("turn_on", "turn_off", "toggle"))


def _light(entity: Entity) -> tuple[Service, ...]:
    modes = set(choices(entity, "supported_color_modes"))
    colored = modes & {"hs", "rgb", "rgbw", "rgbww", "xy"}
    arguments: list[Argument] = []
    if not modes or modes - {"onoff"}:
        arguments.append(
            Argument(
                "brightness_pct", "integer", 0, 100, unit="%", spoken_as="brightness"
            )
        )
    if not modes or colored:
        arguments.append(Argument("rgb_color", "rgb", variant="color"))
    if not modes or colored or "color_temp" in modes:
        low = bound(entity, "min_color_temp_kelvin", 2000)
        high = bound(entity, "max_color_temp_kelvin", 6500)
        white = Argument(
            "color_temp_kelvin", "integer", low, high, unit="K", variant="white"
        )
        if _some(white):
            arguments.append(white)
    if effects := choices(entity, "effect_list"):
        arguments.append(_choice("effect", effects, required=False))
    slowly: tuple[Argument, ...] = ()
    if reports(entity, "transition"):
        slowly = (Argument("transition", "integer", 0, 300, unit="s"),)
    return (
        Service("light.turn_on", (*arguments, *slowly)),
        Service("light.turn_off", slowly),
        Service("light.toggle"),
    )


def _fan(entity: Entity) -> tuple[Service, ...]:
    services = list(_switchable(entity))
    if has(entity, "set_speed"):
        # A fan of a few speeds takes the one next to it.
        services += [
            Service("fan.set_percentage", (_percent("percentage"),)),
            Service("fan.increase_speed"),
            Service("fan.decrease_speed"),
        ]
    presets = choices(entity, "preset_modes")
    services += _with("fan.set_preset_mode", _choice("preset_mode", presets))
    if has(entity, "oscillate"):
        services += _with("fan.oscillate", _switch("oscillating"))
    if has(entity, "direction"):
        direction = _choice("direction", ("forward", "reverse"))
        services += _with("fan.set_direction", direction)
    return tuple(services)


def _openable(entity: Entity) -> tuple[Service, ...]:
    domain = entity.domain
    guarded = domain == "cover" and entity.device_class in OPENINGS
    services: list[Service] = []
    if has(entity, "open"):
        services.append(Service(f"{domain}.open_{domain}", explicit=guarded))
    if has(entity, "close"):
        services.append(Service(f"{domain}.close_{domain}"))
    if has(entity, "stop"):
        services.append(Service(f"{domain}.stop_{domain}"))
    if has(entity, "set_position"):
        services += _with(
            f"{domain}.set_{domain}_position", _percent("position"), explicit=guarded
        )
    if has(entity, "open", "close"):
        services.append(Service(f"{domain}.toggle", explicit=guarded))
    if domain == "cover":
        for feature, name in (
            ("open_tilt", "open_cover_tilt"),
            ("close_tilt", "close_cover_tilt"),
            ("stop_tilt", "stop_cover_tilt"),
        ):
            if reports(entity, feature):
                services.append(Service(f"cover.{name}"))
        if reports(entity, "set_tilt_position"):
            tilt = _percent("tilt_position")
            services += _with("cover.set_cover_tilt_position", tilt)
    return tuple(services)


def _lock(entity: Entity) -> tuple[Service, ...]:
    services = [Service("lock.lock"), Service("lock.unlock", explicit=True)]
    if reports(entity, "open"):
        services.append(Service("lock.open", explicit=True))
    return tuple(services)


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
    ):
        if has(entity, feature):
            services.append(Service(f"media_player.{name}"))
    if has(entity, "turn_on", "turn_off"):
        services.append(Service("media_player.toggle"))
    if has(entity, "play", "pause"):
        services.append(Service("media_player.media_play_pause"))
    if has(entity, "volume_step") or has(entity, "volume_set"):
        services.append(Service("media_player.volume_up"))
        services.append(Service("media_player.volume_down"))
    if has(entity, "volume_set"):
        level = Argument("volume_level", "number", 0, 1, 0.01, required=True)
        services += _with("media_player.volume_set", level)
    if has(entity, "volume_mute"):
        services += _with("media_player.volume_mute", _switch("is_volume_muted"))
    if has(entity, "select_source"):
        sources = choices(entity, "source_list")
        services += _with("media_player.select_source", _choice("source", sources))
    if has(entity, "select_sound_mode"):
        modes = choices(entity, "sound_mode_list")
        services += _with(
            "media_player.select_sound_mode", _choice("sound_mode", modes)
        )
    if has(entity, "play_media", "search_media"):
        services += _with("media_player.play_media", _text("search_query", 1, 48))
    if reports(entity, "shuffle_set"):
        services += _with("media_player.shuffle_set", _switch("shuffle"))
    if reports(entity, "repeat_set"):
        repeat = _choice("repeat", ("off", "all", "one"))
        services += _with("media_player.repeat_set", repeat)
    if reports(entity, "seek"):
        position = Argument(
            "seek_position", "integer", 0, _SECONDS_OF_A_DAY, required=True, unit="s"
        )
        services += _with("media_player.media_seek", position)
    if reports(entity, "clear_playlist"):
        services.append(Service("media_player.clear_playlist"))
    return tuple(services)


def _climate(entity: Entity) -> tuple[Service, ...]:
    services = [Service("climate.turn_on"), Service("climate.turn_off")]
    if reports(entity, "turn_on") and reports(entity, "turn_off"):
        services.append(Service("climate.toggle"))
    low, high = bound(entity, "min_temp", 7), bound(entity, "max_temp", 35)
    step = step_of(entity, "target_temp_step", 0.5)

    def degrees(name: str, variant: str, at_most: str = "") -> Argument:
        return Argument(
            name, "number", low, high, step, required=True, unit="°",
            variant=variant, at_most=at_most,
        )  # fmt: skip

    targets: list[Argument] = []
    if has(entity, "target_temperature"):
        targets.append(degrees("temperature", "one"))
    if reports(entity, "target_temperature_range"):
        targets.append(degrees("target_temp_low", "range", "target_temp_high"))
        targets.append(degrees("target_temp_high", "range"))
    if targets:
        services += _with("climate.set_temperature", *targets)
    if reports(entity, "target_humidity"):
        humidity = _percent(
            "humidity",
            bound(entity, "min_humidity", 30),
            bound(entity, "max_humidity", 99),
        )
        services += _with("climate.set_humidity", humidity)
    known = ("off", "heat", "cool", "heat_cool", "auto", "dry", "fan_only")
    modes = choices(entity, "hvac_modes") or known
    services += _with("climate.set_hvac_mode", _choice("hvac_mode", modes))
    for kind in ("preset_mode", "fan_mode", "swing_mode", "swing_horizontal_mode"):
        values = choices(entity, f"{kind}s")
        services += _with(f"climate.set_{kind}", _choice(kind, values))
    return tuple(services)


def _humidifier(entity: Entity) -> tuple[Service, ...]:
    humidity = _percent(
        "humidity",
        bound(entity, "min_humidity", 0),
        bound(entity, "max_humidity", 100),
    )
    modes = choices(entity, "available_modes")
    return (
        *_switchable(entity),
        *_with("humidifier.set_humidity", humidity),
        *_with("humidifier.set_mode", _choice("mode", modes)),
    )


def _water_heater(entity: Entity) -> tuple[Service, ...]:
    services: list[Service] = []
    if reports(entity, "on_off"):
        services += [Service("water_heater.turn_on"), Service("water_heater.turn_off")]
    if has(entity, "target_temperature"):
        temperature = Argument(
            "temperature",
            "number",
            bound(entity, "min_temp", 40),
            bound(entity, "max_temp", 60),
            step_of(entity, "target_temp_step", 0.5),
            required=True,
            unit="°",
        )
        services += _with("water_heater.set_temperature", temperature)
    modes = choices(entity, "operation_list")
    services += _with(
        "water_heater.set_operation_mode", _choice("operation_mode", modes)
    )
    if reports(entity, "away_mode"):
        services += _with("water_heater.set_away_mode", _switch("away_mode"))
    return tuple(services)


def _vacuum(entity: Entity) -> tuple[Service, ...]:
    services = [
        Service(f"vacuum.{name}")
        for feature, name in (
            ("start", "start"),
            ("pause", "pause"),
            ("stop", "stop"),
            ("return_home", "return_to_base"),
            ("locate", "locate"),
        )
        if has(entity, feature)
    ]
    if reports(entity, "clean_spot"):
        services.append(Service("vacuum.clean_spot"))
    speeds = choices(entity, "fan_speed_list")
    services += _with("vacuum.set_fan_speed", _choice("fan_speed", speeds))
    return tuple(services)


def _lawn_mower(entity: Entity) -> tuple[Service, ...]:
    names = ("start_mowing", "pause", "dock", "stop")
    return tuple(Service(f"lawn_mower.{n}") for n in names if has(entity, n))


def _siren(entity: Entity) -> tuple[Service, ...]:
    arguments: list[Argument] = []
    if tones := choices(entity, "available_tones"):
        arguments.append(_choice("tone", tones, required=False))
    if reports(entity, "volume_set"):
        arguments.append(Argument("volume_level", "number", 0, 1, 0.05))
    if reports(entity, "duration"):
        arguments.append(Argument("duration", "integer", 1, 3600, unit="s"))
    services: list[Service] = []
    if has(entity, "turn_on"):
        services.append(Service("siren.turn_on", tuple(arguments)))
    if has(entity, "turn_off"):
        services.append(Service("siren.turn_off"))
    if has(entity, "turn_on", "turn_off"):
        services.append(Service("siren.toggle"))
    return tuple(services)


def _remote(entity: Entity) -> tuple[Service, ...]:
    activities = choices(entity, "activity_list")
    arguments: tuple[Argument, ...] = ()
    if activities and reports(entity, "activity"):
        arguments = (_choice("activity", activities, required=False),)
    return (
        Service("remote.turn_on", arguments),
        Service("remote.turn_off"),
        Service("remote.toggle"),
    )


def _alarm(entity: Entity) -> tuple[Service, ...]:
    domain = entity.domain
    modes = (
        "arm_home",
        "arm_away",
        "arm_night",
        "arm_vacation",
        "arm_custom_bypass",
    )
    services = [Service(f"{domain}.alarm_{m}") for m in modes if has(entity, m)]
    services.append(Service(f"{domain}.alarm_disarm", explicit=True))
    if reports(entity, "trigger"):
        services.append(Service(f"{domain}.alarm_trigger", explicit=True))
    return tuple(services)


def _number(entity: Entity) -> tuple[Service, ...]:
    """A number or an input_number, which can be stepped, too."""
    domain = entity.domain
    value = Argument(
        "value",
        "number",
        bound(entity, "min", 0),
        bound(entity, "max", 100),
        step_of(entity, "step", 1),
        required=True,
    )
    services = _with(f"{domain}.set_value", value)
    if domain == "input_number":
        services += [Service(f"{domain}.{n}") for n in ("increment", "decrement")]
    return tuple(services)


def _counter(entity: Entity) -> tuple[Service, ...]:
    value = Argument(
        "value",
        "integer",
        bound(entity, "minimum", 0),
        bound(entity, "maximum", 1_000_000),
        required=True,
    )
    names = ("increment", "decrement", "reset")
    return (
        *(Service(f"counter.{n}") for n in names),
        *_with("counter.set_value", value),
    )


def _select(entity: Entity) -> tuple[Service, ...]:
    domain = entity.domain
    option = _choice("option", choices(entity, "options"))
    names = ("select_first", "select_last", "select_next", "select_previous")
    return (
        *_with(f"{domain}.select_option", option),
        *(Service(f"{domain}.{n}") for n in names),
    )


def _text_field(entity: Entity) -> tuple[Service, ...]:
    """A text that may hold anything of some length; no password, no pattern."""
    attributes = entity.attributes
    if attributes.get("mode") == "password" or attributes.get("pattern"):
        return ()
    low, high = bound(entity, "min", 0), bound(entity, "max", _MAX_TEXT)
    value = _text("value", math.ceil(low), math.floor(high))
    return tuple(_with(f"{entity.domain}.set_value", value))


def _timer(entity: Entity) -> tuple[Service, ...]:
    duration = Argument("duration", "time")
    names = ("pause", "cancel", "finish")
    return (
        Service("timer.start", (duration,)),
        *(Service(f"timer.{name}") for name in names),
    )


def _clock(entity: Entity) -> tuple[Service, ...]:
    """A time of the day that can be set, such as that of an alarm clock."""
    attributes = entity.attributes
    at = Argument("time", "time", required=True)
    if entity.domain == "time":
        return (Service("time.set_value", (at,)),)
    if attributes.get("has_time") is True and attributes.get("has_date") is not True:
        return (Service("input_datetime.set_datetime", (at,)),)
    return ()


def _todo(entity: Entity) -> tuple[Service, ...]:
    item = _text("item")
    services: list[Service] = []
    if has(entity, "create_todo_item"):
        services += _with("todo.add_item", item)
    if has(entity, "update_todo_item"):
        status = _choice("status", ("needs_action", "completed"))
        services += _with("todo.update_item", item, status)
    if has(entity, "delete_todo_item"):
        services += _with("todo.remove_item", item)
        services.append(Service("todo.remove_completed_items"))
    return tuple(services)


def _automation(entity: Entity) -> tuple[Service, ...]:
    names = ("turn_on", "turn_off", "toggle", "trigger")
    return tuple(Service(f"automation.{n}", explicit=True) for n in names)


def _script(entity: Entity) -> tuple[Service, ...]:
    return (
        Service("script.turn_on", explicit=True),
        Service("script.turn_off"),
    )


_BUILDERS: Mapping[str, Callable[[Entity], tuple[Service, ...]]] = {
    "alarm_control_panel": _alarm,
    "automation": _automation,
    "button": _plain("button", "press"),
    "climate": _climate,
    "counter": _counter,
    "cover": _openable,
    "fan": _fan,
    "humidifier": _humidifier,
    "input_boolean": _switchable,
    "input_button": _plain("input_button", "press"),
    "input_datetime": _clock,
    "input_number": _number,
    "input_select": _select,
    "input_text": _text_field,
    "lawn_mower": _lawn_mower,
    "light": _light,
    "lock": _lock,
    "media_player": _media_player,
    "number": _number,
    "remote": _remote,
    "scene": _plain("scene", "turn_on"),
    "script": _script,
    "select": _select,
    "siren": _siren,
    "switch": _switchable,
    "text": _text_field,
    "time": _clock,
    "timer": _timer,
    "todo": _todo,
    "vacuum": _vacuum,
    "valve": _openable,
    "water_heater": _water_heater,
}

DOMAINS = frozenset(_BUILDERS)
"""The domains of which something can be called."""
