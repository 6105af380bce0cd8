"""The grammars in grammars/, with samples that they take and that they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grammar_oracle import GrammarOracle
from homellm_edge.cli import main
from homellm_edge.errors import GrammarError
from homellm_edge.grammar import home_grammar
from homellm_edge.grammar.automaton import compile_grammar
from homellm_edge.grammar.shipped import shipped_grammar, shipped_names
from homellm_edge.home import load_home

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "grammars"
NAMES = ("generic", "home", "json")


def _samples(name: str, kind: str) -> list[str]:
    path = FOLDER / "samples" / f"{name}.{kind}.jsonl"
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(found) > 5
    return found


def test_all_grammars_have_samples() -> None:
    assert shipped_names() == NAMES
    assert {p.name.partition(".")[0] for p in FOLDER.glob("samples/*")} == set(NAMES)
    for name in NAMES:
        assert shipped_grammar(name) == (FOLDER / f"{name}.gbnf").read_text("utf-8")
    with pytest.raises(GrammarError, match="use one of generic, home, json"):
        shipped_grammar("../generic")


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_judged_alike_by_us_and_by_llama_cpp(
    grammar_oracle: GrammarOracle, name: str
) -> None:
    text = shipped_grammar(name)
    automaton = compile_grammar(text)
    for kind, wanted in (("accept", True), ("reject", False)):
        for sample in _samples(name, kind):
            assert automaton.match(sample.encode()) is wanted, sample
            assert grammar_oracle.accepts(text, sample) is wanted, sample


def test_the_grammar_of_a_home_is_what_build_makes() -> None:
    written = shipped_grammar("home").splitlines()
    rules = [line for line in written if line and not line.startswith("#")]
    home = load_home(REPOSITORY / "examples" / "small_home.yaml")
    assert "\n".join([*rules, ""]) == home_grammar(home)


def test_match_knows_them_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    strings = str(FOLDER / "samples" / "json.accept.jsonl")
    assert main(["grammar", "match", "json", strings]) == 0
    assert set(capsys.readouterr().out.split()) == {"true"}


def test_build_prints_the_schema_too(capsys: pytest.CaptureFixture[str]) -> None:
    home = str(REPOSITORY / "examples" / "small_home.yaml")
    assert main(["grammar", "build", "--home", home, "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["required"] == ["speech", "calls"]


def test_they_are_in_the_wheel(tmp_path: Path) -> None:
    """Asked of setuptools itself, without compiling anything."""
    script = (
        "import sys, setuptools\n"
        "from setuptools.dist import Distribution\n"
        "d = Distribution({'script_name': 'setup.py'})\n"
        "d.parse_config_files(); d.set_defaults()\n"
        "c = d.get_command_obj('build_py'); c.build_lib = sys.argv[1]\n"
        "c.ensure_finalized(); c.run()\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=120,
    )
    for name in NAMES:
        assert (tmp_path / "homellm_edge" / "grammars" / f"{name}.gbnf").is_file()
