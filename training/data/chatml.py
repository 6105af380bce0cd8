"""Wanted objects -> the answer of a model of the seed's kind: speech, then calls.

The objects are expanded by the grounded dialect, written down in the home language, and
read back by the ChatML dialect: an answer is only given if both mean the same calls.
There is none either where the seed's form has no words for what is wanted, or where the
answer depends on something that the prompt does not show.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homellm_edge.dialects import DIALECTS, Reply, Situation
from homellm_edge.dialects.writing import call_line
from homellm_edge.errors import CallError
from homellm_edge.execute import CallResult
from homellm_edge.home import Entity, Home
from homellm_edge.language import ALL, CLOSE, EVERYTHING, OPEN
from homellm_edge.lookups import tell
from homellm_edge.policy import needs_confirmation
from homellm_edge.queries import Query, answer
from homellm_edge.services import (
    MAX_TARGETS,
    ServiceCall,
    check_group_call,
    service_for,
)
from homellm_edge.speech import replies_in, tell_results

from .encoding import LostError, encode
from .shown import answer_is_shown, members_are_shown, mentions_are_shown

_UNTRUE = frozenset(["help"])
"""Replies that speak of what such a model cannot do: keep timers."""

_LOOKED_UP = frozenset(["weather", "rain"])
_MAX_LISTS = 4
_PLURALS = {
    "climate": "thermostats",
    "switch": "switches",
    "media_player": "players",
}
_GROUNDED, _CHATML = DIALECTS["grounded"], DIALECTS["chatml"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the assistant writes, and the calls that its block means."""

    text: str
    calls: tuple[ServiceCall, ...] = ()


class _UnfitError(Exception):
    """The seed's form cannot say this, or not from what its prompt shows."""


def compose(
    situation: Situation, wanted: Sequence[Mapping[str, Any]], language: str = "en"
) -> Answer | None:
    """The answer to the situation's sentence, None if it is not fit for this form."""
    try:
        return _answer(situation, wanted, language)
    except (LostError, CallError, _UnfitError):
        return None


def _answer(
    situation: Situation, wanted: Sequence[Mapping[str, Any]], language: str
) -> Answer:
    home = situation.home
    _check_mentions(situation, wanted)
    calls: list[ServiceCall] = []  # as they are carried out
    told: list[ServiceCall] = []  # as they are spoken of
    lines: list[str] = []
    others: list[str] = []
    pseudo: list[Entity] = []
    for objects in _together(wanted):
        steps = _steps(situation, objects)
        done = [step for step in steps if isinstance(step, ServiceCall)]
        place = _place(situation, objects[0])
        if place and (len(done) < len(steps) or _is_guess(home, objects[0], place)):
            raise _UnfitError
        for call in _joined(done) if len(objects) > 1 else done:
            written = _written(home, call, place)
            lines += written
            calls.append(call)
            if '"target_area"' in written[0]:
                pseudo.append(_members(home, call, place, len(pseudo)))
                call = dataclasses.replace(call, targets=(pseudo[-1].entity_id,))
            told.append(call)
        others += [
            _said(situation, step, language)
            for step in steps
            if not isinstance(step, ServiceCall)
        ]
    _check_calls(situation, calls, lines)
    speech = list(dict.fromkeys(others))
    if told:
        known = dataclasses.replace(home, entities=_distinct(home, pseudo))
        results = [CallResult(call) for call in told]
        speech.insert(0, tell_results(known, results, language))
    text = " ".join(speech)
    if lines:
        text += "\n```homeassistant\n" + "\n".join(lines) + "\n```"
    return Answer(text, tuple(calls))


def _together(
    wanted: Sequence[Mapping[str, Any]],
) -> list[list[Mapping[str, Any]]]:
    """Objects that are the same but for the device; each of the others alone."""
    groups: list[list[Mapping[str, Any]]] = []
    for one in wanted:
        last = groups[-1][-1] if groups else {}
        if "device" in one and {**last, "device": one["device"]} == one:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _steps(
    situation: Situation, objects: Iterable[Mapping[str, Any]]
) -> list[ServiceCall | Query | Reply]:
    found = situation.grounding
    steps: list[ServiceCall | Query | Reply] = []
    for one in objects:
        line = encode([one], found).removeprefix(OPEN).removesuffix(CLOSE)
        steps += _GROUNDED.steps(situation, json.loads(line))
    return steps


def _joined(calls: Sequence[ServiceCall]) -> list[ServiceCall]:
    """One call of several devices instead of one for each of them."""
    by_data: dict[str, list[ServiceCall]] = {}
    for call in calls:
        by_data.setdefault(f"{call.service} {call.data}", []).append(call)
    return [
        dataclasses.replace(
            same[0], targets=tuple(dict.fromkeys(t for c in same for t in c.targets))
        )
        for same in by_data.values()
    ]


def _place(situation: Situation, one: Mapping[str, Any]) -> str:
    """The id of the area or floor that is meant, "" for none or the whole home."""
    place = one.get("place", ALL)
    if place == "<here>":
        return situation.grounding.here or ""
    return "" if place == ALL else str(place)


def _is_guess(home: Home, one: Mapping[str, Any], place: str) -> bool:
    """Whether who is in a place, which is not in the prompt, changes what is written.

    So it does where a value depends on the members' states, and `everything` on their
    domains.
    """
    domain = str(one.get("service", "")).partition(".")[0]
    if domain != "homeassistant" and not any(key.endswith("_step") for key in one):
        return False
    domains = EVERYTHING if domain == "homeassistant" else (domain,)
    return not all(members_are_shown(home, place, d) for d in domains)


def _written(home: Home, call: ServiceCall, place: str) -> list[str]:
    """The lines that mean this call."""
    if not call.targets:
        raise _UnfitError  # what the assistant does itself
    if place:
        same = check_group_call(home, call.service, place, call.data)
        if len(same) == 1 and set(same[0].targets) == set(call.targets):
            return [call_line(home, call, "target_area", place)]
        if not members_are_shown(home, place, call.domain):
            raise _UnfitError
    lists = _lists(home, call)
    if len(lists) > _MAX_LISTS:
        raise _UnfitError
    return [
        call_line(home, call, "target_device", ids if len(ids) > 1 else ids[0])
        for ids in lists
    ]


def _lists(home: Home, call: ServiceCall) -> list[list[str]]:
    """The targets in lists of devices that take these arguments in the same way."""
    kinds: dict[object, list[str]] = {}
    for target in call.targets:
        kind = service_for(_known(home, target), call.service) if call.data else None
        kinds.setdefault(kind, []).append(target)
    return [
        ids[start : start + MAX_TARGETS]
        for ids in kinds.values()
        for start in range(0, len(ids), MAX_TARGETS)
    ]


def _known(home: Home, entity_id: str) -> Entity:
    entity = home.entity(entity_id)
    if entity is None:
        raise _UnfitError
    return entity


def _members(home: Home, call: ServiceCall, place: str, number: int) -> Entity:
    """Stands for the members of a place in speech: the prompt does not name them."""
    known = home.area(place) or home.floor(place)
    plural = _PLURALS.get(call.domain, f"{call.domain.replace('_', ' ')}s")
    name = f"{known.name if known else place} {plural}"
    return Entity(f"{call.domain}.all_members_{number}", name)


def _distinct(home: Home, more: Iterable[Entity]) -> tuple[Entity, ...]:
    return tuple({e.entity_id: e for e in (*home.entities, *more)}.values())


def _check_mentions(situation: Situation, wanted: Sequence[Mapping[str, Any]]) -> None:
    home, found = situation.home, situation.grounding
    ids = [one[key] for one in wanted for key in ("device", "except") if key in one]
    devices = [_known(home, entity_id) for entity_id in ids]
    meant = {_place(situation, one) for one in wanted}
    others = [place for place in found.places if place not in meant]
    if devices and not mentions_are_shown(home, situation.sentence, devices, others):
        raise _UnfitError


def _check_calls(
    situation: Situation, calls: Sequence[ServiceCall], lines: Sequence[str]
) -> None:
    """That the lines mean these calls, and that none of them would be asked back."""
    home, found = situation.home, situation.grounding
    for number, call in enumerate(calls):
        if needs_confirmation(home, call, found, calls[:number]):
            raise _UnfitError
    read = [s for line in lines for s in _CHATML.steps(situation, json.loads(line))]
    if _meant(read) != _meant(calls):
        raise _UnfitError


def _meant(steps: Iterable[object]) -> set[tuple[str, str, str]]:
    return {
        (step.service, target, json.dumps(dict(step.data), sort_keys=True))
        for step in steps
        if isinstance(step, ServiceCall)
        for target in step.targets
    }


def _said(
    situation: Situation, step: Query | Reply | ServiceCall, language: str
) -> str:
    """What is said about states, or instead of a call."""
    if isinstance(step, Reply):
        if step.kind in _UNTRUE:
            raise _UnfitError
        return replies_in(language)[step.kind]
    if not isinstance(step, Query) or situation.now is None:
        raise _UnfitError
    home = situation.home
    if step.kind in _LOOKED_UP and step.targets:
        return tell(step, {}, home, situation.now, language)
    if not answer_is_shown(home, step):
        raise _UnfitError
    told = answer(step, home, situation.now, language)
    return told or replies_in(language)["not_found"]
