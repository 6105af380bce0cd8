"""Example exchanges for models that were not trained for the task.

What the sentence probably means becomes two to four exchanges of the seed's form: a
phrase of the bank about a device of this home, and the answer that would be right. Each
answer is made by the parts that a real turn uses and read back by `ChatMLDialect`'s own
checks, so an example shows nothing that the home would refuse. What has to be asked for
explicitly (locks, doors, alarms, scripts) is never called in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..errors import CallError
from ..execute import CallResult
from ..grounding import Grounding
from ..grounding.lexicon import COLORS
from ..home import Entity, Home
from ..language import REPLIES
from ..phrases import load
from ..phrases.labels import label_of
from ..prompt.chatml import Exchange
from ..queries import Query, answer, attribute_value
from ..services import ServiceCall, services_for
from ..speech import REPLIES as SPOKEN
from ..speech import tell_results
from .base import Situation
from .grounded import GroundedDialect
from .writing import call_line

MOST_CHARACTERS = 1200
"""Of all examples together: some 300 tokens, which the reserve of a context holds."""

_LEAST_SHARE = 0.02
"""Below it a meaning is one of many that the sentence does not have."""

_LEAST = 2
"""Fewer examples than that do not show what an answer looks like."""

_USUAL = ("light.turn_off", "switch.turn_on", "cover.close_cover", "fan.turn_on")

_GROUNDED = GroundedDialect()
_COLOR = "red"
_NUMBERS: Mapping[str, float] = {"temperature": 21, "color_temp_kelvin": 3000}
_USUAL_NUMBER = 40.0
_STEP = 5.0
_OPTIONS: Mapping[str, str] = {
    "effect": "effect_list",
    "source": "source_list",
    "preset_mode": "preset_modes",
    "fan_mode": "fan_modes",
    "mode": "available_modes",
    "operation_mode": "operation_list",
}
_STATES = frozenset("on off open closed locked".split())
_HARMLESS = re.compile(r"\w[\w .,'&+-]{0,39}")
"""A name that can stand in an example: no mark, no bracket, nothing invisible."""

_GROUP = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{([a-z]+)\}")


def exchanges(situation: Situation, count: int) -> tuple[Exchange, ...]:
    """Up to `count` examples for the likeliest meanings, the likeliest last.

    What stands last is nearest to the question, and weighs most with a small model.
    Where there are fewer meanings they are shown of a second device, and where there
    are none the model sees at least what an answer looks like.
    """
    likely = [x for x, share in situation.meanings if share >= _LEAST_SHARE]
    found: list[Exchange] = []
    used: set[str] = set()
    room = MOST_CHARACTERS
    for label, again, most in (
        *((label, False, count) for label in likely),
        *((label, True, count) for label in likely),
        *((label, True, min(count, _LEAST)) for label in _USUAL),
    ):
        if len(found) >= most:
            continue
        made = next(
            (
                e
                for e in _examples(situation, label, used)
                if not again or e[0] not in used
            ),
            None,
        )
        if made is None or made[1] in found:
            continue
        room -= sum(map(len, made[1]))
        if room < 0:
            break
        used.add(made[0])
        found.append(made[1])
    return tuple(reversed(found))


def _examples(
    situation: Situation, label: str, used: set[str]
) -> Iterator[tuple[str, Exchange]]:
    """(entity id, exchange) of one meaning, the best device first."""
    kind, _, key = label.partition(" ")
    if kind == "reply":
        if key in REPLIES and (asked := _phrase(situation, label, {})):
            yield "", Exchange(asked, SPOKEN[key])
        return
    for entity in _devices(situation, used):
        slots = {"x": f"the {entity.name}"}
        try:
            told = _told(situation, entity, label, slots)
        except CallError:
            continue
        if told and (asked := _phrase(situation, label, slots)):
            yield entity.entity_id, Exchange(asked, told)


def _devices(situation: Situation, used: set[str]) -> list[Entity]:
    """Devices fit to be shown, those first that the sentence does not speak of.

    Shown the very device, a model would repeat the example, be it right or wrong.
    """
    mentioned = {*situation.grounding.entities, *used}
    fit = [
        e
        for e in situation.home.entities
        if _HARMLESS.fullmatch(e.name) and e.state != "unavailable"
    ]
    return sorted(fit, key=lambda e: e.entity_id in mentioned)


def _told(
    situation: Situation, entity: Entity, label: str, slots: dict[str, str]
) -> str:
    """The right answer for this device, "" if there is none; fills `slots`.

    Raises:
        CallError: the device cannot do it.
    """
    kind, _, key = label.partition(" ")
    if kind == "value" and key:
        data = {"query": "state", "target_device": "<E1>", "attribute": key}
        return _answered(situation, entity, data)
    if kind == "yes_no":
        if entity.state not in _STATES:
            return ""
        slots["s"] = entity.state
        data = {"query": "state", "target_device": "<E1>", "is": entity.state}
        return _answered(situation, entity, data)
    domain, dot, _ = label.partition(".")
    if not dot or domain != entity.domain:
        return ""
    service, _, arguments = label.partition(":")
    offered = services_for(entity)
    # Where something can be opened, closing it is no example either.
    if all(s.name != service for s in offered) or any(s.explicit for s in offered):
        return ""
    wanted = _wanted(entity, service, arguments, slots)
    if wanted is None:
        return ""
    data, found = wanted
    steps = _steps(situation, found, data)
    if len(steps) != 1 or not isinstance(steps[0], ServiceCall):
        return ""
    return _carried_out(situation.home, steps[0])


def _wanted(
    entity: Entity, service: str, arguments: str, slots: dict[str, str]
) -> tuple[dict[str, str], Grounding] | None:
    """A command in the home language, and what its marks stand for."""
    data = {"service": service, "target_device": "<E1>"}
    numbers: tuple[float, ...] = ()
    colors: tuple[Mapping[str, Any], ...] = ()
    options: tuple[str, ...] = ()
    for argument in arguments.split("+") if "=+" not in arguments else [arguments]:
        name, fixed, value = argument.partition("=")
        if not name:
            continue
        if fixed and not value.endswith("N"):
            data[name] = value
        elif name == "color":
            colors, data[name], slots["c"] = (COLORS[_COLOR,],), "<C1>", _COLOR
        elif name in _OPTIONS:
            listed = entity.attributes.get(_OPTIONS[name])
            known = [o for o in listed if isinstance(o, str)] if listed else []
            fit = [o for o in known if _HARMLESS.fullmatch(o)]
            if not fit:
                return None
            options, data[name], slots["v"] = (fit[0],), "<V1>", fit[0]
        elif name in ("duration", "item", "search_query", "name"):
            return None
        else:
            number = _STEP if fixed else _NUMBERS.get(name, _USUAL_NUMBER)
            numbers, slots["n"] = (number,), f"{number:g}"
            data[name] = value.replace("N", "<N1>") if fixed else "<N1>"
    return data, Grounding(
        "",
        entities=(entity.entity_id,),
        qualities=("=",),
        numbers=numbers,
        colors=colors,
        options=options,
    )


def _answered(situation: Situation, entity: Entity, data: dict[str, str]) -> str:
    attribute = data.get("attribute")
    if attribute and not attribute_value(entity, attribute):
        return ""
    found = Grounding("", entities=(entity.entity_id,), qualities=("=",))
    steps = _steps(situation, found, data)
    if len(steps) != 1 or not isinstance(steps[0], Query):
        return ""
    return answer(steps[0], situation.home, situation.now)


def _steps(
    situation: Situation, found: Grounding, data: Mapping[str, str]
) -> Sequence[object]:
    return _GROUNDED.steps(Situation(situation.home, "", found), data)


def _carried_out(home: Home, call: ServiceCall) -> str:
    """Speech and block of a call, as the seed's models write them."""
    line = call_line(home, call, "target_device", call.targets[0])
    told = tell_results(home, [CallResult(call)])
    return f"{told}\n```homeassistant\n{line}\n```"


def _phrase(situation: Situation, label: str, slots: Mapping[str, str]) -> str:
    """The way of the bank to say it that has most of the sentence's words."""
    said = {t.text for t in situation.grounding.tokens}
    best, most = "", -99.0
    for template in _ways().get(label, ()):
        text = _nearest_way(template, said)
        names = _SLOT.findall(text)
        if set(names) != set(slots):
            continue
        spoken = _SLOT.sub(lambda found: slots[found[1]], text)
        own = set(_SLOT.sub(" ", text).split())
        broken = text.startswith("{") or len(own) < 2  # `{x} on`: no whole sentence
        likeness = 2.0 * len(own & said) - len(own) - 2 * broken
        if likeness > most:
            best, most = " ".join(spoken.split()), likeness
    return best


def _nearest_way(template: str, said: set[str]) -> str:
    """Of each `(a|b)` the way with most of the sentence's words, else the first."""
    text = template
    while found := _GROUP.search(text):
        ways = found[1].split("|")
        chosen = max(ways, key=lambda way: len(said & set(way.split())))
        text = f"{text[: found.start()]}{chosen}{text[found.end() :]}"
    return text


@lru_cache(maxsize=1)
def _ways() -> Mapping[str, tuple[str, ...]]:
    """Label -> templates that say it of a device, or of nothing."""
    ways: dict[str, tuple[str, ...]] = {}
    for section in load("en").sections:
        label = label_of(section)
        if label is not None and section.kind not in ("place", "place_value"):
            ways[label] = (*ways.get(label, ()), *section.templates)
    return ways
