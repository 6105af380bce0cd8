"""The timers that Home Assistant keeps for its voice satellites.

They are changed through its intents. Those compare names and lengths letter by letter,
so a timer is first looked for here and then asked for as Home Assistant knows it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from homeassistant.core import HomeAssistant

from homellm_edge.lookups import matches

from . import ha_api, ha_calls
from .request import Request

_INTENTS = {
    "timer.start": "HassStartTimer",
    "timer.increase": "HassIncreaseTimer",
    "timer.decrease": "HassDecreaseTimer",
    "timer.cancel": "HassCancelTimer",
    "timer.cancel_all": "HassCancelAllTimers",
    "timer.pause": "HassPauseTimer",
    "timer.unpause": "HassUnpauseTimer",
}
_STATUS = "HassTimerStatus"

_ALREADY = {"timer.pause": "paused", "timer.unpause": "running"}

type _Timer = Mapping[str, Any]


async def carry_out(
    hass: HomeAssistant, service: str, data: Mapping[str, Any], request: Request
) -> str:
    """Do one call on a timer; an error as a sentence, or ""."""
    intent = _INTENTS.get(service)
    if intent is None:
        return f"{service} is unknown."
    if service in ("timer.start", "timer.increase", "timer.decrease"):
        length = int(data.get("duration_s", 0))
        if length <= 0:
            return "A timer needs a length; say for how long."
        slots = _units(length)
    else:
        slots = {}
    if service == "timer.start":
        return await _start(hass, slots, data, request)
    timers = await running(hass, request, str(data.get("area", "")))
    found = _meant(timers, data)
    if not found:
        return "There is no such timer." if timers else "No timer is running."
    if state := _ALREADY.get(service):
        found = [t for t in found if t["paused"] != (service == "timer.pause")]
        if not found:
            return f"The timer is {state} already."
    selectors = _selectors(found, data)
    if service == "timer.cancel_all":
        if data.keys() & {"name", "timer_length_s"}:
            # Home Assistant's intent would cancel the others, too.
            intent = _INTENTS["timer.cancel"]
        else:
            for selector in selectors:
                await ha_calls.handle_intent(hass, intent, selector, request)
            return ""
    if len(selectors) > 1:
        return ha_calls.SEVERAL_TIMERS
    await ha_calls.handle_intent(hass, intent, {**slots, **selectors[0]}, request)
    return ""


async def running(
    hass: HomeAssistant, request: Request, place: str = ""
) -> list[_Timer]:
    """The timers that run or are paused, as `homellm_edge.lookups` reads them.

    Those on the floor `place` are said to be there.
    """
    said = await ha_calls.handle_intent(hass, _STATUS, {}, request)
    return [_record(hass, timer, place) for timer in said.get("timers", ())]


async def _start(
    hass: HomeAssistant,
    slots: Mapping[str, Any],
    data: Mapping[str, Any],
    request: Request,
) -> str:
    device_id = None
    if area := str(data.get("area", "")):
        device_id = ha_api.timer_device(hass, area)
        if device_id is None:
            return f"No device in {area} can run timers."
    named = {
        slot: str(data[key])
        for key, slot in (("name", "name"), ("command", "conversation_command"))
        if data.get(key)
    }
    await ha_calls.handle_intent(
        hass, _INTENTS["timer.start"], {**slots, **named}, request, device_id=device_id
    )
    return ""


def _record(hass: HomeAssistant, timer: Mapping[str, Any], place: str) -> _Timer:
    area, floors = ha_api.device_place(hass, str(timer.get("device_id") or ""))
    start = {
        f"start_{unit}": int(timer.get(f"start_{unit}") or 0)
        for unit in ("hours", "minutes", "seconds")
    }
    there = place.casefold() in {floor.casefold() for floor in floors}
    return {
        "name": str(timer.get("name") or ""),
        "length_s": _seconds(start),
        "left_s": int(timer.get("total_seconds_left") or 0),
        "area": place if there else area,
        "paused": not timer.get("is_active", True),
        "real_area": area,
        "start": {slot: count for slot, count in start.items() if count},
    }


def _meant(timers: Sequence[_Timer], data: Mapping[str, Any]) -> list[_Timer]:
    """The timers that are asked for; one of just this name before longer names."""
    found = [timer for timer in timers if matches(timer, data)]
    name = str(data.get("name", "")).strip().casefold()
    exact = [t for t in found if name and t["name"].strip().casefold() == name]
    return exact or found


def _selectors(
    found: Sequence[_Timer], data: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Slots by which the intents find these timers, each way to say it once."""
    selectors: list[dict[str, Any]] = []
    for timer in found:
        selector: dict[str, Any] = {}
        if data.get("name"):
            selector["name"] = timer["name"]
        if data.get("timer_length_s") is not None:
            selector.update(timer["start"])
        if data.get("area"):
            selector["area"] = timer["real_area"]
        if selector not in selectors:
            selectors.append(selector)
    return selectors


def _units(seconds: int) -> dict[str, int]:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    units = {"hours": hours, "minutes": minutes, "seconds": rest}
    return {unit: count for unit, count in units.items() if count}


def _seconds(start: Mapping[str, int]) -> int:
    hours, minutes, seconds = start.values()
    return 3600 * hours + 60 * minutes + seconds
