"""The grammars that people can read and choose."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

import pytest

from homellm_edge.grammar import home_grammar
from homellm_edge.grammar.automaton import compile_grammar
from homellm_edge.home import home_from_dict
from homes import DATA
from llama_judge import Judge
from walk import walk

FOLDER = Path(__file__).parents[2] / "grammars"
ASCII = string.printable.encode()


def _text(name: str) -> str:
    return (FOLDER / f"{name}.gbnf").read_text(encoding="utf-8")


def _block(*lines: str) -> str:
    return "Done.```homeassistant\n" + "\n".join(lines) + "\n```"


CALL = '{ "service": "light.turn_on", "target_device": "light.kitchen" }'
ACCEPTED = [
    "Hello.",
    "Il fait 20 degrés 😀.\nVoilà.",
    _block(CALL),
    _block(CALL, CALL.replace(" }", ', "brightness": 50, "on": true }')),
    _block(CALL.replace(" }", ', "rgb_color": [255, 0, 10], "x": -0.5 }')),
    _block(CALL.replace(" }", ', "source": "Radio \\"1\\" \\u00e9" }')),
]
REFUSED = [
    "",
    "`",
    "Done.```homeassistant\n```",
    _block(CALL) + "\n",
    _block(CALL)[5:],
    _block(CALL, ""),
    _block(CALL + CALL),
    _block(CALL.replace("light.kitchen", "kitchen")),
    _block(CALL.replace("{ ", "{")),
    _block(CALL.replace(" }", ', "rgb_color": [256, 0, 10] }')),
    _block(CALL.replace(" }", ', "brightness": 050 }')),
    _block(CALL.replace(" }", ', "source": "a\nb" }')),
    "a\x07",
]


def test_generic_samples() -> None:
    automaton = compile_grammar(_text("generic"))
    assert [s for s in ACCEPTED if not automaton.match(s.encode())] == []
    assert [s for s in REFUSED if automaton.match(s.encode())] == []


def test_generic_allows_what_the_grammar_of_a_home_allows() -> None:
    generic = compile_grammar(_text("generic"))
    home = compile_grammar(home_grammar(home_from_dict(DATA)))
    rng = random.Random(5)
    start, asked = 'Ok.```homeassistant\n{ "service": "', 0
    for _ in range(60):
        text = walk(home, rng, start, alphabet=ASCII, prefer=b'"}`', longest=900)
        if home.match(text.encode()):
            asked += 1
            assert generic.match(text.encode()), text
    assert asked > 20


def test_json_agrees_with_a_json_parser() -> None:
    automaton = compile_grammar(_text("json"))
    rng = random.Random(7)
    seeds = [
        '{"a": [1, -2.5e+3, true, null], "b\\u00e9\\n": {"c": "\\"d\\""}, "": []}',
        ' [ ] ', '"x"', "0", '{"k": 0.10}', "[[[[]]], {}]", "-0", '"é漢😀"', "1E5",
    ]  # fmt: skip
    agreed = {True: 0, False: 0}
    for _ in range(3000):
        text = rng.choice(seeds)
        for _ in range(rng.randint(0, 2)):
            at = rng.randint(0, len(text))
            put = rng.choice(["", *'{}[],:"\\ -+.eE0123tfnu\n\t\x01'])
            text = text[:at] + put + text[at + rng.randint(0, 1) :]
        assert automaton.match(text.encode()) == _is_json(text), text
        agreed[_is_json(text)] += 1
    assert min(agreed.values()) > 500


def _is_json(text: str) -> bool:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", ["generic", "json"])
def test_llama_cpp_takes_them(judge: Judge, name: str) -> None:
    text = _text(name)
    assert judge.takes(text)
    automaton = compile_grammar(text)
    samples = [*ACCEPTED, *REFUSED] if name == "generic" else ['{"a": [1, "b"]}', "[}"]
    for sample in samples:
        if sample.isascii():
            assert judge.prefixes(text, sample)[-1] == automaton.match(sample.encode())
