"""Calls -> the lines of a seed's answer, as the grammar of the home has them."""

from __future__ import annotations

import json

from ..errors import CallError
from ..home import Home
from ..services import ServiceCall, service_for


def call_line(home: Home, call: ServiceCall, key: str, target: object) -> str:
    """One line; `key` is `target_device` or `target_area`. Arguments in their order.

    Raises:
        CallError: the call's first target is not of this home.
    """
    entity = home.entity(call.targets[0])
    if entity is None:
        raise CallError(f"there is no device {call.targets[0]}", "expose it first")
    offered = service_for(entity, call.service)
    pairs = {"service": call.service, key: target}
    for argument in offered.arguments if offered else ():
        if argument.name in call.data:
            pairs[argument.spoken_as or argument.name] = call.data[argument.name]
    return f"{{ {json.dumps(pairs, ensure_ascii=False)[1:-1]} }}"
