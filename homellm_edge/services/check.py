"""Calls that somebody wrote -> calls that the home offers, or a CallError."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import CallError
from ..home import Home
from .description import Argument, Service, ServiceCall
from .domains import service_for

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_NAMED = 12
"""So many of an argument's choices are named in an error."""

_UNREACHABLE = frozenset(["unavailable"])


def check_call(
    home: Home, service: str, targets: Sequence[str], data: Mapping[str, Any]
) -> ServiceCall:
    """Check a call against the home; raises CallError naming the first thing wrong.

    Numbers given as texts are converted, whole floats become integers. A number
    between two steps is taken: only the grammar holds models to the steps.
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
        given: dict[str, Any] = {}
        for name, value in data.items():
            argument = offered.argument(name)
            if argument is None:
                raise CallError(f"{service} takes no {name}", "leave it out")
            given[argument.name] = _checked_value(service, argument, value)
        _check_form(offered, given)
        checked.update(given)
    return ServiceCall(service, tuple(dict.fromkeys(targets)), checked)


def check_group_call(
    home: Home, service: str, place_id: str, data: Mapping[str, Any]
) -> tuple[ServiceCall, ...]:
    """The calls that one call on an area or floor means, at least one.

    Meant are the members that offer the service and take these arguments; those that
    are unavailable only if no others are left. Nothing that opens the house is done
    to a group.

    Raises:
        CallError: for an unknown place, or when no member can do it.
    """
    if home.area(place_id) is None and home.floor(place_id) is None:
        raise CallError(f"there is no area {place_id}", "use one of the home")
    error = CallError(f"nothing in {place_id} offers {service}", "name a device")
    groups: dict[str, tuple[dict[str, Any], list[str]]] = {}
    members = home.members(place_id)
    reachable = [e for e in members if e.state not in _UNREACHABLE]
    for entities in (reachable, members):
        for entity in entities:
            offered = service_for(entity, service)
            if offered is None:
                continue
            if offered.explicit:
                error = CallError(
                    f"{service} is only done to one device by its name", "name it"
                )
                continue
            try:
                call = check_call(home, service, [entity.entity_id], data)
            except CallError as err:
                error = err
                continue
            values = dict(call.data)
            key = repr(sorted(values.items()))
            groups.setdefault(key, (values, []))[1].append(entity.entity_id)
        if groups:
            break
    else:
        raise error
    return tuple(
        ServiceCall(service, tuple(targets), values)
        for values, targets in groups.values()
    )


def _check_form(offered: Service, given: dict[str, Any]) -> None:
    """That these arguments go together and none is missing; swaps reversed ends."""
    service = offered.name
    forms = [f for f in offered.forms if given.keys() <= {a.name for a in f}]
    if not forms:
        names = " and ".join(a.name for a in offered.arguments if a.name in given)
        raise CallError(f"{service} does not take {names} together", "give one of them")
    missing = [
        [a.name for a in form if a.required and a.name not in given] for form in forms
    ]
    if all(missing):
        wanted = " or ".join(" and ".join(names) for names in missing)
        raise CallError(f"{service} needs {wanted}", "give it")
    for argument in offered.arguments:
        low, high = argument.name, argument.at_most
        if low in given and high in given and given[low] > given[high]:
            given[low], given[high] = given[high], given[low]


def _checked_value(service: str, argument: Argument, value: Any) -> Any:
    kind = argument.kind
    if kind in ("integer", "number"):
        return _checked_number(service, argument, value)
    if kind == "choice":
        if isinstance(value, str) and value in argument.choices:
            return value
        for choice in argument.choices:
            if str(value).casefold() == choice.casefold():
                return choice
        named = [
            *argument.choices[:_NAMED],
            *(["..."] if len(argument.choices) > _NAMED else []),
        ]
        raise _bad(service, argument, value, f"one of {', '.join(named)}")
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        raise _bad(service, argument, value, "true or false")
    if kind == "time":
        if isinstance(value, str) and _TIME.fullmatch(value):
            return value
        raise _bad(service, argument, value, "a time as HH:MM:SS")
    if kind == "text":
        if isinstance(value, str) and _is_text(argument, value):
            return value
        raise _bad(
            service,
            argument,
            value,
            f"a text of {argument.minimum:g} to {argument.maximum:g} characters",
        )
    if (
        isinstance(value, list | tuple)
        and len(value) == 3
        and all(type(v) is int and 0 <= v <= 255 for v in value)
    ):
        return list(value)
    raise _bad(service, argument, value, "three numbers 0 to 255")


def _checked_number(service: str, argument: Argument, value: Any) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not argument.minimum <= number <= argument.maximum:
        low, high = argument.minimum, argument.maximum
        raise _bad(service, argument, value, f"a number from {low:g} to {high:g}")
    return int(number) if number.is_integer() else number


def _is_text(argument: Argument, value: str) -> bool:
    """A text on one line that is not blank, and that Home Assistant can store."""
    if not argument.minimum <= len(value) <= argument.maximum or not value.strip():
        return False
    return all(
        ord(c) >= 32 and c != "\x7f" and not 0xD800 <= ord(c) < 0xE000 for c in value
    )


def _bad(service: str, argument: Argument, value: Any, wanted: str) -> CallError:
    try:
        shown = reprlib.repr(value)
    except ValueError:  # a number of thousands of digits
        shown = "a huge number"
    return CallError(
        f"{service}: {argument.name} is {shown}, not {wanted}", f"use {wanted}"
    )
