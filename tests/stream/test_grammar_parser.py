from __future__ import annotations

import random

import pytest

from homellm_edge.errors import GrammarError
from homellm_edge.grammar import grounded_grammar, home_grammar
from homellm_edge.grammar.automaton import DEAD, Automaton, compile_grammar
from homellm_edge.stream import (
    Done,
    GrammarParser,
    Malformed,
    Object,
    ObjectStarted,
    Speech,
    StreamTags,
    TaggedGrammar,
)
from homes import sample_home
from replies import joined, parse, rest, speech

LINES = 'root ::= speech? call*\nspeech ::= [a-z]+\ncall ::= "{" [0-9]* "}\\n"\n'


def _automaton(text: str) -> Automaton:
    return compile_grammar(text, tags=StreamTags().rules)


def _parser(text: str, limit: int = 16 << 10) -> GrammarParser:
    return GrammarParser(TaggedGrammar(_automaton(text)), limit=limit)


def _texts(automaton: Automaton, rng: random.Random, count: int) -> list[bytes]:
    """Random texts of the grammar; speech turns to the block soon."""
    found = []
    while len(found) < count:
        state, out = automaton.start, bytearray()
        while len(out) < 3000:
            following = [b for b in range(256) if automaton.step(state, b) != DEAD]
            if automaton.accepting(state) and (not following or rng.random() < 0.1):
                found.append(bytes(out))
                break
            ticks = ord("`") in following and (
                out.count(b"{") > 2 or rng.random() < 0.3
            )
            plain = [b for b in following if 32 <= b < 127]
            byte = rng.choice(following if rng.random() < 0.2 else plain or following)
            out.append(ord("`") if ticks else byte)
            state = automaton.step(state, out[-1])
    return found


def _grammars() -> list[str]:
    home = sample_home()
    return [
        home_grammar(home),
        grounded_grammar(
            home, ["light.kitchen", "lock.front_door"], ["kitchen"], numbers=2, colors=1
        ),
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_what_a_grammar_allows_is_what_is_found_without_it(number: int) -> None:
    automaton = _automaton(_grammars()[number])
    grammar = TaggedGrammar(automaton)
    rng = random.Random(number)
    objects = 0
    for text in _texts(automaton, rng, 60):
        free = parse(text)
        sizes = [rng.randint(0, 9) for _ in range(len(text) // 4)]
        for cut in ([], [1] * len(text), sizes):
            found = parse(text, cut, GrammarParser(grammar))
            assert speech(found) == speech(free)
            assert [e for e in rest(found) if not isinstance(e, Object)] == rest(
                [e for e in free if not isinstance(e, Object)]
            )
            pairs = [
                [e for e in events if isinstance(e, Object)] for events in (found, free)
            ]
            assert [o.data for o in pairs[0]] == [o.data for o in pairs[1]]
            assert [(o.kind, o.text, o.position) for o in pairs[0]] == [
                (o.kind, o.text, o.position) for o in pairs[1]
            ]
            assert all(o.validated for o in pairs[0])
            objects += len(pairs[0])
    assert objects > 60


@pytest.mark.parametrize("number", [0, 1])
def test_a_changed_byte_ends_the_events_where_the_grammar_refuses_it(
    number: int,
) -> None:
    automaton = _automaton(_grammars()[number])
    grammar = TaggedGrammar(automaton)
    rng = random.Random(number)
    refused = 0
    for text in _texts(automaton, rng, 60):
        data = bytearray(text)
        data[rng.randrange(len(data))] = rng.randrange(256)
        state, good = automaton.start, 0
        while good < len(data) and (state := automaton.step(state, data[good])) != DEAD:
            good += 1
        events = parse(bytes(data), (), GrammarParser(grammar))
        for size in (1, 7):
            cut = parse(bytes(data), [size] * len(data), GrammarParser(grammar))
            assert cut == events
        if good < len(data):
            refused += 1
            found, done = events[-2:]
            assert isinstance(found, Malformed)
            assert found.position == good
            assert done == Done(len(data), False)
        assert sum(isinstance(e, Malformed) for e in events) == (good < len(data))
    assert refused > 20


def test_neighbours_are_told_apart() -> None:
    text = b"ab{1}\n{}\n{22}\n"
    for cut in ([], [1] * len(text)):
        assert parse(text, cut, _parser(LINES)) == [
            Speech("ab"),
            ObjectStarted(2),
            Object("call", "{1}", 2, True),
            ObjectStarted(6),
            Object("call", "{}", 6, True),
            ObjectStarted(9),
            Object("call", "{22}", 9, True),
            Done(14, True),
        ]


def test_a_call_is_known_with_the_byte_that_its_rule_ends_with() -> None:
    parser = _parser(LINES)
    assert parser.feed(b"{1}") == [ObjectStarted(0)]
    assert parser.feed(b"\n") == [Object("call", "{1}", 0, True)]


def test_a_call_that_could_go_on_waits_for_what_follows() -> None:
    parser = _parser('root ::= call (";" call)*\ncall ::= [0-9]+')
    assert parser.feed(b"12") == [ObjectStarted(0)]
    assert parser.feed(b";3") == [Object("call", "12", 0, True), ObjectStarted(3)]
    assert parser.finish() == [Object("call", "3", 3, True), Done(4, True)]


def test_what_could_be_several_things_is_the_lowest() -> None:
    text = 'root ::= call | query | speech\ncall ::= "ab"\nquery ::= "ab"\n'
    events = parse(b"ab", [1], _parser(text + 'speech ::= "a" [cd]'))
    assert events == [ObjectStarted(0), Object("call", "ab", 0, True), Done(2, True)]
    parser = _parser(text + 'speech ::= "a" [cd]')
    assert parser.feed(b"a") == []
    assert joined(parser.feed(b"d") + parser.finish()) == [Speech("ad"), Done(2, True)]


def test_what_is_cut_off_is_not_complete() -> None:
    assert parse(b"a{1", (), _parser(LINES))[1:] == [
        ObjectStarted(1),
        Malformed("{1", "unfinished", 1),
        Done(3, False),
    ]


def test_an_endless_call_is_given_up() -> None:
    text = b"{" + b"1" * 50 + b"}\n{}\n"
    for limit in (51, 20):
        for size in (1, 8, 100):
            events = parse(text, [size] * len(text), _parser(LINES, limit))
            assert events == [
                ObjectStarted(0),
                Malformed(text[:limit].decode(), f"longer than {limit} bytes", 0),
                ObjectStarted(53),
                Object("call", "{}", 53, True),
                Done(56, True),
            ]


def test_rules_have_other_names() -> None:
    rules = StreamTags(speech="words", call="order").rules
    assert rules == {"words": 1, "order": 2, "query": 3, "reply": 4}
    grammar = 'root ::= words order\nwords ::= [a-z]+\norder ::= "!"'
    found = TaggedGrammar(compile_grammar(grammar, tags=rules))
    events = parse(b"go!", (), GrammarParser(found))
    assert events[0] == Speech("go")
    assert events[2] == Object("call", "!", 2, True)
    assert found.memory > 0


def test_a_tagged_rule_inside_of_another_is_an_error() -> None:
    parser = _parser('root ::= call\ncall ::= "a" query "b"\nquery ::= "c"')
    with pytest.raises(ValueError, match="inside of another"):
        parser.feed(b"acb")


def test_the_limits_of_the_grammar_hold() -> None:
    text = 'root ::= call\ncall ::= "(" call2 ")"\ncall2 ::= "a" | "(" call2 ")"'
    automaton = compile_grammar(text, tags={"call": 2}, memory=40_000)
    with pytest.raises(GrammarError, match="memory"):
        GrammarParser(TaggedGrammar(automaton)).feed(b"(" * 10_000)


def test_a_grammar_that_matches_nothing() -> None:
    automaton = _automaton('root ::= "a" root')
    assert parse(b"b", (), GrammarParser(TaggedGrammar(automaton)))[-1] == Done(
        1, False
    )


def test_speech_waits_only_while_it_could_become_a_block() -> None:
    automaton = compile_grammar(
        "root ::= speech block?\n"
        r'speech ::= ([^`] | "`" [^`] | "``" [^`])*'
        "\n"
        r'block ::= "```" call "```"'
        "\n"
        'call ::= "{}"\n',
        tags=StreamTags().rules,
    )
    parser = GrammarParser(TaggedGrammar(automaton))
    said = [speech(parser.feed(bytes([byte]))) for byte in b"a`b``c"]
    assert said == ["a", "", "`b", "", "", "``c"]
    events = parser.feed(b"``") + parser.feed(b"`{}`")
    assert [type(event) for event in events] == [ObjectStarted, Object]
