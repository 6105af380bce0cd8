"""Our own model: placeholders in, home language out; code expands it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.base import Request
from ..errors import CallError
from ..grammar import grounded_grammar
from ..grounding import Grounding
from ..grounding.asking import (
    barred_verbs,
    may_ask,
    may_look_up,
    may_measure,
    only_asks,
)
from ..grounding.index import is_noun_of, kind_nouns
from ..grounding.lexicon import NOUNS_OF_DOMAIN
from ..home import Entity, Home
from ..language import (
    ALL,
    DATED_QUERIES,
    EVERYTHING,
    ITEM_QUERIES,
    PLAIN_QUERIES,
    QUERIES_OVER_SCOPE,
    REPLIES,
)
from ..prompt import PastTurn, Prompt, grounded_prompt
from ..prompt.grounded import HEADER
from ..queries import Query, attribute_value
from ..scopes import in_scope
from ..services import check_call, service_for
from . import assistant
from .base import PromptOptions, Reply, Situation, Step

_NOT_ARGUMENTS = frozenset({"service", "target_device", "target_area", "except"})
_OPTIONS = frozenset("effect source preset_mode fan_mode mode operation_mode".split())
_WHITE_STEP = 800  # kelvin; what people notice as warmer or cooler
_FOR_ALL_ROOMS = frozenset({"climate"})
"""One of these is often enough for the whole house."""
_STARTING = frozenset(
    "turn_on turn_off toggle media_play play_media select_source".split()
)
_PLAYING = (
    frozenset({"playing", "buffering"}),
    frozenset({"paused", "on"}),
    frozenset({"idle"}),
)
"""States of a player that somebody hears, likeliest first."""
_CLEAR = tuple(r for r in REPLIES if r != "unclear")
_UNREACHABLE = frozenset({"unavailable"})


class GroundedDialect:
    """Some twenty tokens of prompt, a grammar over this sentence's placeholders."""

    speaks = False
    hinted = True
    exemplified = False

    def standing(
        self, home: Home, history: Sequence[PastTurn], options: PromptOptions
    ) -> Prompt:
        """Nothing of the home is in the prompt."""
        return Prompt(header=HEADER)

    def past(self, situation: Situation, written: str) -> PastTurn:
        """What was said; earlier turns are not in the prompt."""
        return PastTurn(situation.sentence, written)

    def request(self, situation: Situation, options: PromptOptions) -> Request:
        """The grounded sentence with the grammar of its own placeholders."""
        found = situation.grounding
        marked = "?" in situation.sentence
        return Request(
            prompt=grounded_prompt(found.text, situation.hints),
            grammar=grounded_grammar(
                situation.home,
                found.entities,
                found.places,
                here=found.here is not None,
                numbers=len(found.numbers),
                colors=len(found.colors),
                options=len(found.options),
                durations=len(found.durations),
                texts=len(found.texts),
                may_act=not only_asks(found.tokens),
                may_ask=marked or may_ask(found.tokens),
                may_measure=marked or may_measure(found.tokens),
                may_look_up=marked or may_look_up(found.tokens),
                barred=barred_verbs(found.tokens),
                replies=_CLEAR if _is_clear(found) else REPLIES,
            ),
            max_tokens=options.max_tokens,
        )

    def steps(self, situation: Situation, data: Mapping[str, Any]) -> Sequence[Step]:
        """Expand one object; raises CallError when nothing in the home fits it."""
        home, found = situation.home, situation.grounding
        if "reply" in data:
            kind = str(data["reply"])
            return [Reply(kind if kind in REPLIES else "unclear")]
        if "query" in data:
            return [_query(home, found, data)]
        if "target_timer" in data:
            return [assistant.timer_call(home, found, data)]
        if "target_list" in data:
            return [assistant.list_call(home, found, data)]
        if "service" in data:
            return _calls(home, found, data)
        raise CallError("an object without service, query or reply", "ask again")


def _is_clear(found: Grounding) -> bool:
    """Whether a sentence speaks of one device only, so that nobody has to ask which."""
    if len(found.mentions) != 1 or len(found.entities) != 1:
        return False
    return found.qualities[0] != "?"


def _query(home: Home, found: Grounding, data: Mapping[str, Any]) -> Step:
    kind = str(data["query"])
    attribute, state = str(data.get("attribute", "")), str(data.get("is", ""))
    if kind in PLAIN_QUERIES:
        return Query(kind)
    if kind == "timer":
        mark = str(data.get("target_timer", ""))
        return Query(kind, data=assistant.timer_selector(home, found, mark))
    if kind in DATED_QUERIES or kind in ITEM_QUERIES:
        return _looked_up(home, found, kind, data)
    if kind == "state":
        target = _device(found, data.get("target_device"))
        return Query(kind, (target,), state=state, attribute=attribute)
    members, place = _place(home, found, data.get("target_area"))
    if kind == "value":
        targets = [e for e in members if attribute_value(e, attribute)]
    elif kind in QUERIES_OVER_SCOPE:
        scope = str(data.get("domain", ""))
        targets = [e for e in members if in_scope(e, scope)]
    else:
        raise CallError(f"unknown query {kind!r}", "ask again")
    if not targets:
        return Reply("not_found")
    return Query(
        kind,
        tuple(e.entity_id for e in targets),
        scope=str(data.get("domain", "")),
        state=state,
        attribute=attribute,
        place=place,
    )


def _looked_up(
    home: Home, found: Grounding, kind: str, data: Mapping[str, Any]
) -> Step:
    """What is in a calendar, a forecast or a list: of a named one, or of all."""
    text = str(data.get("item", ""))
    more = {"item": assistant.text(found, text)} if text else {}
    if kind in ITEM_QUERIES:
        domain = "todo"
    else:
        domain = "calendar" if kind == "events" else "weather"
        more["when"] = str(data.get("when", "now"))
    if "target_device" in data:
        targets: tuple[str, ...] = (_device(found, data["target_device"]),)
    elif kind in ITEM_QUERIES:
        targets = assistant.lists_meant(home, str(data.get("target_list", "any")))
    else:
        targets = tuple(e.entity_id for e in home.entities if e.domain == domain)
    if not targets or any(t.partition(".")[0] != domain for t in targets):
        return Reply("not_found")
    return Query(kind, targets, data=more)


def _calls(home: Home, found: Grounding, data: Mapping[str, Any]) -> list[Step]:
    name = str(data["service"])
    arguments = {k: str(v) for k, v in data.items() if k not in _NOT_ARGUMENTS}
    if "target_device" in data:
        entity_id = _device(found, data["target_device"])
        if name == "todo.update_item":
            arguments["status"] = "completed"
        entity = home.entity(entity_id)
        if entity is None:
            raise CallError(f"there is no device {entity_id}", "expose it first")
        if service_for(entity, name) is None:
            return [Reply("unable")]
        values = _values(found, entity, arguments)
        if name == "todo.add_item":  # `6 eggs`; to take off it is enough to say eggs
            item = arguments.get("item", "")
            values["item"] = assistant.text(found, item, counted=True)
        return [check_call(home, name, [entity_id], values)]
    members, place = _place(home, found, data.get("target_area"))
    domain = name.partition(".")[0]
    if domain in _FOR_ALL_ROOMS and place != ALL:
        members = _heating(home, found, members, domain)
    members = _in_use(_of_kind(members, domain, found), name)
    spared = _device(found, data["except"]) if "except" in data else ""
    groups: dict[tuple[str, str], tuple[dict[str, Any], list[str]]] = {}
    for entity in members:
        service = _service_in_group(name, entity)
        if not service or entity.entity_id == spared:
            continue
        try:
            values = _values(found, entity, arguments)
            check_call(home, service, [entity.entity_id], values)
        except CallError:
            continue  # this member cannot do it; the others can
        key = (service, repr(sorted(values.items())))
        groups.setdefault(key, (values, []))[1].append(entity.entity_id)
    if not groups:
        return [Reply("not_found")]
    steps: list[Step] = [
        check_call(home, service, targets, values)
        for (service, _), (values, targets) in groups.items()
    ]
    return steps


def _heating(
    home: Home, found: Grounding, members: tuple[Entity, ...], domain: str
) -> tuple[Entity, ...]:
    """A room's own thermostat, or else the only one of the home: it heats that room.

    But `the thermostat in the attic` is one that is not there.
    """
    if any(e.domain == domain for e in members):
        return members
    nouns = NOUNS_OF_DOMAIN.get(domain, frozenset())
    if any(is_noun_of(t.text, nouns) for t in found.tokens):
        return members
    others = tuple(e for e in home.entities if e.domain == domain)
    return others if len(others) == 1 else members


def _in_use(members: tuple[Entity, ...], service: str) -> tuple[Entity, ...]:
    """Of the players of a room those that can be meant by `pause` or `louder`."""
    domain, _, verb = service.partition(".")
    if domain != "media_player" or verb in _STARTING:
        return members
    for states in _PLAYING:
        found = tuple(e for e in members if e.domain == domain and e.state in states)
        if found:
            return found
    return members


def _of_kind(
    members: tuple[Entity, ...], domain: str, found: Grounding
) -> tuple[Entity, ...]:
    """Only the curtains of a room, if the sentence says curtains and there are some."""
    said = [
        t.text
        for t in found.tokens
        if is_noun_of(t.text, NOUNS_OF_DOMAIN.get(domain, frozenset()))
    ]
    named = tuple(
        e
        for e in members
        if e.domain == domain and any(is_noun_of(w, kind_nouns(e)) for w in said)
    )
    return named or members


def _service_in_group(name: str, entity: Entity) -> str:
    """The service that a call on a whole group means for this member, "" for none."""
    domain, _, verb = name.partition(".")
    if entity.state in _UNREACHABLE:
        return ""
    if domain == "homeassistant":
        domain = entity.domain if entity.domain in EVERYTHING else ""
    if domain != entity.domain:
        return ""
    offered = service_for(entity, f"{domain}.{verb}")
    # What opens the house is never done to a group.
    return offered.name if offered is not None and not offered.explicit else ""


def _device(found: Grounding, mark: object) -> str:
    number = _numbered(mark, "E")
    if not 0 < number <= len(found.entities):
        raise CallError(f"{mark!r} stands for no device", "name the device")
    return found.entities[number - 1]


def _place(
    home: Home, found: Grounding, mark: object
) -> tuple[tuple[Entity, ...], str]:
    """The entities of a place and the place's id (`all` for the whole home)."""
    if mark == ALL:
        return home.entities, ALL
    if mark == "<here>" and found.here:
        return home.members(found.here), found.here
    number = _numbered(mark, "A")
    if not 0 < number <= len(found.places):
        raise CallError(f"{mark!r} stands for no area", "name the area")
    place = found.places[number - 1]
    return home.members(place), place


def _numbered(mark: object, letter: str) -> int:
    text = str(mark)
    if text.startswith(f"<{letter}") and text.endswith(">") and text[2:-1].isdigit():
        return int(text[2:-1])
    return 0


def _values(
    found: Grounding, entity: Entity, arguments: Mapping[str, str]
) -> dict[str, Any]:
    """Home-language arguments -> service data for this entity."""
    data: dict[str, Any] = {}
    for name, text in arguments.items():
        data.update(_value(found, entity, name, text))
    return data


def _value(found: Grounding, entity: Entity, name: str, text: str) -> Mapping[str, Any]:
    if name == "color":
        number = _numbered(text, "C")
        if not 0 < number <= len(found.colors):
            raise CallError(f"{text!r} stands for no colour", "name the colour")
        return found.colors[number - 1]
    if name in _OPTIONS:
        number = _numbered(text, "V")
        if not 0 < number <= len(found.options):
            raise CallError(f"{text!r} stands for no option", "name the option")
        return {name: found.options[number - 1]}
    if name in ("hvac_mode", "status"):
        return {name: text}
    if name in ("is_volume_muted", "oscillating", "shuffle"):
        return {name: text == "true"}
    if name == "repeat":
        return {name: text}
    if name in ("item", "search_query"):
        return {name: assistant.text(found, text)}
    if name == "duration":
        return {name: assistant.clock(assistant.seconds(found, text))}
    if name == "color_temp":
        return _whiter(entity, text)
    if name.endswith("_step"):
        return _stepped(entity, name, _number(found, text))
    value = _number(found, text)
    if name == "brightness":
        return {"brightness_pct": _whole(value)}
    if name == "volume":
        return {"volume_level": round(value / 100, 4)}
    return {name: _whole(value)}


def _whiter(entity: Entity, text: str) -> Mapping[str, Any]:
    attributes = entity.attributes
    low = _reported(attributes, "min_color_temp_kelvin", 2000)
    high = _reported(attributes, "max_color_temp_kelvin", 6500)
    now = _reported(attributes, "color_temp_kelvin", 4000)
    step = -_WHITE_STEP if text == "warmer" else _WHITE_STEP
    return {"color_temp_kelvin": int(_clamped(now + step, low, high))}


def _stepped(entity: Entity, name: str, step: float) -> Mapping[str, Any]:
    """A relative argument as an absolute one, from the state of the entity."""
    attributes = entity.attributes
    if name == "brightness_step":
        now = _reported(attributes, "brightness", 0 if entity.state == "off" else 255)
        return {"brightness_pct": _clamped(round(now * 100 / 255) + step, 1, 100)}
    if name == "volume_step":
        level = _reported(attributes, "volume_level", 0.5) * 100
        return {"volume_level": _clamped(level + step, 0, 100) / 100}
    if name == "position_step":
        position = 100 if entity.state == "open" else 0
        now = _reported(attributes, "current_position", position)
        return {"position": _clamped(now + step, 0, 100)}
    if name == "temperature_step":
        current = _reported(attributes, "current_temperature", 20)
        now = _reported(attributes, "temperature", current)
        low = _reported(attributes, "min_temp", 7)
        high = _reported(attributes, "max_temp", 35)
        return {"temperature": _clamped(now + step, low, high)}
    raise CallError(f"unknown relative argument {name}", "give a value")


def _reported(attributes: Mapping[str, Any], key: str, default: float) -> float:
    value = attributes.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return default
    return float(value) if abs(value) < 1e9 else default  # no NaN either


def _number(found: Grounding, text: str) -> float:
    sign = -1.0 if text.startswith("-") else 1.0
    bare = text.lstrip("+-")
    number = _numbered(bare, "N")
    if number:
        if number > len(found.numbers):
            raise CallError(f"{text!r} stands for no number", "give the number")
        return sign * found.numbers[number - 1]
    try:
        return sign * float(bare)
    except ValueError:
        raise CallError(f"{text!r} is no number", "give a number") from None


def _whole(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def _clamped(value: float, low: float, high: float) -> float | int:
    return _whole(round(min(max(value, low), high), 2))
