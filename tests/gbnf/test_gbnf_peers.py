"""Our masks beside those of llguidance and xgrammar, step by step along replies.

By default a part of the steps; HOMELLM_EDGE_PEERS=all compares every one.
"""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pytest

from engines import Engine
from peers import engine, missing
from vocabulary import GgufVocabulary
from workloads import GRAMMARS, VOCABULARIES, grammar_text, samples, vocabulary_path

ALL = os.environ.get("HOMELLM_EDGE_PEERS") == "all"


@cache
def loaded(vocab: str) -> GgufVocabulary:
    return GgufVocabulary.load(vocabulary_path(vocab))


@cache
def made(name: str, vocab: str) -> Engine:
    return engine(name, loaded(vocab))


def replies(peer: str, grammar: str) -> tuple[str, ...]:
    chosen = samples(grammar)
    if peer == "xgrammar" and grammar == "json":  # tens of milliseconds a step
        return chosen[:2] if ALL else chosen[:1]
    return chosen if ALL else chosen[::6]


@pytest.mark.parametrize("vocab", VOCABULARIES)
@pytest.mark.parametrize("grammar", GRAMMARS)
@pytest.mark.parametrize("peer", ["llguidance", "xgrammar"])
def test_masks_are_the_peers(peer: str, grammar: str, vocab: str) -> None:
    if reason := missing(peer):
        pytest.skip(reason)
    if not vocabulary_path(vocab).exists():
        pytest.skip("no vocabularies here: run scripts/vocabularies")
    ours, theirs = made("ours", vocab), made(peer, vocab)
    compiled = ours.compile(grammar_text(grammar))
    automaton, masks = compiled.automaton, compiled.masks
    other = theirs.compile(theirs.form(grammar))
    end = ours.vocabulary.end
    equal = forced = 0
    for reply in replies(peer, grammar):
        mine, yours = ours.start(compiled), theirs.start(other)
        state = automaton.start
        for token in [*ours.vocabulary.tokenize(reply.encode()), end]:
            mine.mask()
            yours.mask()
            wanted, found = mine.bits(), yours.bits()
            assert wanted[token]
            assert found[token]
            if np.array_equal(wanted, found):
                equal += 1
            else:
                # as a regular expression, llguidance names one token of forced bytes
                assert peer == "llguidance"
                assert grammar != "json"
                assert masks.forced(state), (reply, token)
                assert np.flatnonzero(found).tolist() == [token]
                forced += 1
            if token != end:
                mine.accept(token)
                yours.accept(token)
                state = masks.next_state(state, token)
    assert equal
    print(f"{peer} {grammar} {vocab}: {equal} equal, {forced} forced")
