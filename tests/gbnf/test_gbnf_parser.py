from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from damage import PIECES, damaged, edges
from homellm_edge.errors import GrammarError
from homellm_edge.grammar.parser import MAX_NESTING, MAX_TEXT, parse
from homellm_edge.grammar.syntax import (
    Alternatives,
    AnyChar,
    CharClass,
    Group,
    Literal,
    Repeat,
    RuleRef,
    Sequence,
    TokenTerminal,
)
from llama_judge import Judge, compare


@pytest.mark.parametrize("text", edges())
def test_takes_what_llama_cpp_takes(judge: Judge, text: str) -> None:
    assert compare(judge, text) != "unasked" or "?)" in text


def test_the_edge_cases_are_of_both_kinds(judge: Judge) -> None:
    kinds = [compare(judge, text) for text in edges()]
    assert kinds.count("ok") > 60
    assert kinds.count("refused") > 60


@pytest.mark.parametrize("seed", range(8))
def test_takes_what_llama_cpp_takes_of_damaged_grammars(
    judge: Judge, seed: int
) -> None:
    rng = random.Random(seed)
    kinds = set()
    for _ in range(500):
        kinds.add(compare(judge, damaged(rng)))
    assert {"ok", "refused"} <= kinds


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(parts=st.lists(st.sampled_from(PIECES), max_size=14))
def test_takes_what_llama_cpp_takes_of_made_up_grammars(
    judge: Judge, parts: list[str]
) -> None:
    compare(judge, "root ::= " + "".join(parts))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for err in filter(None, map(_refusal, (text, "root ::= " + text))):
        assert err.line >= 1
        assert err.column >= 1
        assert err.cure
        assert "\n" not in str(err)


def _refusal(text: str) -> GrammarError | None:
    try:
        parse(text)
    except GrammarError as err:
        return err
    return None


@pytest.mark.parametrize(
    ("text", "line", "column", "cause", "cure"),
    [
        ('root ::= "a"\nb ::= foo\n', 2, 7, "no rule 'foo'", "foo ::="),
        ('root ::= "a"\r\rb ::= foo\r', 3, 7, "no rule 'foo'", "foo ::="),
        ('root ::= "a"\r\n\r\nb ::= foo', 3, 7, "'b ::= foo'", "foo ::="),
        ('x ::= "a"', 1, 1, "no rule 'root'", "root ::="),
        ("", 1, 1, "no rules", "root ::="),
        ("# nothing", 1, 10, "no rules", "root ::="),
        ('\nroot ::= "ab\\q"', 2, 13, "no escape \\q", "\\n"),
        ('root ::= [a\\u12]', 1, 12, "lacks hexadecimal digits", "give it 4"),
        ('root ::= "a', 1, 10, "literal has no end", 'with "'),
        ("root ::= [a", 1, 10, "class has no end", "with ]"),
        ("root ::= <x", 1, 10, "no token terminal", "<[ID]>"),
        ("root ::= <[4294967296]>", 1, 10, "so large an id", "vocabulary"),
        ("a ::= b\nb ::= c\nc ::= a\nroot ::= a", 1, 1, "a -> b -> c -> a", "repeat"),
        ('root ::= ("a"?) root "b"', 1, 1, "by way of empty rules", "repeat"),
        ('root ::= "a"{2001}', 1, 13, "more than 2000", "{m,}"),
        ('root ::= "a"{3,2}', 1, 13, "below the minimum", "first"),
        ('root ::= ("a"{0,50}){0,50}', 1, 21, "2550 rules", "fewer"),
        ('root ::= ""*', 1, 12, "empty", "remove"),
        ("root ::= *", 1, 10, "nothing to repeat", "before"),
        ('root ::= "a"{x}', 1, 14, "number of repeats", "{m,n}"),
        ('root ::= "a"\n | "b"', 2, 2, "'|'", "line before"),
        ('root ::= ("a"', 1, 14, "')' was expected", "close"),
        ('root ::= "a")', 1, 13, "closes nothing", "remove"),
        ('root = "a"', 1, 6, "'='", "quotation"),
        ('root : "a"', 1, 6, "'::='", "NAME ::="),
        ("root", 1, 5, "'::='", "NAME ::="),
        ('root ::= "a" b ::= "c"', 1, 16, "'::='", "its own line"),
        ("root ::= a_b", 1, 11, "underscore", "minus"),
        ('root ::= "\0"', 1, 11, "U+0000", "remove"),
        ('root ::= "\ud800"', 1, 11, "U+D800", "remove"),
    ],
)  # fmt: skip
def test_an_error_names_place_line_and_cure(
    text: str, line: int, column: int, cause: str, cure: str
) -> None:
    with pytest.raises(GrammarError) as caught:
        parse(text)
    err = caught.value
    assert (err.line, err.column) == (line, column)
    assert cause in err.cause
    assert cure in err.cure
    shown = text.splitlines()[line - 1] if text else ""
    assert repr(shown) in err.cause


def test_of_a_long_line_the_part_around_the_error_is_shown() -> None:
    with pytest.raises(GrammarError) as caught:
        parse('root ::= "' + "x" * 300 + '\\q"' + ' "y"' * 100)
    assert "xx\\\\q" in caught.value.cause
    assert len(caught.value.cause) < 150


@pytest.mark.parametrize(
    "text",
    [
        "(" * (MAX_NESTING + 1) + '"a"' + ")" * (MAX_NESTING + 1),
        "(" * 100_000,
        '"a"' + "?" * (MAX_NESTING + 1),
        "(" * 60 + '"a"' + "?" * 60 + ")" * 60,
    ],
)
def test_too_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(GrammarError, match="lie in each other"):
        parse("root ::= " + text)


def test_the_deepest_nesting_is_read(judge: Judge) -> None:
    half = MAX_NESTING // 2
    assert compare(judge, f'root ::= {"(" * MAX_NESTING}"a"{")" * MAX_NESTING}') == "ok"
    assert compare(judge, f'root ::= {"(" * half}"a"{")?" * half}') == "ok"


def test_too_long_a_text_is_refused() -> None:
    with pytest.raises(GrammarError, match="characters"):
        parse('root ::= "a" ' + "#" * MAX_TEXT)


def test_many_rules_in_a_chain_need_no_deep_stack() -> None:
    count = 3000
    rules = [f'r{n} ::= r{n + 1} | "x" r{n + 1}' for n in range(count)]
    grammar = parse("\n".join(["root ::= r0", *rules, f'r{count} ::= "a"']))
    assert len(grammar.rules) == count + 2
    with pytest.raises(GrammarError, match="left-recursive"):
        parse("\n".join(["root ::= r0", *rules, f"r{count} ::= r0"]))


def test_tree() -> None:
    grammar = parse(
        'root ::= "a\\n" [^b-d\\-] | x{2,5} (. <[7]> !<|e|>)+\nx ::= "old"\nx ::= ""\n'
    )
    assert list(grammar.rules) == ["root", "x"]
    assert grammar.rules["x"].body == Literal("")
    assert grammar.rules["root"].body == Alternatives(
        (
            Sequence(
                (
                    Literal("a\n"),
                    CharClass(((98, 100), (45, 45)), negated=True),
                )
            ),
            Sequence(
                (
                    Repeat(RuleRef("x", 26), 2, 5, 27),
                    Repeat(
                        Group(
                            Sequence(
                                (
                                    AnyChar(),
                                    TokenTerminal(7, False, 36),
                                    TokenTerminal("<|e|>", True, 42),
                                )
                            )
                        ),
                        1,
                        None,
                        49,
                    ),
                )
            ),
        )
    )


def test_another_start_rule() -> None:
    text = 'a ::= "x"\nb ::= a'
    assert parse(text, "b").root == "b"
    with pytest.raises(GrammarError, match="no rule 'c'"):
        parse(text, "c")
