"""Grounded sentence -> GBNF of the home language over the placeholders present."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ..home import Entity, Home
from ..language import (
    ACTIONS,
    ALL,
    ATTRIBUTES,
    DATED_QUERIES,
    EVERYTHING,
    GROUP_DOMAINS,
    ITEM_QUERIES,
    LIST_ACTIONS,
    LISTS,
    LITERALS,
    PLAIN_QUERIES,
    QUERIES_OVER_SCOPE,
    REPLIES,
    SCOPES,
    STATES,
    TIMER_ACTIONS,
    TIMERS,
    WHEN,
    Form,
    Slot,
)
from ..services import Service, services_for
from . import gbnf

Allow = Callable[[Entity, Service], bool]

_FAN_OUT = {"homeassistant": EVERYTHING}


def grounded_grammar(
    home: Home,
    entities: Sequence[str],
    places: Sequence[str],
    *,
    here: bool = False,
    numbers: int = 0,
    colors: int = 0,
    options: int = 0,
    durations: int = 0,
    texts: int = 0,
    may_act: bool = True,
    may_ask: bool = True,
    may_measure: bool = True,
    may_look_up: bool = True,
    barred: Collection[str] = (),
    replies: Sequence[str] = REPLIES,
    allow: Allow | None = None,
) -> str:
    """GBNF for one sentence; the counts say which placeholders it has.

    `entities` and `places` are ids in the order of their placeholders. A service
    occurs only with devices of its domain; one that opens the house never occurs with
    a group. What the very device lacks is refused when it is checked. Without
    `may_act` the sentence is a question, to which nothing is done; without `may_ask` it
    is none about several devices, without `may_measure` none about states and values,
    without `may_look_up` none at all. `barred` are verbs that it does not mean,
    `replies` what may be said instead of a call.
    """
    known = {
        f"<E{n}>": found
        for n, entity_id in enumerate(entities, 1)
        if (found := home.entity(entity_id)) is not None
    }
    place_marks = [f"<A{n}>" for n in range(1, len(places) + 1)]
    place_marks += ["<here>"] if here else []
    place_marks.append(ALL)
    domains = {e.domain for e in home.entities}
    values = _Values(numbers, colors, options, durations, texts)
    calls: dict[str, str] = {}
    if may_act:
        calls = {
            **_device_calls(known, values, barred, allow),
            **_group_calls(domains, values, barred),
            **_other_calls("timer", TIMER_ACTIONS, values),
            **_other_calls("todo", LIST_ACTIONS, values),
        }
    timers = [*TIMERS, *(f"<D{n}>" for n in range(1, durations + 1)), *place_marks[:-1]]
    kinds = [*(["call"] if calls else ()), *(["query"] if may_look_up else ()), "reply"]
    queries = _queries(known, texts, may_ask, may_measure)
    lines = [
        'root ::= "```homeassistant\\n" line+ "```"',
        f"line ::= {' | '.join(kinds)}",
        f'query ::= "{{\\"query\\": \\"" ({queries}) "\\"}}\\n"',
        f'reply ::= "{{\\"reply\\": \\"" ({_words(replies)}) "\\"}}\\n"',
        f"place ::= {_words(place_marks)}",
        f"is ::= {_words(STATES)}",
        f"attribute ::= {_words(ATTRIBUTES)}",
        f"scope ::= {_words(SCOPES)}",
        f"when ::= {_words(WHEN)}",
        f"list ::= {_words(LISTS)}",
        f"timer ::= {_words(timers)}{' | text' if texts else ''}",
        *(values.rules() if calls or texts else ()),
        *(f"{rule} ::= {body}" for rule, body in calls.items()),
    ]
    if calls:
        lines.append(
            f'call ::= "{{\\"service\\": \\"" ({gbnf.any_of(calls)}) "\\"}}\\n"'
        )
    if known:
        lines.append(f"device ::= {_words(known)}")
        lines.append('except ::= ("\\", \\"except\\": \\"" device)?')
    else:
        lines.append('except ::= ""')
    return "\n".join(lines) + "\n"


class _Values:
    """Expressions for argument values, over the placeholders that exist."""

    def __init__(
        self, numbers: int, colors: int, options: int, durations: int, texts: int
    ) -> None:
        self._numbers = [f"<N{n}>" for n in range(1, numbers + 1)]
        self._colors = [f"<C{n}>" for n in range(1, colors + 1)]
        self._options = [f"<V{n}>" for n in range(1, options + 1)]
        self._durations = [f"<D{n}>" for n in range(1, durations + 1)]
        self._texts = [f"<T{n}>" for n in range(1, texts + 1)]

    def rules(self) -> list[str]:
        """The rules that `slot` refers to."""
        rules = [f"number ::= {_words([*self._numbers, *LITERALS])}"]
        if self._colors:
            rules.append(f"color ::= {_words(self._colors)}")
        if self._options:
            rules.append(f"option ::= {_words(self._options)}")
        if self._durations:
            rules.append(f"duration ::= {_words(self._durations)}")
        if self._texts:
            ranges = [
                first + last
                for n, first in enumerate(self._texts)
                for last in self._texts[n + 1 :]
            ]
            rules.append(f"text ::= {_words([*self._texts, *ranges])}")
        return rules

    def slot(self, slot: Slot) -> str | None:
        """The expression of one slot, None if the sentence has nothing to fill it."""
        if slot.kind == "color":
            return "color" if self._colors else None
        if slot.kind == "option":
            return "option" if self._options else None
        if slot.kind == "duration":
            return "duration" if self._durations else None
        if slot.kind == "text":
            return "text" if self._texts else None
        if slot.kind == "word":
            return f"({_words(slot.words)})"
        if slot.kind == "signed":
            return f'("+" | "-") ({_words([*self._numbers, *slot.words])})'
        return "number"

    def forms(self, forms: Sequence[Form]) -> str:
        """The argument part of a service, `""` if it may be empty."""
        found = []
        for form in forms:
            parts = []
            for slot in form:
                value = self.slot(slot)
                if value is None:
                    break
                key = gbnf.literal(f'", "{slot.name}": "')
                parts.append(f"{key} {value}")
            else:
                found.append(" ".join(parts) or '""')
        return f"({gbnf.any_of(found)})" if found else ""


def _device_calls(
    known: dict[str, Entity],
    values: _Values,
    barred: Collection[str],
    allow: Allow | None,
) -> dict[str, str]:
    """Rule -> body, one for each service of the domains of the devices.

    What a device of the domain lacks may be said, so that it can be refused: were it
    not there, the model would have to say something else, and that would be done.
    """
    holders: dict[str, list[str]] = {}
    for mark, entity in known.items():
        domain = entity.domain
        offered = {s.name: s for s in services_for(entity)}
        names = dict.fromkeys(
            [*offered, *(f"{domain}.{v}" for v in ACTIONS.get(domain, ()))]
        )
        for name in names:
            if name.partition(".")[2] in barred:
                continue
            service = offered.get(name)
            if service is None or allow is None or allow(entity, service):
                holders.setdefault(name, []).append(mark)
    calls = {}
    for name, marks in holders.items():
        domain, _, verb = name.partition(".")
        arguments = values.forms(ACTIONS.get(domain, {}).get(verb, ()))
        if arguments:
            head = gbnf.literal(f'{name}", "target_device": "')
            calls[_rule("device", name)] = f"{head} ({_words(marks)}) {arguments}"
    return calls


def _group_calls(
    domains: set[str], values: _Values, barred: Collection[str]
) -> dict[str, str]:
    """Rule -> body, the same for every sentence with such placeholders."""
    calls = {}
    for domain, services in ACTIONS.items():
        if domain not in GROUP_DOMAINS:
            continue
        if not (domains & _FAN_OUT.get(domain, {domain})):
            continue
        for verb, forms in services.items():
            arguments = values.forms(forms)
            if arguments and verb != "unlock" and verb not in barred:
                name = f"{domain}.{verb}"
                head = gbnf.literal(f'{name}", "target_area": "')
                calls[_rule("group", name)] = f"{head} place except {arguments}"
    return calls


def _other_calls(
    domain: str, actions: Mapping[str, Sequence[Form]], values: _Values
) -> dict[str, str]:
    """Rule -> body of calls on timers or lists that are no devices of the home."""
    kind = "timer" if domain == "timer" else "list"
    calls = {}
    for verb, forms in actions.items():
        if arguments := values.forms(forms):
            name = f"{domain}.{verb}"
            head = gbnf.literal(f'{name}", "target_{kind}": "')
            calls[_rule(kind, name)] = f"{head} {kind} {arguments}"
    return calls


def _rule(prefix: str, service: str) -> str:
    return f"{prefix}-{service}".replace(".", "-").replace("_", "-")


def _queries(
    known: dict[str, Entity], texts: int, may_ask: bool, may_measure: bool
) -> str:
    kinds = _words(QUERIES_OVER_SCOPE)
    plain_items = _words(q for q in ITEM_QUERIES if q != "has_item")
    whose = '"\\", \\"target_list\\": \\"" list'
    dated = '"\\", \\"when\\": \\"" when'
    if known:
        whose = f'({whose} | "\\", \\"target_device\\": \\"" device)'
        dated += ' ("\\", \\"target_device\\": \\"" device)?'
    parts = [
        _words(PLAIN_QUERIES),
        f"({_words(DATED_QUERIES)}) {dated}",
        f"({plain_items}) {whose}",
    ]
    if may_measure:
        parts.append('"timer\\", \\"target_timer\\": \\"" timer')
        parts.append(
            '"value\\", \\"attribute\\": \\"" attribute "\\", \\"target_area\\": \\"" '
            "place"
        )
    if may_ask:
        parts.append(
            f'({kinds}) "\\", \\"domain\\": \\"" scope "\\", \\"target_area\\": \\"" '
            'place ("\\", \\"is\\": \\"" is)?'
        )
    if texts:
        parts.append(f'"has_item" {whose} "\\", \\"item\\": \\"" text')
    if known and may_measure:
        parts.append(
            '"state\\", \\"target_device\\": \\"" device '
            '("\\", \\"is\\": \\"" is | "\\", \\"attribute\\": \\"" attribute)?'
        )
    return " | ".join(parts)


def _words(items: Iterable[str]) -> str:
    return gbnf.any_of(gbnf.literal(i) for i in items)
