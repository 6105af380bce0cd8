from __future__ import annotations

import random
import threading
from array import array

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from homellm_edge._gbnf import BYTES, CALL, DEAD, JUMP, RETURN, SPLIT, Automaton
from homellm_edge.errors import GrammarError
from homellm_edge.grammar.automaton import MAX_PROGRAM, compile_grammar
from homellm_edge.grammar.utf8 import byte_ranges, characters

SURROGATES = range(0xD800, 0xE000)
POINTS = st.one_of(
    st.integers(0, 0x110010),
    st.sampled_from([0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x3FFFF, 0x10FFFF]),
)


@settings(deadline=None)
@given(st.lists(st.tuples(POINTS, POINTS), min_size=1, max_size=4), st.booleans())
@example([(0x7F, 0x10000)], False)
@example([(0xD7FF, 0xE000)], True)
def test_byte_ranges_are_the_utf8_of_the_characters(
    ranges: list[tuple[int, int]], negated: bool
) -> None:
    found = characters(ranges, negated)
    assert list(found) == sorted(found)
    sequences = list(byte_ranges(found))
    assert all(1 <= len(s) <= 4 for s in sequences)
    edges = {p + d for low, high in ranges for p in (low, high) for d in (-1, 0, 1)}
    for point in edges | {1, 0x7F, 0x80, 0xD7FF, 0xE000, 0x10FFFF}:
        if not 0 < point < 0x110000 or point in SURROGATES:
            continue
        inside = any(low <= point <= high for low, high in ranges)
        data = chr(point).encode()
        matching = [
            s
            for s in sequences
            if len(s) == len(data)
            and all(a <= b <= z for (a, z), b in zip(s, data, strict=True))
        ]
        assert len(matching) == (inside != negated), hex(point)


@settings(deadline=None)
@given(st.lists(st.tuples(POINTS, POINTS), min_size=1, max_size=4))
def test_no_byte_sequence_is_anything_but_utf8(ranges: list[tuple[int, int]]) -> None:
    for sequence in byte_ranges(characters(ranges)):
        for corner in (0, 1):
            text = bytes(r[corner] for r in sequence).decode()  # raises if it is not
            assert len(text) == 1
            assert text != "\0"


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ('root ::= "ab" | "ac"', ["ab", "ac"], ["", "a", "abc", "b"]),
        ('root ::= "é漢😀"', ["é漢😀"], ["é漢", "e漢😀"]),
        ("root ::= .", ["a", "\n", "é", "漢", "😀"], ["", "ab", "éa", "\0"]),
        ("root ::= [^é-漢]", ["a", "😀", "è"], ["é", "漢", "\u1000", "\0"]),
        ("root ::= [z-a]", [], ["", "a", "z", "m"]),
        ("root ::= [^z-a]", ["a", "é"], ["", "\0"]),
        ("root ::= []", [""], ["a"]),
        ("root ::= [^]", [""], ["a"]),
        ('root ::= "\\x00"', [], ["", "\0"]),
        ('root ::= "\\xe9"', ["é"], ["\xc3", "e"]),
        ('root ::= "\\ud800" | "b"', ["b"], ["", "a"]),
        ('root ::= "a"{2,4}', ["aa", "aaa", "aaaa"], ["", "a", "aaaaa"]),
        ('root ::= "a"{2,}', ["aa", "a" * 50], ["", "a"]),
        ('root ::= "a"{0}', [""], ["a"]),
        ('root ::= "a"{1,2001}', ["a", "a" * 3000], [""]),
        ('root ::= ("ab"){0,2} "c"', ["c", "abc", "ababc"], ["abababc", "ab"]),
        ('root ::= "abc"{2}', ["abcabc"], ["abc", "abcabcabc"]),
        ('root ::= ("a"?)* "b"', ["b", "aab"], ["a", "bb"]),
        ('root ::= "(" root ")" |', ["", "()", "(())"], ["(", "())", ")("]),
        ('root ::= "a" root "a" | "b"', ["b", "aabaa"], ["aab", "abaa"]),
        ('root ::= x y\nx ::= y\ny ::= "a" |', ["", "a", "aa"], ["aaa"]),
        ('root ::= e root | "x"\ne ::= f\nf ::= "" | "y"', ["x", "yyx"], ["", "y"]),
        ('root ::= ("a"{2000}){3}', ["a" * 6000], ["a" * 5999, "a" * 6001]),
        ('root ::= "a"\nroot ::= "b"', ["b"], ["a"]),
    ],
)
def test_match(text: str, good: list[str], bad: list[str]) -> None:
    automaton = compile_grammar(text)
    assert [s for s in good if not automaton.match(s.encode())] == []
    assert [s for s in bad if automaton.match(s.encode())] == []


@pytest.mark.parametrize(
    "data",
    [
        b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf5",
        b"\xf4\x90\x80\x80", b"\xf0\x80\x80\x80", b"\xff", b"\xc3", b"\xe6\xbc",
        b"\x00", b"a\x00", b"\xc3a", b"\xe6\xbca",
    ],
)  # fmt: skip
def test_what_is_not_utf8_never_matches(data: bytes) -> None:
    for text in ("root ::= .*", "root ::= [^x]*"):
        automaton = compile_grammar(text)
        assert not automaton.match(data)
        assert automaton.match(b"a\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80")


def test_steps_and_chunks_lead_to_the_same_states() -> None:
    automaton = compile_grammar('root ::= ("é" | "[" root "]" | [a-y]){0,9} "z"')
    rng = random.Random(1)
    for _ in range(200):
        text = "".join(rng.choice("é[]ayz") for _ in range(rng.randint(0, 12)))
        data = text.encode()
        cut = rng.randint(0, len(data))
        state = automaton.start
        for byte in data:
            state = automaton.step(state, byte)
        assert automaton.feed(automaton.start, data) == state
        half = automaton.feed(automaton.start, data[:cut])
        assert automaton.feed(half, data[cut:]) == state
        assert automaton.match(data) == automaton.accepting(state)


def test_states_are_shared_and_dead_stays_dead() -> None:
    automaton = compile_grammar('root ::= ("ab" | "cb")*')
    start = automaton.start
    assert automaton.feed(start, b"abcb") == automaton.feed(start, b"ab")
    count = automaton.states
    assert automaton.feed(start, b"abcbabab" * 100) == automaton.feed(start, b"ab")
    assert automaton.states == count
    assert automaton.step(start, ord("b")) == DEAD
    assert automaton.step(DEAD, ord("a")) == DEAD
    assert automaton.feed(DEAD, b"ab") == DEAD
    assert not automaton.accepting(DEAD)
    assert automaton.byte_classes == 5  # below a, a, b, c, above


def test_a_grammar_that_matches_nothing_has_a_dead_start() -> None:
    assert compile_grammar("root ::= [z-a]").start == DEAD


def test_bad_states_and_bytes_are_refused() -> None:
    automaton = compile_grammar('root ::= "a"')
    for state in (-2, 99):
        for ask in (
            lambda s: automaton.step(s, 97),
            lambda s: automaton.feed(s, b"a"),
            automaton.accepting,
        ):
            with pytest.raises(ValueError, match="no state"):
                ask(state)
    for byte in (-1, 256):
        with pytest.raises(ValueError, match="is not a byte"):
            automaton.step(automaton.start, byte)


def test_memory_is_bounded_and_what_was_made_stays_usable() -> None:
    text = 'root ::= "(" root ")" | "a"'
    automaton = compile_grammar(text, memory=200_000)
    assert automaton.match(b"((a))")
    with pytest.raises(GrammarError, match="memory"):
        automaton.match(b"(" * 100_000 + b"a" + b")" * 100_000)
    assert automaton.memory <= 200_000
    assert automaton.match(b"((a))")
    assert not automaton.match(b"((a)")
    for _ in range(3):
        with pytest.raises(GrammarError, match="memory"):
            automaton.feed(automaton.start, b"(" * 100_000)


@pytest.mark.parametrize("memory", range(3_000, 120_000, 1_931))
def test_every_limit_of_memory_is_kept(memory: int) -> None:
    text = 'root ::= ("(" root? ")" | [a-f]{0,40} "x" | [a-d]* "y" [^é]){0,7}'
    data = b"((abcabcabcx)(bbbby\xe6\xbc\xa2)ax)(((((((((((()))))))))))" * 3
    refusals = []
    automaton = None
    try:
        automaton = compile_grammar(text, memory=memory)
    except GrammarError as err:
        refusals.append(err.cause)
    for _ in range(3 if automaton else 0):
        try:
            automaton.feed(automaton.start, data)
        except GrammarError as err:
            refusals.append(err.cause)
        assert automaton.memory <= memory
    assert all("memory" in cause for cause in refusals)
    assert len(refusals) in ((0, 3) if automaton else (1,))


def test_work_is_bounded() -> None:
    text = 'root ::= a{0,2000}\na ::= b{0,2000}\nb ::= "x" c?\nc ::= "y"?'
    with pytest.raises(GrammarError, match="ways to go on"):
        compile_grammar(text).match(b"x" * 3000)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (
            "root ::= " + " ".join(f"r{n}" for n in range(9000)) + ' "x"\n'
            + "".join(f'r{n} ::= ""\n' for n in range(9000)),
            "x",
        ),
        ('root ::= "x" ' + " ".join(["y" + "{2}" * 9] * 90) + '\ny ::= "z"',
         "x" + "z" * 512 * 90),
        ("root ::= " + " ".join(["[" + "a-cé" * 20 + "]{2000}"] * 100), "b" * 200_000),
        ('root ::= "' + "\\x61" * 50_000 + '"', "a" * 50_000),
        ("root ::= " + '"a" | ' * 20_000 + '"b"', "b"),
        ("root ::= " + "(" * 100 + '"a"' + ")" * 100, "a"),
        ("root ::= " + '("a" | "b" ' * 45 + ")?" * 45, "b" * 45),
    ],
    ids=["empty", "doubled", "classes", "escapes", "options", "deep", "nested"],
)  # fmt: skip
def test_large_grammars_end_in_bounded_time(text: str, good: str) -> None:
    # the time limit of all tests is what a hang would run into
    automaton = compile_grammar(text)
    assert automaton.match(good.encode())
    assert not automaton.match(good.encode() + b"!")


def test_a_grammar_that_is_too_large_is_refused() -> None:
    rules = "\n".join(f'r{n} ::= "abcdefgh"{{2000}}' for n in range(600))
    used = " ".join(f"r{n}" for n in range(600))
    with pytest.raises(GrammarError, match=str(MAX_PROGRAM)):
        compile_grammar(f"root ::= {used}\n{rules}")


def test_token_terminals_need_a_vocabulary() -> None:
    with pytest.raises(GrammarError, match="token terminal") as caught:
        compile_grammar('root ::= "a"\n  b ::= <[1]>\nroot ::= b')
    assert (caught.value.line, caught.value.column) == (2, 9)


def test_threads_share_an_automaton() -> None:
    automaton = compile_grammar('root ::= ("(" root ")" | [a-z]){0,30}')
    texts = [b"(" * n + b"a" * (n % 7) + b")" * n for n in range(60)]
    expected = [compile_grammar('root ::= ("(" root ")" | [a-z]){0,30}').match(t)
                for t in texts]  # fmt: skip
    found: list[list[bool]] = []

    def work(seed: int) -> None:
        order = list(range(len(texts)))
        random.Random(seed).shuffle(order)
        answers = {n: automaton.match(texts[n]) for n in order}
        found.append([answers[n] for n in range(len(texts))])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


@pytest.mark.parametrize(
    "program",
    [
        [],
        [RETURN],
        [RETURN, 0],
        [BYTES, 1, 2],
        [BYTES, -1, 2, RETURN, 0, 0],
        [BYTES, 0, 256, RETURN, 0, 0],
        [CALL, 1, -1],
        [CALL, 0, 1],
        [CALL, -1, -1],
        [SPLIT, 0, 1],
        [SPLIT, -1, 0],
        [JUMP, 1, 0],
        [9, 0, 0],
    ],
)
def test_a_program_that_leads_outside_itself_is_refused(program: list[int]) -> None:
    with pytest.raises(ValueError, match="instruction"):
        Automaton(array("i", program), GrammarError)


def test_a_program_without_end_is_bounded() -> None:
    looping = array("i", [CALL, 0, 1, RETURN, 0, 0])
    with pytest.raises(GrammarError, match="ways to go on"):
        Automaton(looping, GrammarError)
    assert Automaton(array("i", [JUMP, 0, 0]), GrammarError).start == DEAD


def test_a_state_knows_the_rules_that_it_is_inside_of() -> None:
    grammar = """
        root ::= word " " call? more
        call ::= "(" word inner? ")"
        inner ::= "<" call? ">"
        word ::= [a-z]*
        more ::= "(!" | ""
    """
    automaton = compile_grammar(grammar, tags={"call": 1, "inner": 3})
    text = b"a (b<(c)>)"
    # outside 1, call 2, inner 8: where any of them may begin, its bit is set, too
    wanted = [1, 1, 1 + 2, 1 + 2 + 8, 2 + 8, 2 + 8, 2 + 8, 2 + 8, 8, 2, 1]
    found = [automaton.feed(automaton.start, text[:n]) for n in range(len(text) + 1)]
    assert [automaton.tags(state) for state in found] == wanted
    assert automaton.tags(DEAD) == 0
    assert compile_grammar(grammar).tags(found[0]) == 1


def test_tags_outside_the_program_are_refused() -> None:
    program = array("i", [RETURN, 0, 0])
    for tags in ({1: 1}, {-1: 1}, {0: 0}, {0: 32}):
        with pytest.raises(ValueError, match="not valid"):
            Automaton(program, GrammarError, tags=tags)
