"""The same texts under our automaton and under llama.cpp's own sampler.

HOMELLM_EDGE_GRAMMAR_PAIRS sets how many random pairs of grammar and text are compared.
"""

from __future__ import annotations

import os
import random
import string

import pytest

from grammar_oracle import GrammarOracle
from homellm_edge.errors import GrammarError
from homellm_edge.grammar import grounded_grammar, home_grammar
from homellm_edge.grammar.automaton import Automaton, Compiler, compile_grammar
from homellm_edge.home import Home, home_from_dict
from homes import DATA
from llama_judge import WIDE, Judge
from walk import walk

PAIRS = int(os.environ.get("HOMELLM_EDGE_GRAMMAR_PAIRS", "104000"))
SEEDS = 8
ALPHABET = "abc[]" + WIDE


class _Maker:
    """Random grammars over few characters, so that random texts often match."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names = ["root", "x", "y", "z-1"][: rng.randint(1, 4)]

    def grammar(self) -> str:
        return "".join(f"{name} ::= {self._options(3)}\n" for name in self._names)

    def _options(self, depth: int) -> str:
        count = self._rng.choice([1, 1, 1, 2, 3])
        return " | ".join(self._sequence(depth) for _ in range(count))

    def _sequence(self, depth: int) -> str:
        count = self._rng.choice([0, 1, 1, 2, 2, 3])
        return " ".join(self._item(depth) for _ in range(count))

    def _item(self, depth: int) -> str:
        rng = self._rng
        kind = rng.randint(0, 9)
        if kind <= 2 or (depth == 0 and kind >= 7):
            item = (
                '"' + "".join(self._character() for _ in range(rng.randint(1, 3))) + '"'
            )
        elif kind <= 4:
            ranges = "".join(self._range() for _ in range(rng.randint(1, 2)))
            item = f"[{rng.choice(['', '', '^'])}{ranges}]"
        elif kind == 5:
            item = "."
        elif kind == 6:
            item = rng.choice(self._names)
        else:
            item = f"({self._options(depth - 1)})"
        repeat = ["", "", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,3}", "{2,}", "{0}"]
        return item + rng.choice(repeat)

    def _range(self) -> str:
        low = self._character()
        return low if self._rng.random() < 0.5 else f"{low}-{self._character()}"

    def _character(self) -> str:
        found = self._rng.choice("aaabbbc[]" + WIDE)
        if found in "[]" or self._rng.random() < 0.1:
            return {"[": "\\[", "]": "\\]"}.get(found, f"\\U{ord(found):08x}")
        return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_grammars_and_texts(judge: Judge, seed: int) -> None:
    rng = random.Random(seed)
    compared = matched = tried = costly = 0
    # with every other seed the rules are those that one compiler remembers
    make = Compiler().compile if seed % 2 else compile_grammar
    bytes_ = bytes({b for c in ALPHABET for b in c.encode()})
    while compared < PAIRS // SEEDS:
        text = _Maker(rng).grammar()
        try:
            automaton = make(text, work=3000)
        except GrammarError:
            continue  # which texts are refused, the tests of the parser compare
        tried += 1
        words = ["".join(rng.choices(ALPHABET, k=rng.randint(0, 6))) for _ in range(4)]
        try:
            for _ in range(6):
                word = walk(automaton, rng, alphabet=bytes_, longest=24)
                if not set(word) <= set(ALPHABET):
                    continue
                words.append(word)
                at = rng.randint(0, len(word))
                put = rng.choice(ALPHABET)
                words.append(word[:at] + put + word[at + rng.randint(0, 1) :])
            verdicts = [_prefixes(automaton, word) for word in words]
        except GrammarError:
            costly += 1  # so it is for llama.cpp, which has no bound
            continue
        for word, ours in zip(words, verdicts, strict=True):
            assert ours == judge.prefixes(text, word), (text, word)
            compared += len(ours)
            matched += sum(ours)
    assert costly <= tried // 10
    assert matched > compared // 10
    assert matched < compared * 9 // 10


def _prefixes(automaton: Automaton, word: str) -> list[bool]:
    """For each prefix of the word, the empty one first, whether it matches."""
    return [automaton.match(word[:n].encode()) for n in range(len(word) + 1)]


HOME = home_from_dict(DATA)


def _names(home: Home) -> list[str]:
    return [entity.entity_id for entity in home.entities]


GRAMMARS = {
    "home": (home_grammar(HOME), 'Done.```homeassistant\n{ "service": "'),
    "speech": (home_grammar(Home()), ""),
    "grounded": (
        grounded_grammar(
            HOME,
            _names(HOME)[:3],
            ["kitchen"],
            here=True,
            numbers=2,
            colors=1,
            options=1,
        ),
        "",
    ),
    "bare": (grounded_grammar(HOME, [], []), ""),
}


@pytest.mark.parametrize("name", GRAMMARS)
def test_our_own_grammars(grammar_oracle: GrammarOracle, name: str) -> None:
    text, start = GRAMMARS[name]
    automaton = compile_grammar(text)
    rng = random.Random(3)
    alphabet = string.printable.encode() + "é漢".encode()
    matched = 0
    for _ in range(25):
        word = walk(automaton, rng, start, alphabet=alphabet, prefer=b'"}\n`')
        texts = [word]
        for _ in range(3):
            at = rng.randint(0, len(word))
            put = rng.choice(["", "a", '"', "`", "9", "\n", "é"])
            texts.append(word[:at] + put + word[at + rng.randint(0, 1) :])
        for candidate in texts:
            ours = automaton.match(candidate.encode())
            assert ours == grammar_oracle.accepts(text, candidate), candidate
            matched += ours
    assert matched >= 5
