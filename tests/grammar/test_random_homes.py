"""Whatever a home looks like: what its grammar lets through is a call it offers.

HOMELLM_EDGE_HOMES sets the number of homes.
"""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from homellm_edge.dialects import (
    ChatMLDialect,
    GroundedDialect,
    PromptOptions,
    Situation,
)
from homellm_edge.errors import CallError
from homellm_edge.grammar import home_grammar
from homellm_edge.grammar.automaton import DEAD, Automaton, compile_grammar
from homellm_edge.grammar.parser import MAX_TEXT
from homellm_edge.grammar.tokens import Masks, TokenTrie
from homellm_edge.grounding import Grounder, Grounding
from homellm_edge.home import Home
from homellm_edge.services import ServiceCall, check_call
from homellm_edge.stream import Malformed, Object, StreamEvent, StreamParser
from random_homes import HOSTILE, random_home

HOMES = int(os.environ.get("HOMELLM_EDGE_HOMES", "1000"))
LARGEST = 200
OPENED = 'Ok.```homeassistant\n{ "service": "'
BYTES = TokenTrie([bytes([value]) for value in range(256)])
PIECES = TokenTrie(
    [
        *(bytes([value]) for value in range(256)),
        *(
            text.encode()
            for text in (
                'light", "target_', '", "target_', 'device": "', 'area": "', "device",
                '": ', '", "', '", "brightness": ', "turn_on", "thing_1", " }\n{ ",
                "```", ' }\n```', "light.", "switch.turn_off", "00", "10", "0.", '["',
            )
        ),
    ]
)  # fmt: skip


class _Walker:
    """Random texts of a grammar, a token at a time by the masks of a vocabulary."""

    def __init__(self, automaton: Automaton, trie: TokenTrie) -> None:
        self._automaton = automaton
        self._trie = trie
        self._masks = Masks(automaton, trie)

    def text(self, rng: random.Random, start: str, longest: int = 3000) -> str | None:
        """A text that begins so, None if it became too long to end."""
        out = bytearray(start.encode())
        state = self._automaton.feed(self._automaton.start, bytes(out))
        while len(out) < longest:
            follow = self._follow(state)
            accepting = self._automaton.accepting(state)
            if accepting and (not follow or rng.random() < 0.2):
                return out.decode()
            assert follow, f"no way on after {bytes(out)!r}"
            token = rng.choice(follow)
            out += self._trie.piece(token)
            state = self._masks.next_state(state, token)
        return None

    def _follow(self, state: int) -> list[int]:
        listed = self._masks.allowed(state)
        if listed is not None:
            return list(listed)
        mask = int.from_bytes(self._masks.mask(state), "little")
        return [t for t in range(self._trie.tokens) if mask >> t & 1]


def _objects(text: str, cut: int = 1) -> Iterator[StreamEvent]:
    parser, data = StreamParser(), text.encode()
    for at in range(0, len(data), cut):
        yield from parser.feed(data[at : at + cut])
    yield from parser.finish()


def _opens(home: Home, service: str, target: str) -> bool:
    """Whether this may only be done to one device: said anew, not by services.py."""
    entity = home.entity(target)
    assert entity is not None
    domain, _, verb = service.partition(".")
    if domain == "cover" and entity.attributes.get("device_class") in (
        "garage", "door", "gate",
    ):  # fmt: skip
        return verb in ("open_cover", "toggle", "set_cover_position")
    return domain == "automation" or service in (
        "lock.unlock", "lock.open", "script.turn_on",
        "alarm_control_panel.alarm_disarm", "alarm_control_panel.alarm_trigger",
    )  # fmt: skip


_LISTS = {
    "source": "source_list",
    "effect": "effect_list",
    "preset_mode": "preset_modes",
}
_RANGES = {
    "temperature": ("min_temp", "max_temp"),
    "target_temp_low": ("min_temp", "max_temp"),
    "target_temp_high": ("min_temp", "max_temp"),
    "color_temp_kelvin": ("min_color_temp_kelvin", "max_color_temp_kelvin"),
}


def _check(home: Home, call: ServiceCall, data: Mapping[str, Any]) -> None:
    """That a call holds to the home, by what the home itself reports."""
    assert check_call(home, call.service, call.targets, call.data) == call
    single = isinstance(data.get("target_device"), str)
    for target in call.targets:
        entity = home.entity(target)
        assert entity is not None
        assert entity.domain == call.domain
        assert single or not _opens(home, call.service, target)
        if "target_area" in data:
            assert entity in home.members(data["target_area"])
        for name, value in call.data.items():
            if name in _RANGES:
                low, high = (entity.attributes.get(k) for k in _RANGES[name])
                assert not _finite(low) or value >= low
                assert not _finite(high) or value <= high
            elif name in _LISTS:
                listed = entity.attributes[_LISTS[name]]
                values = listed.values() if isinstance(listed, dict) else listed
                assert value in [str(v) for v in values]
            elif name == "brightness_pct":
                assert 0 <= value <= 100


def _finite(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _homes(seed: int) -> Iterator[tuple[random.Random, Home]]:
    for number in range(HOMES):
        rng = random.Random(f"{seed} {number}")
        yield rng, random_home(rng, LARGEST)


def test_the_seed_form_calls_only_what_a_hostile_home_offers() -> None:
    dialect, calls, silent = ChatMLDialect(), 0, 0
    for rng, home in _homes(11):
        situation = Situation(home, "x", Grounding("x"))
        grammar = dialect.request(situation, PromptOptions()).grammar
        assert grammar is not None
        automaton = compile_grammar(grammar)
        if automaton.feed(automaton.start, OPENED.encode()) == DEAD:
            silent += 1  # a home in which nothing can be done
            continue
        for trie in (BYTES, PIECES):
            walker = _Walker(automaton, trie)
            for start in (OPENED, OPENED, "H"):
                text = walker.text(rng, start, 3000 if start == OPENED else 60)
                for event in _objects(text or "", rng.choice([1, 7, 4000])):
                    assert not isinstance(event, Malformed), text
                    if not isinstance(event, Object):
                        continue
                    for step in dialect.steps(situation, event.data):  # raises if bad
                        assert isinstance(step, ServiceCall)
                        _check(home, step, event.data)
                        calls += 1
    assert calls > 3 * HOMES
    assert silent < HOMES / 4


def test_what_is_refused_cannot_be_written() -> None:
    dialect, refused, taken = ChatMLDialect(), 0, 0
    for rng, home in _homes(13):
        if rng.random() < 0.8:
            continue
        situation = Situation(home, "x", Grounding("x"))
        automaton = compile_grammar(
            dialect.request(situation, PromptOptions()).grammar or ""
        )
        if automaton.feed(automaton.start, OPENED.encode()) == DEAD:
            continue
        walker = _Walker(automaton, BYTES)
        derived = [
            dict(event.data)
            for _ in range(6)
            for event in _objects(walker.text(rng, OPENED) or "", 4000)
            if isinstance(event, Object)
        ]
        for _ in range(60):
            call = _changed(rng, home, rng.choice(derived), rng.choice(derived))
            inside = json.dumps(call, ensure_ascii=False)[1:-1]
            text = f"Ok.```homeassistant\n{{ {inside} }}\n```"
            try:
                written = automaton.match(text.encode())
            except UnicodeEncodeError:
                continue
            try:
                dialect.steps(situation, call)
            except CallError:
                refused += 1
                assert not written, text
            else:
                taken += written
    assert refused > 3 * HOMES
    assert taken > HOMES / 3


def _changed(
    rng: random.Random, home: Home, call: dict[str, Any], other: dict[str, Any]
) -> dict[str, Any]:
    """One or two changes of a call: another's parts, odd values, something missing."""
    changed = dict(call)
    values = [-1, 0, 0.5, 21.3, 101, 1e9, True, None, "", "x", [1, 2, 3], *HOSTILE]
    for _ in range(rng.randint(1, 2)):
        key = rng.choice([*changed, *other])
        kind = rng.randint(0, 4)
        if kind == 0 and key in other:
            changed[key] = other[key]
        elif kind == 1 and key not in ("service", "target_device"):
            changed[key] = rng.choice(values)
        elif kind == 2:
            changed.pop(key, None)
        elif kind == 3 and "target_device" in changed:
            changed["target_device"] = rng.choice(home.entities).entity_id
        elif "target_device" in changed:
            ids = [e.entity_id for e in rng.choices(home.entities, k=rng.randint(1, 9))]
            changed["target_device"] = ids
    order = ["service", "target_device", "target_area", *call, *other]
    return {key: changed[key] for key in dict.fromkeys(order) if key in changed}


def test_the_home_language_calls_only_what_a_hostile_home_offers() -> None:
    dialect, calls = GroundedDialect(), 0
    for rng, home in _homes(12):
        name = rng.choice(home.entities).name.replace("\ud800", "")
        found = Grounder(home).ground(f"turn on {name[:300]} to 20 red", "a0")
        situation = Situation(home, "x", found)
        grammar = dialect.request(situation, PromptOptions()).grammar
        assert grammar is not None
        walker = _Walker(compile_grammar(grammar), BYTES)
        for _ in range(3):
            for event in _objects(walker.text(rng, "") or "", 4000):
                assert not isinstance(event, Malformed)
                if not isinstance(event, Object):
                    continue
                try:
                    steps = dialect.steps(situation, event.data)
                except CallError:  # a number outside the device's range
                    continue
                for step in steps:
                    if isinstance(step, ServiceCall) and not step.targets:
                        # what the assistant does itself
                        assert step.domain in ("timer", "shopping_list")
                    elif isinstance(step, ServiceCall):
                        again = check_call(home, step.service, step.targets, step.data)
                        assert again == step
                        calls += 1
    assert calls > HOMES / 4


@pytest.mark.parametrize("count", [1, 200, 1000])
def test_hostile_homes_make_grammars_of_bounded_size(count: int) -> None:
    home = random_home(random.Random(count), count=count)
    assert len(home_grammar(home).encode()) < MAX_TEXT
