"""Whatever a home looks like: what its grammar lets through is a call it offers."""

from __future__ import annotations

import random
from collections.abc import Iterator

from homellm_edge.dialects import (
    ChatMLDialect,
    GroundedDialect,
    PromptOptions,
    Situation,
)
from homellm_edge.errors import CallError
from homellm_edge.grammar import home_grammar
from homellm_edge.grammar.automaton import DEAD, compile_grammar
from homellm_edge.grounding import Grounder, Grounding
from homellm_edge.home import Area, Entity, Floor, Home
from homellm_edge.services import ServiceCall, check_call
from homellm_edge.stream import Malformed, Object, StreamEvent, StreamParser

HOSTILE = (
    'say "cheese"', "back\\slash", "new\nline", "`code`", "```homeassistant", "{}[]:,",
    "<|im_end|>", "<E1>", "emoji \U0001f4a1\U0001f3e0", "\u05d0\u05d5\u05e8",
    "x" * 200, "root ::= [a-z]", '", "service": "lock.unlock', "\u0000nul", "tab\t",
    "%s {0}", "",
)  # fmt: skip
DOMAINS = {
    "light": {"supported_color_modes": ["rgb", "color_temp"], "effect_list": HOSTILE},
    "fan": {"preset_modes": list(HOSTILE), "percentage_step": 33.3},
    "cover": {"device_class": "garage"},
    "lock": {},
    "media_player": {"source_list": list(HOSTILE)},
    "climate": {"min_temp": -5, "max_temp": 12.5, "hvac_modes": ["off", "heat"],
                "fan_modes": list(HOSTILE)},
    "switch": {},
    "sensor": {"device_class": "temperature"},
}  # fmt: skip


def _home(rng: random.Random) -> Home:
    names = [rng.choice(HOSTILE) or "x" for _ in range(rng.randint(1, 30))]
    entities = []
    for number, name in enumerate(names):
        domain = rng.choice(list(DOMAINS))
        entity_id = f"{domain}.thing_{number}"
        area = rng.choice(["a0", "a1", None])
        attributes = DOMAINS[domain]
        entities.append(Entity(entity_id, name, "on", attributes, area, (name,)))
    floors = (Floor("f", HOSTILE[0]),)
    areas = (Area("a0", HOSTILE[3], "f"), Area("a1", HOSTILE[9]))
    return Home(floors, areas, tuple(entities))


def _walk(rng: random.Random, grammar: str, speech: int) -> str:
    """A random text of the grammar; it turns to the block after `speech` bytes."""
    automaton = compile_grammar(grammar)
    state, out = automaton.start, bytearray()
    while True:
        free = len(out) > speech and not out.count(b"`")
        follow = [b for b in range(256) if automaton.step(state, b) != DEAD]
        if free and ord("`") in follow:
            follow = [ord("`")]
        if automaton.accepting(state) and (not follow or out.count(b"`") >= 6):
            return out.decode()
        if not follow:
            raise AssertionError(f"no way on after {bytes(out)!r}")
        if automaton.accepting(state) and len(out) > 4000:
            return out.decode()
        # What is spoken stays short and printable, what is called is random.
        plain = [b for b in follow if 32 <= b < 127]
        choice = rng.choice(plain or follow)
        out.append(choice)
        state = automaton.step(state, choice)


def _objects(text: str) -> Iterator[StreamEvent]:
    parser = StreamParser()
    for byte in text.encode():
        yield from parser.feed(bytes([byte]))
    yield from parser.finish()


def test_the_seed_form_calls_only_what_a_hostile_home_offers() -> None:
    rng = random.Random(11)
    dialect, calls = ChatMLDialect(), 0
    for _ in range(60):
        home = _home(rng)
        grammar = home_grammar(home)
        for _ in range(2):
            text = _walk(rng, grammar, speech=3)
            situation = Situation(home, "x", Grounding("x"))
            for event in _objects(text):
                assert not isinstance(event, Malformed), text
                if isinstance(event, Object):
                    (call,) = dialect.steps(situation, event.data)  # raises if bad
                    assert isinstance(call, ServiceCall)
                    calls += 1
    assert calls > 100


def test_the_home_language_calls_only_what_a_hostile_home_offers() -> None:
    rng = random.Random(12)
    dialect, calls = GroundedDialect(), 0
    for _ in range(80):
        home = _home(rng)
        name = rng.choice(home.entities).name
        found = Grounder(home).ground(f"turn on {name} to 20 red", "a0")
        situation = Situation(home, "x", found)
        grammar = dialect.request(situation, PromptOptions()).grammar
        assert grammar is not None
        for _ in range(3):
            for event in _objects(_walk(rng, grammar, speech=0)):
                assert not isinstance(event, Malformed)
                if not isinstance(event, Object):
                    continue
                try:
                    steps = dialect.steps(situation, event.data)
                except CallError:  # a number outside the device's range
                    continue
                for step in steps:
                    if isinstance(step, ServiceCall):
                        again = check_call(home, step.service, step.targets, step.data)
                        assert again == step
                        calls += 1
    assert calls > 30
