"""llama.cpp's own grammar tests: tests/data/grammar-vectors.json has their licence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from homellm_edge.errors import GrammarError
from homellm_edge.grammar.automaton import Compiler, compile_grammar
from homellm_edge.grammar.parser import parse
from homellm_edge.grammar.tokens import Masks, TokenTrie
from llama_judge import Judge

FILE = Path(__file__).parents[1] / "data" / "grammar-vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]


def _of(kind: str) -> list[Any]:
    found = [v for v in VECTORS if v["kind"] == kind]
    return [pytest.param(v, id=str(n)) for n, v in enumerate(found)]


def strings_with_tokens(vector: dict[str, Any]) -> None:
    """Texts as lists of pieces of text and of tokens, by their numbers."""
    with pytest.raises(GrammarError, match="token terminal"):
        compile_grammar(vector["grammar"])
    automaton = Compiler(lambda _: None).compile(vector["grammar"])
    named = [f"<[{number}]>".encode() for number in range(30)]
    letters = [bytes([byte]) for byte in range(128)]
    trie = TokenTrie([*named, *letters], [False] * 30 + [True] * 128)
    masks = Masks(automaton, trie)
    for wanted, kind in ((True, "pass"), (False, "fail")):
        for text in vector[kind]:
            state = automaton.start
            for part in text:
                tokens = (
                    [part] if isinstance(part, int) else [30 + ord(c) for c in part]
                )
                for token in tokens:
                    state = masks.next_state(state, token)
            assert automaton.accepting(state) == wanted, text


@pytest.mark.parametrize("vector", _of("gbnf"))
def test_strings(vector: dict[str, Any]) -> None:
    if "<[" in vector["grammar"]:
        strings_with_tokens(vector)
        return
    automaton = compile_grammar(vector["grammar"])
    for text in vector["pass"]:
        assert automaton.match(text.encode()), text
    for text in vector["fail"]:
        assert not automaton.match(text.encode(errors="surrogateescape")), text


@pytest.mark.parametrize("vector", _of("parse-ok"))
def test_grammars_that_are_taken(judge: Judge, vector: dict[str, Any]) -> None:
    assert parse(vector["grammar"]).rules
    assert judge.takes(vector["grammar"])


@pytest.mark.parametrize("vector", _of("parse-fail"))
def test_grammars_that_are_refused(judge: Judge, vector: dict[str, Any]) -> None:
    with pytest.raises(GrammarError):
        parse(vector["grammar"])
    assert not judge.takes(vector["grammar"])


def test_all_vectors_are_asked() -> None:
    assert {v["kind"] for v in VECTORS} == {"gbnf", "parse-ok", "parse-fail"}
    strings = [s for v in VECTORS for s in [*v.get("pass", ()), *v.get("fail", ())]]
    assert len(VECTORS) == 37
    assert len(strings) > 100
