"""A backend that is no language model: the hint and a few rules write the answer.

It reads the same prompt as our model. The first hint says what is wanted; done is it to
the devices that are mentioned, else in the place that is, else where the speaker is,
else everywhere if that is said; values are the first placeholders that fit. What it
gets right needs no model.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from homellm_edge.engine.base import Request, Usage
from homellm_edge.grammar.automaton import compile_grammar
from homellm_edge.language import (
    ACTIONS,
    ALL,
    CLOSE,
    DATED_QUERIES,
    GROUP_DOMAINS,
    ITEM_QUERIES,
    LIST_ACTIONS,
    OPEN,
    PLAIN_QUERIES,
    TIMER_ACTIONS,
    Slot,
)
from homellm_edge.phrases import load
from homellm_edge.prompt.blocks import Prompt
from homellm_edge.prompt.grounded import TAIL

from .data.words import SCOPE_NOUNS

Line = dict[str, str]

_HINT = re.compile(r"<~([^>]+)>[=~?] ")
_DEVICE = re.compile(r"(<E\d>)[=~?]")
_PLUS = re.compile(r"(?<!=)\+")  # not that of `=+20`
_INNERMOST = re.compile(r"\(([^()]*)\)")
_UNCLEAR: Line = {"reply": "unclear"}
_EVERYWHERE = frozenset(["all", "every", "everything", "everywhere"])
_EXCEPT = frozenset(["except", "but", "besides"])
_CLASSED = frozenset(["cover", "sensor", "binary_sensor"])
_MOST_CLASS_WORDS = 2
_PLACEHOLDERS: Mapping[str, str] = {
    "number": "N",
    "signed": "N",
    "color": "C",
    "option": "V",
    "duration": "D",
    "text": "T",
}
_SLOTS: Mapping[str, Slot] = {
    slot.name: slot
    for table in (*ACTIONS.values(), TIMER_ACTIONS, LIST_ACTIONS)
    for forms in table.values()
    for form in forms
    for slot in form
}
_SENSED: Mapping[str, tuple[str, str]] = {
    "motion": ("motion", "detected"),
    "presence": ("motion", "detected"),
    "smoke": ("smoke", "detected"),
    "leak": ("leak", "detected"),
    "door": ("door", "open"),
    "window": ("window", "open"),
}
_PEOPLE: Mapping[str, tuple[str, str]] = {
    "anyone_home": ("any", "home"),
    "who_home": ("list", "home"),
    "who_away": ("list", "away"),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """What the rules see of a prompt.

    A mention is the devices that it may mean, (placeholder, domain), best first;
    `spared` are the devices behind an "except".
    """

    label: str
    words: tuple[str, ...]
    mentions: tuple[tuple[tuple[str, str], ...], ...]
    spared: tuple[str, ...]

    def marks(self, letter: str) -> list[str]:
        """The placeholders of a kind, in order of their numbers."""
        return sorted({w for w in self.words if re.fullmatch(rf"<{letter}\d>", w)})

    def devices(self, domain: str, verb: str = "") -> list[tuple[str, str]]:
        """Of each mention the first device of the domain, else one that does that."""
        chosen = []
        for mention in self.mentions:
            same = [d for d in mention if d[1] == domain]
            able = [d for d in mention if verb and verb in ACTIONS.get(d[1], {})]
            chosen += (same or able)[:1]
        return list(dict.fromkeys(chosen))

    def places(self, *, asked: bool = False) -> list[str]:
        """Where: what is mentioned, the speaker's room, or everywhere if it is said."""
        if found := self.marks("A"):
            return found
        if "<here>" in self.words:
            return ["<here>"]
        return [ALL] if asked or _EVERYWHERE & {*self.words} else []


class RuleBackend:
    """Implements `homellm_edge.engine.base.Backend` for the grounded dialect."""

    @property
    def prompt_format(self) -> str:
        """The prompt of our own model."""
        return "grounded"

    async def generate(self, request: Request, usage: Usage) -> AsyncIterator[bytes]:
        """Write the lines that the rules give, at once."""
        began = time.perf_counter()
        grammar = compile_grammar(request.grammar or "")
        # What the sentence cannot mean is not said.
        texts = (output(read(request.prompt.question)), _block([_UNCLEAR]))
        said = (text for text in texts if grammar.match(text.encode()))
        text = next(said, _block([{"reply": "not_found"}]))
        usage.first_byte_ms = usage.total_ms = (time.perf_counter() - began) * 1000
        yield text.encode()

    async def refresh(self, prompt: Prompt) -> int:
        """There is nothing to be kept."""
        return 0

    async def close(self) -> None:
        """There is nothing to be freed."""


def read(question: str) -> Sentence:
    """Take a grounded question apart."""
    text = question.removesuffix(TAIL)
    label = ""
    while hint := _HINT.match(text):
        label = label or hint[1]
        text = text[hint.end() :]
    words = text.split()
    mentions: list[list[tuple[str, str]]] = []
    spared: list[str] = []
    gap = len(words)  # words since the last device's domain
    last, excepting = "", False
    at = 0
    while at < len(words):
        mark = _DEVICE.fullmatch(words[at])
        if mark is None:
            excepting = excepting or words[at] in _EXCEPT
            gap += 1
            at += 1
            continue
        length, domain = _domain(words[at + 1 : at + 4])
        between = words[at - gap : at] if gap <= _MOST_CLASS_WORDS else ["and"]
        joined = not gap or (last in _CLASSED and "and" not in between)
        if excepting:
            spared.append(mark[1])
        elif joined and mentions:
            mentions[-1].append((mark[1], domain))
        else:
            mentions.append([(mark[1], domain)])
        at += 1 + length
        gap, last = 0, domain
    return Sentence(
        label, tuple(words), tuple(tuple(m) for m in mentions), tuple(spared)
    )


def output(sentence: Sentence) -> str:
    """What a model that follows the rules would write."""
    return _block(lines_of(sentence) or [_UNCLEAR])


def _block(lines: Sequence[Line]) -> str:
    return OPEN + "".join(f"{json.dumps(line)}\n" for line in lines) + CLOSE


def lines_of(sentence: Sentence) -> list[Line]:
    """The lines of the home language; none if it is not clear what is meant."""
    kind, _, key = sentence.label.partition(" ")
    if kind == "negation":
        return [{"reply": "stay"}]
    if kind == "reply":
        return [{"reply": key}]
    if kind == "later":
        waits = {"service": "timer.start", "target_timer": "later"}
        return [{**waits, "duration": d} for d in sentence.marks("D")[:1]]
    if kind in ("yes_no", "open_state"):
        return _asked(sentence, _state(sentence) if kind == "yes_no" else {})
    if kind == "value":
        return _value_asked(sentence, key)
    if kind == "scope":
        return _scope_asked(sentence, key)
    if kind == "sensed":
        scope, noticed = _SENSED[key]
        return _over("any", scope, sentence, {"is": noticed})
    if kind == "query":
        return _query(sentence, key)
    return _action(sentence) if "." in kind else []


def _action(sentence: Sentence) -> list[Line]:
    service, _, form = sentence.label.partition(":")
    domain, _, verb = service.partition(".")
    values = _values(sentence, _PLUS.split(form) if form else [])
    if values is None:
        return []
    if domain in ("timer", "todo") and (own := _own(sentence, domain, verb, values)):
        return own
    if devices := sentence.devices(domain, verb):
        named = [(f"{kind}.{verb}", mark) for mark, kind in devices]
        return [{"service": s, "target_device": m, **values} for s, m in named]
    if domain not in GROUP_DOMAINS or verb == "unlock":
        return []
    spared = _one("except", sentence.spared)
    return [
        {"service": service, "target_area": place, **spared, **values}
        for place in sentence.places()
    ]


def _own(sentence: Sentence, domain: str, verb: str, values: Line) -> list[Line]:
    """The assistant's own timers and lists, unless a device of the home is meant."""
    if sentence.devices(domain) and verb in ACTIONS[domain]:
        return []
    line = {"service": f"{domain}.{verb}"}
    if domain == "todo":
        return [{**line, "target_list": _list(sentence), **values}]
    if verb == "cancel_all":
        return [{**line, "target_timer": p} for p in sentence.marks("A") or [ALL]]
    if verb == "start":
        name = values.pop("name", "new")
        return [{**line, "target_timer": name, **values}]
    return [{**line, "target_timer": _timer(sentence, values), **values}]


def _timer(sentence: Sentence, values: Mapping[str, str]) -> str:
    marks = [*sentence.marks("T"), *sentence.marks("D"), *sentence.marks("A")]
    return next((m for m in marks if m not in values.values()), "the")


def _list(sentence: Sentence) -> str:
    said = {"shopping", "grocery", "groceries"} & {*sentence.words}
    return "shopping" if said else "any"


def _values(sentence: Sentence, slots: Sequence[str]) -> Line | None:
    """The arguments; None if the sentence lacks a value."""
    values: Line = {}
    for part in slots:
        name, _, fixed = part.partition("=")
        kind = "text" if name == "name" else _SLOTS[name].kind
        marks = sentence.marks(_PLACEHOLDERS.get(kind, "-"))
        if fixed in ("+N", "-N", ""):
            if not marks:
                return None
            values[name] = fixed[:1] + marks[0]
        else:
            values[name] = fixed
    return values


def _asked(sentence: Sentence, more: Line) -> list[Line]:
    """The state of each device that is mentioned."""
    marks = [mention[0][0] for mention in sentence.mentions]
    return [{"query": "state", "target_device": m, **more} for m in marks]


def _value_asked(sentence: Sentence, attribute: str) -> list[Line]:
    kind = sentence.mentions[0][0][1] if sentence.mentions else ""
    if kind:
        return _asked(sentence, {} if kind == "sensor" else {"attribute": attribute})
    line = {"query": "value", "attribute": attribute}
    return [{**line, "target_area": p} for p in sentence.places(asked=True)]


def _scope_asked(sentence: Sentence, kind: str) -> list[Line]:
    text = f" {' '.join(sentence.words)} "
    for scope, nouns in SCOPE_NOUNS.items():
        if any(f" {noun} " in text for noun in nouns):
            return _over(kind, scope, sentence, _state(sentence))
    return []


def _over(kind: str, scope: str, sentence: Sentence, more: Line) -> list[Line]:
    line = {"query": kind, "domain": scope}
    places = sentence.places(asked=True)
    return [{**line, "target_area": place, **more} for place in places]


def _query(sentence: Sentence, key: str) -> list[Line]:
    name, _, when = key.partition(" ")
    if name == "undo":
        return [{"reply": "undo"}]
    if name in PLAIN_QUERIES:
        return [{"query": name}]
    if name in _PEOPLE:
        kind, state = _PEOPLE[name]
        line = {"query": kind, "domain": "person"}
        return [{**line, "target_area": ALL, "is": state}]
    if name.startswith("person_"):
        state = name.removeprefix("person_")
        return _asked(sentence, {"is": state} if state != "where" else {})
    if name == "timer":
        return [{"query": "timer", "target_timer": _timer(sentence, {})}]
    if name in DATED_QUERIES:
        devices = sentence.devices("calendar" if name == "events" else "weather")
        target = _one("target_device", [mark for mark, _ in devices])
        return [{"query": name, "when": when, **target}]
    if name in ITEM_QUERIES:
        devices = sentence.devices("todo")
        target = _one("target_device", [mark for mark, _ in devices])
        target = target or {"target_list": _list(sentence)}
        item = _one("item", sentence.marks("T"))
        if name != "has_item":
            return [{"query": name, **target}]
        return [{"query": name, **target, **item}] if item else []
    return []


def _one(key: str, marks: Sequence[str]) -> Line:
    return {key: marks[0]} if marks else {}


def _state(sentence: Sentence) -> Line:
    """The state that is asked for: the longest phrase for one that is said."""
    text = f" {' '.join(sentence.words)} "
    said = [(len(p), state) for p, state in _state_phrases() if f" {p} " in text]
    return {"is": max(said)[1]} if said else {}


@lru_cache(maxsize=1)
def _state_phrases() -> tuple[tuple[str, str], ...]:
    sections = load("en").of_kind("is").items()
    return tuple(
        (phrase, state)
        for state, templates in sections
        for template in templates
        for phrase in _every(template)
    )


def _every(template: str) -> list[str]:
    """All phrases of a template with alternatives."""
    found = _INNERMOST.search(template)
    if found is None:
        return [template]
    start, end = template[: found.start()], template[found.end() :]
    return [x for part in found[1].split("|") for x in _every(start + part + end)]


def _domain(words: Sequence[str]) -> tuple[int, str]:
    """(how many words, domain) of the domain that follows a device's placeholder."""
    for length in (3, 2):
        name = "_".join(words[:length])
        if len(words) >= length and name in _LONG_DOMAINS:
            return length, name
    return 1, "".join(words[:1])


_LONG_DOMAINS = frozenset(
    [*(d for d in ACTIONS if "_" in d), "binary_sensor", "device_tracker"]
)
