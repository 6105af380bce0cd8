"""A compiler that remembers rules makes what a fresh one makes."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damage import BASES, PIECES, damaged
from homellm_edge._assembler import Routine, link
from homellm_edge._gbnf import BYTES, CALL, NOT_TOKEN, RETURN, TOKEN
from homellm_edge.errors import GrammarError
from homellm_edge.grammar import automaton, grounded_grammar, home_grammar
from homellm_edge.grammar.automaton import (
    DEAD,
    Automaton,
    Compiler,
    compile_grammar,
)
from homellm_edge.grammar.parser import parse
from homellm_edge.home import home_from_dict
from homes import DATA

HOME = home_from_dict(DATA)
SOURCES = [
    home_grammar(HOME),
    grounded_grammar(HOME, [HOME.entities[0].entity_id], ["kitchen"], numbers=1),
    *BASES,
]


def _edited(rng: random.Random, text: str) -> str:
    """The text with lines moved, doubled, taken out, changed, joined or brought in."""
    lines = text.split("\n")
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(len(lines))
        kind = rng.randint(0, 7)
        if kind == 0:
            lines.insert(rng.randrange(len(lines)), lines.pop(at))
        elif kind == 1:
            lines.insert(rng.randrange(len(lines)), lines[at])
        elif kind == 2 and len(lines) > 1:
            del lines[at]
        elif kind == 3:
            lines[at] += rng.choice(["\r", "|", " # note", "(", ' "x"', "\r\r", '"'])
        elif kind == 4:
            lines.insert(at, rng.choice(["", "  ", "# note", "\r", "| root", '"']))
        elif kind == 5:
            lines.insert(at, rng.choice(rng.choice(SOURCES).split("\n")))
        elif kind == 6:
            lines[at : at + 2] = ["\r".join(lines[at : at + 2])]
        else:
            place = rng.randint(0, len(lines[at]))
            put = rng.choice(PIECES)
            lines[at] = lines[at][:place] + put + lines[at][place:]
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(6))
def test_edited_grammars_are_compiled_as_by_a_fresh_compiler(seed: int) -> None:
    rng = random.Random(seed)
    compiler = Compiler(kept=rng.choice([0, 300_000, automaton.KEPT]))
    taken = refused = 0
    text = SOURCES[seed % len(SOURCES)]
    for _ in range(120):
        if rng.random() < 0.2:
            text = rng.choice(SOURCES)
        edited = _edited(rng, text)
        found = _result(compiler.compile, edited)
        wanted = _result(compile_grammar, edited)
        if isinstance(wanted, str):
            assert found == wanted, edited
            refused += 1
            continue
        assert isinstance(found, Automaton), (found, edited)
        assert _same(found, wanted), edited
        taken += 1
        text = edited
    assert min(taken, refused) > 15


def _result(make: Callable[..., Automaton], text: str) -> Automaton | str:
    try:
        return make(text, work=2000)
    except GrammarError as err:
        return str(err)


def _same(left: Automaton, right: Automaton, pairs: int = 60) -> bool:
    """Whether they agree on all texts that go through the first pairs of states."""
    seen = {(left.start, right.start)}
    todo = [*seen]
    while todo and len(seen) < pairs:
        one, other = todo.pop()
        if left.accepting(one) != right.accepting(other):
            return False
        for byte in range(256):
            try:
                pair = left.step(one, byte), right.step(other, byte)
            except GrammarError:
                return True  # too costly to go on
            if (pair[0] == DEAD) != (pair[1] == DEAD):
                return False
            if pair[0] != DEAD and pair not in seen:
                seen.add(pair)
                todo.append(pair)
    return True


@pytest.mark.parametrize("seed", range(4))
def test_the_verdict_is_that_of_the_checks_on_the_whole_text(seed: int) -> None:
    rng = random.Random(seed)
    compiler = Compiler()
    kinds = {"taken": 0, "by way of": 0, "left-recursive": 0, "no rule": 0, "other": 0}
    for n in range(1500):
        text = _tangled(rng) if n % 2 else damaged(rng)
        found = _refusal(lambda text=text: compiler.program(text))
        if "token terminal means" in found:
            continue
        assert found == _refusal(lambda text=text: parse(text)), text
        named = next((k for k in kinds if found and k in found), "other")
        kinds[named if found else "taken"] += 1
    assert min(kinds.values()) > 8


def _refusal(ask: Callable[[], object]) -> str:
    try:
        ask()
    except GrammarError as err:
        return str(err)
    return ""


def _tangled(rng: random.Random) -> str:
    """Rules that call each other, mostly at their beginning, and are often empty."""
    names = [f"r{n}" for n in range(rng.randint(1, 5))]

    def item(depth: int) -> str:
        kind = rng.randint(0, 9)
        repeat = rng.choice(["", "", "", "", "", "*", "?", "+", "{2}", "{1,3}"])
        if kind < 3:
            return rng.choice(names) + repeat
        if kind < 6:
            return "e" + repeat
        if kind < 8 or depth == 0:
            return rng.choice(['"a"', '("c" | "d")', ".", '""', '("b" | "")', "[]"])
        return f"({options(depth - 1)}){repeat}"

    def options(depth: int) -> str:
        return " | ".join(
            " ".join(item(depth) for _ in range(rng.choice([0, 1, 2, 2, 3])))
            for _ in range(rng.choice([1, 1, 2]))
        )

    def rule(name: str) -> str:
        first = '"x" ' if rng.random() < 0.6 else ""
        return f"{name} ::= {first}{options(2)}"

    known = rng.sample(names, rng.choice([len(names)] * 5 + [len(names) - 1]))
    empty = ["e ::= f", "f ::= g?", 'g ::= "y" | "z"']
    return "\n".join([f'root ::= {options(1)} "z" r0', *map(rule, known), *empty, ""])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(st.sampled_from('ab"()|[]\\{}1,*?\r\n #:=<!>.^-é'), max_size=12))
)
def test_any_text_is_compiled_or_refused(parts: list[str]) -> None:
    compiler = Compiler()
    for text in (*parts, "\n".join(f"root ::= {part}" for part in parts)):
        found = _result(compiler.compile, text)
        assert isinstance(found, str) == isinstance(_result(compile_grammar, text), str)


def test_what_is_remembered_is_only_a_whole_rule() -> None:
    compiler = Compiler()
    assert compiler.compile('x ::= "b"\nroot ::=').match(b"")
    assert compiler.compile('root ::=\n"c"').match(b"c")
    with pytest.raises(GrammarError, match="::="):
        compiler.compile('root ::=\ny ::= "c"\n')
    assert compiler.compile('root ::= ("a" |\n "b")\n').match(b"b")
    assert compiler.compile('root ::= ("a" |\n "b")+\n').match(b"bb")
    assert compiler.compile('root ::= ("a" |\n "c")\n').match(b"c")
    assert compiler.compile('root ::= ("a" |\n "b")').match(b"b")
    with pytest.raises(GrammarError) as caught:
        compiler.compile('# note\nroot ::= ("a" |\n "b") )')
    assert (caught.value.line, caught.value.column) == (3, 7)
    assert compiler.compile('y ::= "b"\rroot ::= y').match(b"b")
    assert compiler.compile('y ::= "c"\r\nroot ::= y\r\n').match(b"c")


def test_the_place_of_an_error_is_that_in_the_whole_text() -> None:
    compiler = Compiler()
    compiler.compile('x ::= y\ny ::= "a"\nroot ::= x\n')
    with pytest.raises(GrammarError, match="no rule 'y'") as caught:
        compiler.compile("root ::= x\n\n\nx ::= y\n")
    assert (caught.value.line, caught.value.column) == (4, 7)
    with pytest.raises(GrammarError, match="token terminal") as caught:
        compiler.compile('z ::= "a"\nroot ::= <[1]>\n')
    assert (caught.value.line, caught.value.column) == (2, 10)
    with pytest.raises(GrammarError, match="token terminal") as caught:
        compiler.compile('\nz ::= "a"\nroot ::= <[1]>\n')
    assert (caught.value.line, caught.value.column) == (3, 10)


def test_the_memory_of_a_compiler_is_bounded() -> None:
    compiler = Compiler(kept=200_000)
    for n in range(600):
        compiler.compile(f'root ::= "a{n}" [a-{chr(300 + n)}]{{20}}\n')
        assert compiler.remembered <= 200_000 + 10_000


def test_tags_of_remembered_rules() -> None:
    grammar = 'root ::= word " " call\nword ::= [a-z]*\ncall ::= "(" word ")"\n'
    compiler = Compiler()
    for tags in ({"call": 1}, {}, {"word": 2, "call": 3}):
        ours = compiler.compile(grammar, tags=tags)
        fresh = compile_grammar(grammar, tags=tags)
        for end in range(7):
            text = b"ab (c)"[:end]
            state = ours.feed(ours.start, text)
            assert ours.tags(state) == fresh.tags(fresh.feed(fresh.start, text))
            if not tags:
                assert ours.tags(state) == 1


def _program(text: str, **known: int) -> list[tuple[int, int, int]]:
    compiler = Compiler(lambda name: known.get(name.strip("<|/>")))
    numbers, _ = compiler.program(text)
    return [*zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)]


def test_token_terminals_are_instructions() -> None:
    text = "root ::= <[1000]> !<|think|> <[4294967295]> !<[0]>"
    assert _program(text, think=7) == [
        (TOKEN, 1000, 0),
        (NOT_TOKEN, 7, 0),
        (TOKEN, 2**31 - 1, 0),
        (NOT_TOKEN, 0, 0),
        (RETURN, 0, 0),
    ]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('root ::= "a"\n  b ::= !<e>*', 2, 9),
        ('b ::= "x"\nroot ::= (\n <e> | "a")', 3, 2),
        ('root ::= "a"\nc ::= "b" | <e>\nc ::= "d"\n', 2, 13),
    ],
)
def test_a_token_that_does_not_exist_is_refused(
    text: str, line: int, column: int
) -> None:
    compiler = Compiler({"<f>": 3}.get)
    for _ in range(2):
        with pytest.raises(GrammarError, match="<e> is not one token") as caught:
            compiler.program(text)
        assert (caught.value.line, caught.value.column) == (line, column)


def test_a_routine_that_is_too_long_is_refused() -> None:
    routine = Routine(3)
    routine.text(b"ab")
    with pytest.raises(OverflowError, match="3 instructions"):
        routine.words(["a"])
    with pytest.raises(IndexError):
        routine.aim(2, a=1)
    routine.end()
    program, tags = link("root", {"root": routine}.__getitem__, limit=3, tags={})
    assert [*program] == [BYTES, 97, 97, BYTES, 98, 98, RETURN, 0, 0]
    assert tags == {}
    with pytest.raises(OverflowError, match="2 instructions"):
        link("root", {"root": routine}.__getitem__, limit=2, tags={})


def test_routines_that_call_each_other_are_linked() -> None:
    root, other, shared = Routine(9), Routine(9), Routine(9)
    for routine, targets in ((root, ["x", shared]), (other, [shared, "root"])):
        for target in targets:
            routine.call(target)
        routine.end()
    shared.text(b"a")
    shared.end()
    assert root.targets == ("x", shared)
    find = {"root": root, "x": other}.__getitem__
    program, tags = link("root", find, limit=9, tags={"root": 4})
    assert [*zip(program[::3], program[1::3], program[2::3], strict=True)] == [
        (CALL, 3, 1),
        (CALL, 6, -1),
        (RETURN, 0, 0),
        (CALL, 6, 4),
        (CALL, 0, 5),  # a tagged call comes back, even to a return
        (RETURN, 0, 0),
        (BYTES, 97, 97),
        (RETURN, 0, 0),
    ]
    assert tags == {5: 4}
