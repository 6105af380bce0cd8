"""When are two calls the same? The rules by which predicted calls are judged.

A call on three devices is three deeds: (service, entity, data) in one canonical form.
Spellings that do the same in Home Assistant become the same deed; any other datum that
is missing or added makes the deed another one.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from . import TrainingError

_TARGETS = (
    "target_device target_devices entity_id entity_ids targets target device"
).split()
_WHERE_DATA_ARE = ("data", "service_data")
_NO_DATA = frozenset(
    ["service", "action", "domain", "response", "transition"]
) | frozenset([*_TARGETS, *_WHERE_DATA_ARE])

_OPENING = ("cover", "valve")
_SERVICES: Mapping[str, str] = {
    **{f"{d}.{v}": f"{d}.open_{d}" for d in _OPENING for v in ("open", "turn_on")},
    **{f"{d}.{v}": f"{d}.close_{d}" for d in _OPENING for v in ("close", "turn_off")},
    **{f"{d}.set_position": f"{d}.set_{d}_position" for d in _OPENING},
    "cover.stop": "cover.stop_cover",
    "lock.turn_on": "lock.lock",
    "lock.turn_off": "lock.unlock",
    "vacuum.turn_on": "vacuum.start",
    "vacuum.turn_off": "vacuum.return_to_base",
    "vacuum.dock": "vacuum.return_to_base",
    **{
        f"media_player.{v}": f"media_player.media_{v}"
        for v in ("play", "pause", "stop", "next_track", "previous_track")
    },
    "media_player.set_volume": "media_player.volume_set",
    "fan.set_percentage": "fan.turn_on",
    "todo.add": "todo.add_item",
    "todo.complete_item": "todo.update_item",
    "shopping_list.add_item": "todo.add_item",
    "shopping_list.complete_item": "todo.update_item",
    "weather.get_forecast": "weather.get_forecasts",
    "button.turn_on": "button.press",
    "input_button.turn_on": "input_button.press",
}
"""Other spelling -> service."""

_READS = frozenset(
    (
        "weather.get_forecasts todo.get_items calendar.get_events "
        "homeassistant.get_state homeassistant.update_entity"
    ).split()
)
"""Services that change nothing: such calls do not count."""

_COLORS: Mapping[str, tuple[int, int, int]] = {
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "lime": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "orange": (255, 165, 0),
    "purple": (128, 0, 128),
    "pink": (255, 192, 203),
    "white": (255, 255, 255),
    "turquoise": (64, 224, 208),
    "brown": (165, 42, 42),
    "black": (0, 0, 0),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "violet": (238, 130, 238),
    "teal": (0, 128, 128),
}
_PURE_GREEN = [0, 255, 0]
_WITHIN: Mapping[str, float] = {"volume_level": 0.011, "brightness_pct": 1.0}
_WITHIN_ELSE = 0.05
_BOUNDS: Mapping[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_NUMBER = re.compile(
    r"\s*(-?\d+(?:\.\d+)?)\s*(?:%|°|°[cf]|k|degrees?|percent)?\s*", re.IGNORECASE
)
_NOT_LETTERS = re.compile(r"[^\w ]")


class Deed(NamedTuple):
    """What one call does to one entity ("" if it has none), in canonical form."""

    service: str
    entity: str
    data: Mapping[str, Any]


def deeds(calls: Iterable[Any] | None) -> list[Deed]:
    """All deeds of a list of calls, each once; reading ones are left out."""
    found: list[Deed] = []
    for call in calls or ():
        if not isinstance(call, Mapping):
            found.append(Deed("<malformed>", str(call), {}))
            continue
        service = str(call.get("service") or call.get("action") or "")
        if call.get("domain") and "." not in service:
            service = f"{call['domain']}.{service}"
        data = _data(call)
        for entity in targets(call) or [""]:
            deed = _canonical(service, entity, data)
            if deed.service in _READS or any(same(deed, other) for other in found):
                continue
            found.append(deed)
    return found


def targets(call: Mapping[str, Any]) -> list[str]:
    """The entity ids that a call names, wherever and however it does."""
    inner = [call[k] for k in _WHERE_DATA_ARE if isinstance(call.get(k), Mapping)]
    named = [call.get(key) for key in _TARGETS]
    named += [d.get(key) for d in inner for key in ("entity_id", "target_device")]
    return sorted({name for value in named for name in _ids(value)})


def same(wanted: Deed, made: Deed) -> bool:
    """Whether a deed is the wanted one."""
    return (
        wanted.service == made.service
        and wanted.entity == made.entity
        and wanted.data.keys() == made.data.keys()
        and all(same_value(k, v, made.data[k]) for k, v in wanted.data.items())
    )


def unmatched(
    wanted: Sequence[Deed], made: Sequence[Deed]
) -> tuple[list[Deed], list[Deed]]:
    """Pair the deeds one to one: (wanted but not made, made but not wanted)."""
    rest, missing = list(made), []
    for deed in wanted:
        at = next((n for n, other in enumerate(rest) if same(deed, other)), None)
        if at is None:
            missing.append(deed)
        else:
            del rest[at]
    return missing, rest


def same_value(key: str, wanted: Any, made: Any) -> bool:
    """Whether a datum is the wanted one, which may be a bound: `{"gt": 40}`."""
    number = _number(made)
    if isinstance(wanted, Mapping):
        return number is not None and all(
            _holds(number, kind, bound) for kind, bound in wanted.items()
        )
    aim = _number(wanted)
    if aim is not None and number is not None:
        return abs(aim - number) <= _WITHIN.get(key, _WITHIN_ELSE)
    if isinstance(wanted, list) and isinstance(made, list | tuple):
        return [str(w) for w in wanted] == [str(m) for m in made]
    return _plain(wanted) == _plain(made)


def reply_fits(spec: Mapping[str, Any] | None, reply: object) -> bool:
    """Whether a reply has one of each group of words, and none of the excluded."""
    if not spec:
        return True
    text = str(reply or "").lower().replace("\u2019", "'")
    inside = spec.get("match", "word") == "substring"
    return all(
        any(_says(text, word, inside) for word in group)
        for group in spec.get("contains", ())
    ) and not any(_says(text, word, inside) for word in spec.get("excludes", ()))


def _says(text: str, word: object, inside: bool) -> bool:
    phrase = str(word).lower()
    if inside:
        return phrase in text
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text) is not None


def _holds(number: float, kind: str, bound: Any) -> bool:
    if kind not in _BOUNDS:
        raise TrainingError(f"a case has the bound {kind!r}", "use gt, ge, lt or le")
    return _BOUNDS[kind](number, float(bound))


def _plain(value: object) -> str:
    return _NOT_LETTERS.sub("", str(value)).strip().casefold()


def _number(value: object) -> float | None:
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value)
        return float(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _whole(value: float) -> float:
    return round(value) if math.isfinite(value) else value


def _ids(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        return _ids(value.get("entity_id"))
    if isinstance(value, list | tuple):
        return [name for item in value for name in _ids(item)]
    return [name for part in str(value).split(",") if (name := part.strip().lower())]


def _data(call: Mapping[str, Any]) -> dict[str, Any]:
    inner = [call[k] for k in _WHERE_DATA_ARE if isinstance(call.get(k), Mapping)]
    given = {k: v for part in (*inner, call) for k, v in part.items()}
    return {k: v for k, v in given.items() if k not in _NO_DATA and v not in (None, "")}


def _canonical(service: str, entity: str, given: Mapping[str, Any]) -> Deed:
    service, data = service.strip().lower(), dict(given)
    domain, _, verb = service.partition(".")
    switched = verb in ("turn_on", "turn_off", "toggle")
    if domain == "script" and not switched and not entity:
        entity, service = service, "script.turn_on"
    elif domain == "homeassistant" and switched and "." in entity:
        service = f"{entity.partition('.')[0]}.{verb}"
    if domain == "shopping_list" and verb in ("add_item", "complete_item"):
        entity = ""
    service = _SERVICES.get(service, service)
    if service in ("todo.add_item", "todo.update_item"):
        entity = "" if entity == "todo.shopping_list" else entity
        if "name" in data and "item" not in data:
            data["item"] = data.pop("name")
        if service == "todo.update_item":
            data.setdefault("status", "completed")
    _light(data)
    service, data = _at_the_ends(service, data)
    if service.startswith("media_player.volume_"):
        data = _volume(service, data)
    return Deed(service, entity, data)


def _light(data: dict[str, Any]) -> None:
    """Brightness in percent, white in kelvin, colours in RGB."""
    if "brightness" in data and "brightness_pct" not in data:
        value = data["brightness"]
        if (number := _number(value)) is not None:
            del data["brightness"]
            percent = isinstance(value, str) and "%" in value
            data["brightness_pct"] = number if percent else _whole(number * 100 / 255)
    mired = _number(data.get("color_temp"))
    if mired and "color_temp_kelvin" not in data:
        del data["color_temp"]
        data["color_temp_kelvin"] = mired if mired > 1000 else _whole(1e6 / mired)
    for other, key in (("kelvin", "color_temp_kelvin"), ("color", "color_name")):
        if other in data and key not in data:
            data[key] = data.pop(other)
    if "color_name" in data and "rgb_color" not in data:
        color = _COLORS.get(str(data["color_name"]).strip().lower())
        if color is not None:
            del data["color_name"]
            data["rgb_color"] = list(color)
    if isinstance(data.get("rgb_color"), str):
        data["rgb_color"] = [int(n) for n in re.findall(r"\d+", data["rgb_color"])]
    if data.get("rgb_color") == _PURE_GREEN:
        data["rgb_color"] = list(_COLORS["green"])


def _at_the_ends(service: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A brightness or speed of 0 is off; a position of 0 closed, of 100 open."""
    domain = service.partition(".")[0]
    if service == "light.turn_on" and _number(data.get("brightness_pct")) == 0:
        return "light.turn_off", {}
    if service == "fan.turn_on" and _number(data.get("percentage")) == 0:
        return "fan.turn_off", {}
    if service in ("cover.set_cover_position", "valve.set_valve_position"):
        position = _number(data.get("position"))
        if position in (0, 100):
            return f"{domain}.{'open' if position else 'close'}_{domain}", {}
    off = str(data.get("hvac_mode")).lower() == "off"
    if service == "climate.set_hvac_mode" and off:
        return "climate.turn_off", {}
    return service, data


def _volume(service: str, data: dict[str, Any]) -> dict[str, Any]:
    if service == "media_player.volume_mute":
        muted = data.get("is_volume_muted", data.get("muted", True))
        said = str(muted).lower()
        return {"is_volume_muted": said not in ("false", "0", "off", "no")}
    if service == "media_player.volume_set":
        value = data.get("volume_level", data.get("volume"))
        if (number := _number(value)) is not None:
            percent = number > 1 or "%" in str(value)
            return {"volume_level": number / 100 if percent else number}
    return data
