"""llama.cpp's own grammar tests: tests/data/grammar-vectors.json has their licence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from homellm_edge.errors import GrammarError
from homellm_edge.grammar.automaton import Compiler, compile_grammar
from homellm_edge.grammar.code import NOT_TOKEN, TOKEN
from homellm_edge.grammar.parser import parse
from llama_judge import Judge

FILE = Path(__file__).parents[1] / "data" / "grammar-vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]


def _of(kind: str) -> list[Any]:
    found = [v for v in VECTORS if v["kind"] == kind]
    return [pytest.param(v, id=str(n)) for n, v in enumerate(found)]


@pytest.mark.parametrize("vector", _of("gbnf"))
def test_strings(vector: dict[str, Any]) -> None:
    if "<[" in vector["grammar"]:  # its strings are tokens of a certain model
        assert parse(vector["grammar"]).rules
        with pytest.raises(GrammarError, match="token terminal"):
            compile_grammar(vector["grammar"])
        program, _ = Compiler(lambda _: None).program(vector["grammar"])
        named = set(map(int, re.findall(r"<\[(\d+)\]>", vector["grammar"])))
        steps = zip(program[::3], program[1::3], strict=False)
        assert {a for op, a in steps if op in (TOKEN, NOT_TOKEN)} == named
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
