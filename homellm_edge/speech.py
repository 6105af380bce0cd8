"""What is said: about calls that were carried out, and when nothing was done.

Every sentence about an action is made from its result, so "done" is never said of
something that failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .home import Entity, Home
from .services import ServiceCall

if TYPE_CHECKING:
    from .execute import CallResult

REPLIES: Mapping[str, str] = {
    "not_found": "Sorry, I could not find that device.",
    "unclear": "Sorry, which device do you mean?",
    "unable": "Sorry, that device cannot do that.",
    "chat": "Sorry, I can only help with the devices in this home.",
    "hello": "Hello! What can I do for you?",
    "thanks": "You're welcome.",
    "stay": "Okay, I leave everything as it is.",
    "help": "I can switch and set the devices in this home, tell you their state, and "
    "keep timers and lists.",
    "undo": "Sorry, there is nothing that I could undo.",
    "failed": "Sorry, I did not understand that.",
}
"""Texts for the replies of `language.REPLIES`."""

_DONE: Mapping[str, str] = {
    "turn_on": "Turned on {names}",
    "turn_off": "Turned off {names}",
    "toggle": "Switched {names} over",
    "open_cover": "Opening {names}",
    "close_cover": "Closing {names}",
    "stop_cover": "Stopped {names}",
    "open_valve": "Opening {names}",
    "close_valve": "Closing {names}",
    "stop_valve": "Stopped {names}",
    "set_cover_position": "Moving {names} to {position} percent",
    "lock": "Locked {names}",
    "unlock": "Unlocked {names}",
    "media_play": "Playing {names}",
    "media_pause": "Paused {names}",
    "media_stop": "Stopped {names}",
    "media_next_track": "Next track on {names}",
    "media_previous_track": "Previous track on {names}",
    "volume_up": "Turned up {names}",
    "volume_down": "Turned down {names}",
    "volume_set": "Set the volume of {names} to {volume} percent",
    "select_source": "Switched {names} to {source}",
    "set_temperature": "Set {names} to {temperature} degrees",
    "set_hvac_mode": "Set {names} to {hvac_mode}",
    "set_preset_mode": "Set {names} to {preset_mode}",
    "set_fan_mode": "Set the fan of {names} to {fan_mode}",
    "set_percentage": "Set {names} to {percentage} percent",
    "increase_speed": "Sped up {names}",
    "decrease_speed": "Slowed down {names}",
    "set_humidity": "Set {names} to {humidity} percent",
    "start": "Started {names}",
    "stop": "Stopped {names}",
    "pause": "Paused {names}",
    "return_to_base": "Sending {names} home",
    "locate": "Locating {names}",
    "press": "Pressed {names}",
    "set_value": "Set {names} to {value}",
    "set_mode": "Set {names} to {mode}",
    "select_option": "Set {names} to {option}",
    "set_operation_mode": "Set {names} to {operation_mode}",
    "add_item": "Added {item} to {names}",
    "remove_item": "Removed {item} from {names}",
    "update_item": "Updated {item} on {names}",
    "open": "Opened {names}",
    "start_mowing": "Started {names}",
    "dock": "Sending {names} home",
    "cancel": "Cancelled {names}",
    "finish": "Ended {names}",
    "alarm_disarm": "Disarmed {names}",
    "alarm_arm_home": "Armed {names} for home",
    "alarm_arm_away": "Armed {names} for away",
    "alarm_arm_night": "Armed {names} for the night",
    "set_valve_position": "Moving {names} to {position} percent",
    "play_media": "Looking for {search_query} on {names}",
    "remove_completed_items": "Cleared what was done from {names}",
    "repeat_set": "Set repeat of {names} to {repeat}",
    "shuffle_set": "Changed shuffle of {names}",
    "oscillate": "Changed the swing of {names}",
    "clean_spot": "Cleaning where {names} is",
}
_DONE_ALONE: Mapping[str, str] = {
    "timer.start": "Timer set for {duration}",
    "timer.increase": "Added {duration} to the timer",
    "timer.decrease": "Took {duration} off the timer",
    "timer.cancel": "Cancelled the timer",
    "timer.cancel_all": "Cancelled all timers",
    "timer.pause": "Paused the timer",
    "timer.unpause": "The timer goes on",
    "shopping_list.add_item": "Added {item} to the shopping list",
}
"""What the assistant does without a device."""
_MOST_NAMED = 4


def said_name(entity: Entity) -> str:
    """`the kitchen light`: the name as it is spoken in a sentence."""
    name = " ".join(entity.name.split())
    if name.casefold().startswith(("the ", "my ", "our ")) or "'s " in name:
        return name
    if entity.domain == "person":
        return name
    return f"the {name}"


def said_state(entity: Entity, state: str) -> str:
    """A state as it is spoken, with its unit."""
    unit = entity.attributes.get("unit_of_measurement")
    if unit:
        return f"{state} {unit}"
    return state.replace("_", " ")


def join_names(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def tell_results(home: Home, results: Sequence[CallResult]) -> str:
    """One or two sentences about what was done and what failed."""
    done: dict[str, list[str]] = {}
    for result in results:
        if result.ok:
            names = done.setdefault(_phrase(result.call), [])
            names += [t for t in result.call.targets if t not in names]
    parts = []
    for template, targets in done.items():
        parts.append(template.replace("{names}", _names(home, targets)))
    told = f"{_sentence(parts)}." if parts else ""
    failed = [r for r in results if not r.ok]
    for result in failed:
        where = _names(home, result.call.targets)
        whose = f" for {where}" if where else ""
        told += f" That did not work{whose}: {result.error.rstrip('.')}."
    return told.strip()


def _phrase(call: ServiceCall) -> str:
    """The sentence with `{names}` left open."""
    verb = call.service.partition(".")[2]
    data: dict[str, Any] = dict(call.data)
    if not call.targets:
        return _phrase_alone(call)
    template = _DONE.get(verb, f"Done with {{names}}: {verb.replace('_', ' ')}")
    if call.domain == "scene":
        template = "Activated {names}"
    elif call.domain == "script":
        template = "Started {names}"
    elif "target_temp_low" in data:
        template = "Set {names} to {target_temp_low} to {target_temp_high} degrees"
    elif verb == "turn_on" and "brightness_pct" in data:
        template = "Set {names} to {brightness_pct} percent"
    elif verb == "turn_on" and ("rgb_color" in data or "color_temp_kelvin" in data):
        template = "Changed the color of {names}"
    elif verb == "volume_mute":
        template = "Muted {names}" if data.get("is_volume_muted") else "Unmuted {names}"
    if "volume_level" in data:
        data["volume"] = round(float(data["volume_level"]) * 100)
    for key, value in data.items():
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        template = template.replace("{" + key + "}", shown.replace("_", " "))
    return template


def _phrase_alone(call: ServiceCall) -> str:
    data = dict(call.data)
    template = _DONE_ALONE.get(call.service, "Done")
    if call.service == "timer.start" and "command" in data:
        template = "I will do that in {duration}"
    elif call.service.startswith("timer.") and data.get("name"):
        template = template.replace("timer", "{name} timer", 1)
        template = template.replace("Timer", "{name} timer", 1)
    data["duration"] = said_duration(int(data.get("duration_s", 0)))
    for key, value in data.items():
        template = template.replace("{" + key + "}", str(value))
    return template[:1].upper() + template[1:]


def said_duration(seconds: int) -> str:
    """`1 hour 30 minutes`: the two largest units."""
    minutes, rest = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{count} {unit}{'' if count == 1 else 's'}"
        for count, unit in ((hours, "hour"), (minutes, "minute"), (rest, "second"))
        if count
    ]
    return " ".join(parts[:2]) or "0 seconds"


def _names(home: Home, targets: Sequence[str]) -> str:
    found = [e for t in targets if (e := home.entity(t)) is not None]
    if len(found) > _MOST_NAMED:
        domains = {e.domain for e in found}
        noun = domains.pop().replace("_", " ") if len(domains) == 1 else "device"
        plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
        return f"{len(found)} {plural}"
    return join_names([said_name(e) for e in found])


def _sentence(parts: Sequence[str]) -> str:
    lowered = [parts[0], *(p[:1].lower() + p[1:] for p in parts[1:])]
    return join_names(lowered)
