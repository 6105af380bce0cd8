"""Made-up grammars, programs and limits: right answers or our own errors."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from damage import damaged, edges
from fuzzing import END, INPUTS, PIECES, check_refusal, exercise, failure, fuzzed
from homellm_edge._gbnf import (
    BYTES,
    CALL,
    DEAD,
    JUMP,
    NOT_TOKEN,
    RETURN,
    SPLIT,
    TOKEN,
    Automaton,
    Masks,
    TokenTrie,
)
from homellm_edge.errors import GrammarError
from homellm_edge.grammar.automaton import Compiler, compile_grammar

ATOMS = st.sampled_from(
    ['"a"', '"é"', '"("', '")"', "[a-b]", "[^a]", ".", '""', "[]", "x", "y", "root"]
)
REPEATS = st.sampled_from(["", "", "?", "*", "+", "{2}", "{0,3}", "{1,}", "{0,40}"])


def _options(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(st.tuples(inner, REPEATS).map("".join), min_size=0, max_size=3)
    options = st.lists(parts.map(" ".join), min_size=1, max_size=3).map(" | ".join)
    return options.map("({})".format)


BODIES = st.recursive(ATOMS, _options, max_leaves=6)
GRAMMARS = st.tuples(BODIES, BODIES, BODIES).map(
    lambda bodies: "root ::= {} x?\nx ::= {}\ny ::= {}\n".format(*bodies)
)
TAGS = st.dictionaries(st.sampled_from(["x", "y", "root"]), st.integers(1, 31))


@fuzzed(120)
@given(
    st.one_of(
        st.text(),
        st.text().map("root ::= {}".format),
        st.randoms(use_true_random=False).map(damaged),
        st.tuples(GRAMMARS, st.integers(0, 99), st.characters()).map(
            lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
        ),
    ),
    TAGS,
    INPUTS,
)
@example('root ::= "\ud800"', {}, b"")
@example("root ::= " + "(" * 10_000, {}, b"")
@example("root ::= " + '"a"{0,2000}' * 300, {}, b"a" * 40)
def test_any_text_is_a_bounded_automaton_or_a_grammar_error(
    text: str, tags: dict[str, int], data: bytes
) -> None:
    try:
        automaton = compile_grammar(text, tags=tags, memory=1 << 20, work=2000)
        automaton.match(data)
    except GrammarError as err:
        check_refusal(err)
        return
    assert automaton.memory <= 1 << 20


@fuzzed(60)
@given(st.lists(st.sampled_from(edges()), min_size=1, max_size=4), st.data())
def test_a_compiler_that_forgets_all_the_time(
    texts: list[str], data: st.DataObject
) -> None:
    compiler = Compiler(kept=data.draw(st.sampled_from([0, 500, 5000])))
    for text in texts:
        verdicts = []
        for make in (compiler.compile, compile_grammar):
            try:
                verdicts.append(make(text, work=2000).start)
            except GrammarError as err:
                verdicts.append(str(err))
        assert verdicts[0] == verdicts[1]


# -- limits


@pytest.fixture(scope="module")
def trie() -> TokenTrie:
    return TokenTrie(PIECES, None, [END])


@fuzzed(150)
@given(GRAMMARS, TAGS, INPUTS, st.integers(0, 40_000), st.integers(-1, 300))
def test_within_limits_the_answers_are_those_without(
    trie: TokenTrie,
    text: str,
    tags: dict[str, int],
    data: bytes,
    memory: int,
    work: int,
) -> None:
    try:
        free = compile_grammar(text, tags=tags, work=5000)
        wanted = answers(free, trie, data)
    except GrammarError:
        return  # left recursion, or too ambiguous for any limit
    limits = [(memory, 5000), (1 << 20, work), (memory % (free.memory + 1), 5000)]
    for limit, most in limits:
        try:
            tight = compile_grammar(text, tags=tags, memory=limit, work=most)
        except GrammarError as err:
            check_refusal(err)
            continue
        # what failed once may be asked again
        for _ in range(2):
            for found, right in zip(answers(tight, trie, data), wanted, strict=True):
                assert found in (right, None)
            assert tight.memory <= limit
        exercise(Masks(tight, trie, limit=limit % 5000), data)
        assert tight.memory <= limit


def answers(
    automaton: Automaton, trie: TokenTrie, data: bytes
) -> list[tuple[object, ...] | None]:
    """What is known after each prefix; None where a limit was reached."""
    found: list[tuple[object, ...] | None] = []
    masks = Masks(automaton, trie, limit=2000)
    for end in range(len(data) + 1):
        try:
            state = automaton.feed(automaton.start, data[:end])
            found.append(
                (
                    state == DEAD,
                    automaton.accepting(state),
                    automaton.final(state),
                    automaton.tags(state),
                    masks.mask(state),
                    masks.forced(state, 20),
                    masks.settled(state, data[:end]),
                )
            )
        except GrammarError:
            found.append(None)
    return found


# -- programs


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[int], dict[int, int]]:
    """Instructions that lead somewhere inside, mostly, and tags of calls."""
    count = draw(st.integers(1, 14))
    place = st.integers(0, count)
    numbers: list[int] = []
    for _ in range(count):
        op = draw(st.sampled_from([BYTES] * 4 + [CALL, RETURN, SPLIT, JUMP, TOKEN,
                                                 NOT_TOKEN]))  # fmt: skip
        if op == BYTES:
            byte = st.sampled_from(b"a()b\xc3\xa9\0\xff")
            numbers += [op, draw(byte), draw(byte)]
        elif op in (TOKEN, NOT_TOKEN):
            numbers += [op, draw(st.sampled_from([0, 4, END, 99, 2**31 - 1])), 0]
        else:
            numbers += [op, draw(place), draw(place | st.just(-1))]
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(numbers) - 1))
        numbers[at] = draw(st.integers(-(2**31), 2**31 - 1))
    tags = draw(st.dictionaries(place, st.integers(1, 31), max_size=3))
    return [*numbers, RETURN, 0, 0], tags


@fuzzed(250)
@given(programs(), INPUTS)
def test_any_program_is_run_as_it_says_or_refused(
    trie: TokenTrie, made: tuple[list[int], dict[int, int]], data: bytes
) -> None:
    program, tags = made
    try:
        automaton = Automaton(
            array("i", program), failure, limit=100_000, work=300, tags=tags
        )
    except ValueError as err:
        check_refusal(err, "not valid")
        return
    for end in range(len(data) + 1):
        wanted = simulated(program, data[:end])
        if wanted is None:
            break
        try:
            state = automaton.feed(automaton.start, data[:end])
        except GrammarError:
            break
        assert (state != DEAD, automaton.accepting(state)) == wanted
    exercise(Masks(automaton, trie), data)


def simulated(program: Sequence[int], data: bytes) -> tuple[bool, bool] | None:
    """Whether anything is left after the bytes and may end; None: too costly to say."""
    steps = [*zip(program[::3], program[1::3], program[2::3], strict=True)]
    configurations: set[tuple[int, tuple[int, ...]]] = {(0, ())}
    for byte in (*data, None):
        waiting, seen, ended = list(configurations), set(configurations), False
        configurations = set()
        while waiting:
            at, stack = waiting.pop()
            op, a, b = steps[at]
            following: list[tuple[int, tuple[int, ...]]] = []
            if op == BYTES and byte is not None and a <= byte <= b:
                configurations.add((at + 1, stack))
            elif byte is None and (a <= b if op == BYTES else op in (TOKEN, NOT_TOKEN)):
                configurations.add((at, stack))
            elif op == RETURN and stack:
                following = [(stack[-1], stack[:-1])]
            elif op == RETURN:
                ended = True
            elif op == SPLIT:
                following = [(a, stack), (b, stack)]
            elif op == JUMP:
                following = [(a, stack)]
            elif op == CALL:
                following = [(a, stack if b < 0 else (*stack, b))]
            new = [one for one in following if one not in seen]
            seen.update(new)
            waiting += new
            if len(seen) > 400:
                return None
    return bool(configurations) or ended, ended


def test_an_automaton_without_room_for_its_program_says_so() -> None:
    for memory in range(0, 400, 8):
        with pytest.raises(GrammarError, match="more memory"):
            compile_grammar('root ::= "abc"', memory=memory)


def test_nothing_is_settled_beyond_the_text() -> None:
    automaton = compile_grammar("root ::= .*")
    masks = Masks(automaton, TokenTrie([b"", b"\xff"]))
    assert masks.settled(automaton.start, b"abc") == 3


def test_inputs_reach_what_they_are_for() -> None:
    rng = random.Random(1)
    assert sum("root" in damaged(rng) for _ in range(50)) > 20
    assert simulated([BYTES, 97, 97, RETURN, 0, 0], b"a") == (True, True)
    assert simulated([CALL, 0, 1, RETURN, 0, 0], b"") is None
