"""The tables of the notation are lark's, and so is what they take."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from lark.exceptions import UnexpectedInput

from damage import damaged
from homellm_edge.grammar import notation
from homellm_edge.grammar.notation import lark_parser, make_tables, tables, written
from homellm_edge.grammar.parser import Reader, Unexpected, reader
from homellm_edge.grammar.source import FaultError


def test_the_file_is_what_lark_makes_now() -> None:
    made = make_tables()
    command = "python -m homellm_edge.grammar.notation"
    assert written(made) == notation.TABLES.read_text(encoding="utf-8"), command
    assert written(tables()) == written(made)


@pytest.mark.parametrize("content", ["", "[]", '{"key": 1}', None])
def test_without_a_right_file_lark_makes_the_tables(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(make_tables())
    path = tmp_path / "notation.json"
    if content is not None:
        path.write_text(content or made.replace('"key": "', '"key": "0'))
    monkeypatch.setattr(notation, "TABLES", path)
    assert written(tables()) == made
    (rule,) = Reader().rules('root ::= "a"')
    assert rule.name == "root"


def test_lark_is_only_imported_for_an_error() -> None:
    script = """
import sys
from homellm_edge.errors import GrammarError
from homellm_edge.grammar.automaton import compile_grammar
assert compile_grammar('root ::= "a" | [b-d]{2}').match(b"cd")
assert "lark" not in sys.modules
try:
    compile_grammar("root ::= )")
except GrammarError as err:
    assert "closes nothing" in str(err)
assert "lark" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize("seed", range(4))
def test_takes_what_lark_takes(seed: int) -> None:
    rng = random.Random(seed)
    lines = {"taken": 0, "refused": 0}
    for _ in range(250):
        text = damaged(rng)
        try:
            reader().rules(text)
        except FaultError:
            pass  # of words where they cannot stand, lark has been asked for the cause
        else:
            assert _lark_reads("start", text), text
        for line in text.splitlines():
            try:
                reader().rule(line, 0)
            except Unexpected:
                lines["refused"] += 1
                assert not _lark_reads("rule", line), line
            except FaultError:
                pass  # in what a word means, which lark does not ask
            else:
                lines["taken"] += 1
                assert _lark_reads("rule", line), line
    assert min(lines.values()) > 30


def _lark_reads(start: str, text: str) -> bool:
    try:
        lark_parser().parse(text, start=start)
    except (UnexpectedInput, FaultError):
        return False
    return True
