"""Forced runs: exactly the tokens that the model's tokenizer gives for the text."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homellm_edge.dialects import DIALECTS, PromptOptions, Situation
from homellm_edge.errors import GrammarError
from homellm_edge.grammar import home_grammar
from homellm_edge.grammar.automaton import DEAD, compile_grammar
from homellm_edge.grammar.constraint import Constraints, Vocabulary
from homellm_edge.grounding import Grounder
from homellm_edge.models import DEFAULT_MODEL
from homes import sample_home
from vocabulary import GgufVocabulary
from walk import walk
from workloads import VOCABULARIES, vocabulary_path

FILES = {
    "own": DEFAULT_MODEL,
    **{name: vocabulary_path(name) for name in VOCABULARIES},
}
TEXT = bytes(range(32, 127)) + b"\n"


@pytest.fixture(scope="module", params=FILES)
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    path = FILES[request.param]
    if not path.exists():
        pytest.skip(f"{path.name} is not here: run scripts/vocabularies")
    return GgufVocabulary.load(path).ours


@pytest.fixture(scope="module")
def own() -> Vocabulary:
    return GgufVocabulary.load(DEFAULT_MODEL).ours


def grammars() -> dict[str, str]:
    home = sample_home()
    found = Grounder(home).ground(
        "turn the kitchen light and the fan to 30 %", None, ()
    )
    situation = Situation(home=home, sentence="", grounding=found)
    request = DIALECTS["grounded"].request(situation, PromptOptions())
    return {
        "home": home_grammar(home),
        "grounded": request.grammar or "",
        "spaces": r'root ::= "a  " (" b" | "c") "\n\n" ("\n" | " ")? "12" [0-9]? "th"',
        "words": r'root ::= ("turn" | "turning") "ing"? " off" ("ice" | " it")? "."*',
    }


@pytest.mark.parametrize("name", grammars())
def test_forced_tokens_are_those_of_the_tokenizer(
    vocabulary: Vocabulary, name: str
) -> None:
    """At every place of a text's own tokens, what is forced goes on with these."""
    grammar = grammars()[name]
    automaton = compile_grammar(grammar)
    constraints = Constraints(vocabulary)
    rng = random.Random(name)
    forced = total = 0
    for _ in range(int(os.environ.get("HOMELLM_EDGE_FORCED_TEXTS", "12"))):
        text = walk(automaton, rng, alphabet=TEXT, prefer=b"`\n", longest=500)
        if not automaton.match(text.encode()):
            continue
        tokens = list(vocabulary.tokenize(text.encode()))
        assert vocabulary.bytes_of(tokens) == text.encode()
        total += len(tokens)
        reached = 0
        for place in range(len(tokens) + 1):
            constraint = constraints.begin(grammar)
            for token in tokens[:place]:
                assert constraint.allows(token)
                constraint.accept(token)
            settled = max(place - 1, 0)  # the last one was just chosen
            run = list(constraint.forced(tokens[:place], settled))
            assert run == tokens[settled : settled + len(run)], (text, place)
            if place >= reached and run:
                reached = settled + len(run)
                forced += reached - place
    assert total
    if name == "home":
        assert forced > 0.2 * total


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_is_chosen_forced_runs_stay_in_the_grammar(
    own: Vocabulary, data: st.DataObject
) -> None:
    """Tokens chosen at random, canonical or not, then what is forced: it matches."""
    grammar = data.draw(st.sampled_from(sorted(grammars().values())))
    constraint = Constraints(own).begin(grammar)
    written: list[int] = list(constraint.forced([], 0))
    ended = False
    while not (ended := ended or constraint.finished) and len(written) < 120:
        candidates = constraint.candidates()
        if isinstance(candidates, bytes):
            bits = int.from_bytes(candidates, "little")
            candidates = tuple(i for i in range(bits.bit_length()) if bits >> i & 1)
        token = data.draw(st.sampled_from(candidates))
        if token in own.trie.end_tokens:
            ended = True
            continue
        assert constraint.allows(token)
        constraint.accept(token)
        run = constraint.forced([*written, token], len(written))
        assert own.bytes_of(run).startswith(own.trie.piece(token)) or not len(run)
        written.extend(run or [token])
    automaton = compile_grammar(grammar)
    state = automaton.feed(automaton.start, own.bytes_of(written))
    assert automaton.accepting(state) if ended else state != DEAD


def test_grammars_are_kept_and_the_oldest_go_first(vocabulary: Vocabulary) -> None:
    few, many = Constraints(vocabulary, memory=1), Constraints(vocabulary)
    for number in range(40):
        for constraints in (few, many):
            constraints.begin(f'root ::= "{number}" [a-z]')
    assert list(few._kept) == ['root ::= "39" [a-z]']
    assert list(many._kept) == [f'root ::= "{n}" [a-z]' for n in range(8, 40)]
    kept = many._kept['root ::= "8" [a-z]']
    many.begin('root ::= "8" [a-z]')
    many.begin('root ::= "new"')
    assert many._kept['root ::= "8" [a-z]'] is kept, "used last, so still there"
    with pytest.raises(GrammarError, match="there is no rule"):
        many.begin("root ::= other")
