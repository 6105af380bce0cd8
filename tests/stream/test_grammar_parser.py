"""Output under a grammar: the same events, known by the automaton's transitions."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homellm_edge.dialects import DIALECTS, PromptOptions, Situation
from homellm_edge.grammar import home_grammar
from homellm_edge.grammar.automaton import Automaton, compile_grammar
from homellm_edge.grammar.shipped import shipped_grammar
from homellm_edge.grounding import Grounder
from homellm_edge.stream import (
    Done,
    GrammarParser,
    Malformed,
    Object,
    ObjectStarted,
    Speech,
    StreamEvent,
    StreamParser,
    StreamTags,
    TaggedGrammar,
)
from homes import sample_home
from walk import walk

TEXT = bytes(range(32, 127)) + b"\n"


def grammars() -> dict[str, str]:
    home = sample_home()
    found = Grounder(home).ground("dim the kitchen light to 30 %", None, ())
    situation = Situation(home=home, sentence="", grounding=found)
    return {
        "home": home_grammar(home),
        "generic": shipped_grammar("generic"),
        "grounded": DIALECTS["grounded"].request(situation, PromptOptions()).grammar
        or "",
    }


def tagged(text: str) -> tuple[Automaton, TaggedGrammar]:
    automaton = compile_grammar(text, tags=StreamTags().rules)
    return automaton, TaggedGrammar(automaton)


def fed(
    parser: GrammarParser | StreamParser, data: bytes, sizes: list[int] | None = None
) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    at = 0
    for size in sizes or []:
        events += parser.feed(data[at : at + size])
        at += size
    return events + parser.feed(data[at:]) + parser.finish()


def joined(events: list[StreamEvent]) -> list[object]:
    """Without how speech was cut, and who vouches for an object."""
    speech = "".join(e.text for e in events if isinstance(e, Speech))
    others: list[object] = [
        (e.kind, e.data, e.position) if isinstance(e, Object) else e
        for e in events
        if not isinstance(e, Speech)
    ]
    return [speech, *others]


@pytest.mark.parametrize("name", ["home", "generic", "grounded"])
def test_both_parsers_find_the_same_in_what_the_grammar_makes(name: str) -> None:
    automaton, grammar = tagged(grammars()[name])
    rng = random.Random(name)
    objects = 0
    for _ in range(120):
        text = walk(automaton, rng, alphabet=TEXT, prefer=b"`\n}", longest=900)
        if not automaton.match(text.encode()) or "\\u" in text:
            continue  # the escape of half a character is no text
        if "<" in text and name != "grounded":
            continue  # may open a block of tool calls, without a grammar
        sizes = [rng.randint(1, 9) for _ in range(len(text))]
        events = fed(GrammarParser(grammar), text.encode(), sizes)
        assert joined(events) == joined(fed(StreamParser(), text.encode()))
        found = [e for e in events if isinstance(e, Object)]
        assert all(e.validated for e in found)
        objects += len(found)
    assert objects > 20


def test_a_call_is_known_with_the_byte_that_completes_it() -> None:
    _, grammar = tagged(grammars()["home"])
    text = 'Ok.```homeassistant\n{ "service": "light.turn_off", "target_device": '
    text += '"light.kitchen" }'
    parser = GrammarParser(grammar)
    events = [e for byte in text[:-1] for e in parser.feed(byte.encode())]
    assert [type(e) for e in events] == [Speech, Speech, Speech, ObjectStarted]
    (call,) = parser.feed(b"}")
    assert call == Object("call", text[20:], 20, validated=True)
    assert call.data["target_device"] == "light.kitchen"
    assert parser.finish() == [Done(len(text), False)]


def test_the_first_byte_that_is_refused_ends_it() -> None:
    _, grammar = tagged(grammars()["home"])
    text = b'Ok.```homeassistant\n{ "service": "light.turn_off", "target_device": '
    text += b'"light.cellar" } and so on'
    events = fed(GrammarParser(grammar), text)
    assert events[-1] == Done(len(text), False)
    fault = events[-2]
    assert isinstance(fault, Malformed)
    assert fault.reason == "the grammar does not allow this byte"
    assert text[: fault.position].endswith(b'"light.c')
    assert not any(isinstance(e, Object) for e in events)


def test_speech_waits_only_while_it_could_become_a_block() -> None:
    _, grammar = tagged(
        "root ::= speech block?\n"
        r'speech ::= ([^`] | "`" [^`] | "``" [^`])*'
        "\n"
        r'block ::= "```" call "```"'
        "\n"
        'call ::= "{}"\n'
    )
    parser = GrammarParser(grammar)
    said = ["".join(e.text for e in parser.feed(bytes([b]))) for b in b"a`b``c"]
    assert said == ["a", "", "`b", "", "", "``c"]
    assert joined(parser.feed(b"``") + parser.feed(b"`{}`")) == [
        "", ObjectStarted(9), ("call", {}, 9),
    ]  # fmt: skip


def test_many_parsers_share_a_grammar_and_tags_do_not_nest() -> None:
    _, grammar = tagged(grammars()["grounded"])
    text = b'```homeassistant\n{"reply": "hello"}\n```'
    one, other = GrammarParser(grammar), GrammarParser(grammar)
    first = one.feed(text[:25])
    second = other.feed(text)
    assert first + one.feed(text[25:]) == second
    assert grammar.memory > 0
    with pytest.raises(ValueError, match="inside of another"):
        fed(
            GrammarParser(
                tagged('root ::= call\ncall ::= "(" query ")"\nquery ::= "q"\n')[1]
            ),
            b"(q)",
        )


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_output_never_gives_a_call_that_the_grammar_does_not_have(
    data: st.DataObject,
) -> None:
    automaton, grammar = tagged(grammars()["home"])
    rng = data.draw(st.randoms(use_true_random=False))
    text = bytearray(
        walk(automaton, rng, alphabet=TEXT, prefer=b"`\n}", longest=500).encode()
    )
    for _ in range(data.draw(st.integers(0, 3))):
        at = rng.randrange(len(text) + 1)
        text[at : at + rng.randint(0, 3)] = rng.choice(
            [b"", b"`", b"}", b"\xff", b'"', b"```", b"light.x"]
        )
    sizes = data.draw(st.lists(st.integers(0, 9), max_size=60))
    whole = fed(GrammarParser(grammar), bytes(text))
    assert joined(whole) == joined(fed(GrammarParser(grammar), bytes(text), sizes))
    for event in whole:
        if isinstance(event, Object):
            end = event.position + len(event.text.encode())
            assert automaton.feed(automaton.start, bytes(text[:end])) >= 0
    refused = any(isinstance(e, Malformed) for e in whole)
    assert whole[-1].complete == (automaton.match(bytes(text)) and not refused)
