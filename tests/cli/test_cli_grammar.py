from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from homellm_edge.cli import main


def _match(tmp_path: Path, grammar: bytes, strings: str) -> list[str]:
    bnf, lines = tmp_path / "g.gbnf", tmp_path / "s.jsonl"
    bnf.write_bytes(grammar)
    lines.write_text(strings, encoding="utf-8")
    return ["grammar", "match", str(bnf), str(lines)]


def test_match_prints_a_verdict_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["é", "éé", "", "e", "é\u2028", "a\nb", "\ud800", "\0"]
    strings = "\n".join(json.dumps(t, ensure_ascii=t != "é\u2028") for t in texts)
    arguments = _match(tmp_path, 'root ::= "é"+ | "a\nb"'.encode(), strings)
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.out.split() == [
        "true", "true", "false", "false", "false", "true", "false", "false",
    ]  # fmt: skip
    assert captured.err == ""


@pytest.mark.parametrize(
    ("grammar", "place", "reason"),
    [
        (b'root ::= "a"\nb ::= foo\n', "2:7", "no rule 'foo'"),
        (b'root ::= "\\q"', "1:11", "escape"),
        (b"", "1:1", "no rules"),
        (b'root ::= root "a"', "1:1", "left-recursive"),
        (b'root ::= "a"\n# \xc3\xa9 \xff', "2:5", "UTF-8"),
        (b"root ::= <[3]>", "1:10", "token terminal"),
        (b'root ::= a{0,2000}\na ::= ("x" | "y"?){0,1000}', "1:1", "ambiguous"),
    ],
)
def test_a_bad_grammar_is_told_with_its_place(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    grammar: bytes,
    place: str,
    reason: str,
) -> None:
    arguments = _match(tmp_path, grammar, '"a"\n')
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith(f"{arguments[2]}:{place}: ")
    assert reason in line


def test_a_missing_grammar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = _match(tmp_path, b"", "")
    Path(arguments[2]).unlink()
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{arguments[2]}:1:1: ")
    assert "cannot be read" in line


@pytest.mark.parametrize(
    ("strings", "reason"),
    [("nonsense\n", "s.jsonl:1"), ('"a"\n17\n', "s.jsonl:2"), ("[" * 9**5, "jsonl:1")],
)
def test_bad_strings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], strings: str, reason: str
) -> None:
    assert main(_match(tmp_path, b'root ::= "a"', strings)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("homellm-edge: error: ")
    assert reason in line


def test_match_as_a_program(tmp_path: Path) -> None:
    arguments = _match(tmp_path, b"root ::= [", '"a"\n')
    done = subprocess.run(
        [sys.executable, "-m", "homellm_edge", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{arguments[2]}:1:10: ")
    assert len(done.stderr.splitlines()) == 1
