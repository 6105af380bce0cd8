"""A home that only exists in memory: calls change its states as devices would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .errors import HomeError
from .execute import CallResult
from .home import Entity, Home
from .lookups import Records
from .queries import Query
from .services import ServiceCall
from .timers import Timers

Change = tuple[str, dict[str, Any]]


class SimulatedHome:
    """Executor for the command line and for tests.

    Without `timers` every call on one succeeds: for cases that speak of timers which
    somebody started before. So does every call on an item of a list whose
    `todo_items` are not given.
    """

    def __init__(self, home: Home, timers: Timers | None = None) -> None:
        self._home = home
        self._timers = timers

    def home(self) -> Home:
        """The home as it is now."""
        return self._home

    def replace(self, home: Home) -> None:
        """Put another home in its place."""
        self._home = home

    def set_state(self, entity_id: str, state: str) -> None:
        """Change a state as Home Assistant would report it; raises HomeError."""
        if not state:
            raise HomeError("the state is empty", "write /state ENTITY_ID STATE")
        self._home = self._home.with_state(entity_id, state)

    async def execute(self, call: ServiceCall) -> CallResult:
        """Apply a checked call to the states."""
        domain, _, verb = call.service.partition(".")
        if not call.targets and domain == "timer" and self._timers is not None:
            return CallResult(call, self._timers.apply(verb, call.data))
        for target in call.targets:
            entity = self._home.entity(target)
            if entity is None:
                return CallResult(call, f"{target} does not exist")
            if error := _refusal(entity, call):
                return CallResult(call, error)
            state, attributes = _after(entity, call)
            self._home = self._home.with_state(target, state, attributes)
        return CallResult(call)

    async def look_up(self, query: Query) -> Records:
        """Records from the attributes `todo_items`, `events` and `forecast`."""
        if query.kind == "timer":
            return {"timer": self._timers.records() if self._timers else []}
        if query.kind in ("sunrise", "sunset"):
            sun = self._home.entity("sun.sun")
            return {"sun": [sun.attributes] if sun else []}
        found = {}
        for target in query.targets:
            entity = self._home.entity(target)
            key = _RECORDS.get(target.partition(".")[0], "")
            records = entity.attributes.get(key) if entity else None
            if isinstance(records, list | tuple):
                found[target] = [
                    r if isinstance(r, Mapping) else {"summary": str(r)}
                    for r in records
                ]
        return found


_RECORDS = {"todo": "todo_items", "calendar": "events", "weather": "forecast"}


def _refusal(entity: Entity, call: ServiceCall) -> str:
    """Home Assistant's error for an item that is not on the list, or ""."""
    items = entity.attributes.get("todo_items")
    changed = call.service in ("todo.update_item", "todo.remove_item")
    if not changed or items is None:
        return ""
    said = str(call.data["item"])
    if any(_is_item(item, said) for item in _records(entity)):
        return ""
    return f"Unable to find to-do list item: {said}"


def _is_item(item: Mapping[str, Any], said: str) -> bool:
    return str(item.get("summary", "")).casefold() == said.casefold()


def _after(entity: Entity, call: ServiceCall) -> Change:
    verb = call.service.partition(".")[2]
    found = _EFFECTS.get(f"{entity.domain}.{verb}") or _EFFECTS.get(verb)
    if found is None:
        return entity.state, dict(call.data)
    return found(entity, call.data)


def _to(state: str, **attributes: Any) -> Callable[[Entity, Mapping[str, Any]], Change]:
    return lambda entity, data: (state, {**attributes})


def _light_on(entity: Entity, data: Mapping[str, Any]) -> Change:
    changed = {k: v for k, v in data.items() if k != "brightness_pct"}
    if "brightness_pct" in data:
        changed["brightness"] = round(float(data["brightness_pct"]) * 255 / 100)
        if not changed["brightness"]:
            return "off", {}
    return "on", changed


def _toggle(entity: Entity, data: Mapping[str, Any]) -> Change:
    opposite = {"on": "off", "open": "closed", "closed": "open"}
    return opposite.get(entity.state, "on"), {}


def _position(entity: Entity, data: Mapping[str, Any]) -> Change:
    position = data["position"]
    return ("open" if position else "closed"), {"current_position": position}


def _add_item(entity: Entity, data: Mapping[str, Any]) -> Change:
    items = _records(entity)
    items.append({"summary": data["item"], "status": "needs_action"})
    return _open_items(items)


def _update_item(entity: Entity, data: Mapping[str, Any]) -> Change:
    items = _records(entity)
    for item in items:
        if _is_item(item, str(data["item"])):
            item["status"] = data.get("status", "completed")
    return _open_items(items)


def _remove_item(entity: Entity, data: Mapping[str, Any]) -> Change:
    said = str(data["item"])
    return _open_items([i for i in _records(entity) if not _is_item(i, said)])


def _remove_completed(entity: Entity, data: Mapping[str, Any]) -> Change:
    return _open_items([i for i in _records(entity) if i.get("status") != "completed"])


def _records(entity: Entity) -> list[dict[str, Any]]:
    items = entity.attributes.get("todo_items") or ()
    return [dict(i) if isinstance(i, Mapping) else {"summary": str(i)} for i in items]


def _open_items(items: list[Any]) -> Change:
    done = [i for i in items if isinstance(i, dict) and i.get("status") == "completed"]
    return str(len(items) - len(done)), {"todo_items": items}


def _percentage(entity: Entity, data: Mapping[str, Any]) -> Change:
    return ("on" if data["percentage"] else "off"), dict(data)


def _volume(step: float) -> Callable[[Entity, Mapping[str, Any]], Change]:
    def change(entity: Entity, data: Mapping[str, Any]) -> Change:
        level = float(entity.attributes.get("volume_level") or 0) + step
        return entity.state, {"volume_level": round(min(max(level, 0), 1), 2)}

    return change


def _speed(step: int) -> Callable[[Entity, Mapping[str, Any]], Change]:
    def change(entity: Entity, data: Mapping[str, Any]) -> Change:
        now = int(entity.attributes.get("percentage") or 0) + step
        return "on", {"percentage": min(max(now, 0), 100)}

    return change


_EFFECTS: Mapping[str, Callable[[Entity, Mapping[str, Any]], Change]] = {
    "light.turn_on": _light_on,
    "climate.turn_on": _to("heat"),
    "scene.turn_on": lambda entity, data: (entity.state, {}),
    "turn_on": lambda entity, data: ("on", dict(data)),
    "turn_off": _to("off"),
    "toggle": _toggle,
    "open_cover": _to("open", current_position=100),
    "close_cover": _to("closed", current_position=0),
    "set_cover_position": _position,
    "set_valve_position": _position,
    "open_valve": _to("open"),
    "close_valve": _to("closed"),
    "lock": _to("locked"),
    "unlock": _to("unlocked"),
    "media_play": _to("playing"),
    "media_pause": _to("paused"),
    "media_stop": _to("idle"),
    "volume_up": _volume(0.1),
    "volume_down": _volume(-0.1),
    "set_percentage": _percentage,
    "increase_speed": _speed(25),
    "decrease_speed": _speed(-25),
    "set_hvac_mode": lambda entity, data: (str(data["hvac_mode"]), {}),
    "start": _to("cleaning"),
    "timer.start": lambda entity, data: ("active", dict(data)),
    "cancel": _to("idle"),
    "finish": _to("idle"),
    "start_mowing": _to("mowing"),
    "dock": _to("docked"),
    "lock.open": _to("open"),
    "set_value": lambda entity, data: (str(data["value"]), {}),
    "select_option": lambda entity, data: (str(data["option"]), {}),
    "alarm_disarm": _to("disarmed"),
    **{
        f"alarm_arm_{mode}": _to(f"armed_{mode}")
        for mode in ("home", "away", "night", "vacation", "custom_bypass")
    },
    "add_item": _add_item,
    "update_item": _update_item,
    "remove_item": _remove_item,
    "remove_completed_items": _remove_completed,
    "play_media": _to("playing"),
    "return_to_base": _to("returning"),
    "pause": _to("paused"),
    "stop": _to("idle"),
}
