"""What made-up grammars, programs and images are tried with.

HOMELLM_EDGE_FUZZ multiplies how many are tried; `scripts/test-sanitized` runs them
under sanitizers, where an access out of bounds does not stay unseen.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st

from homellm_edge._gbnf import DEAD, Automaton, GrammarParser, Masks, TaggedGrammar
from homellm_edge.errors import GrammarError
from token_oracle import set_bits

FUZZ = int(os.environ.get("HOMELLM_EDGE_FUZZ", "1"))
QUIET = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
PIECES = [
    b"a", b"b", b"ab", b"aab", b"(", b")", b"((", b"()", b"\xc3", b"\xc3\xa9", b"\xa9a",
    b"", b"a" * 20, "é".encode() * 18, b"\xff", b'"', b'a"', b"\0a", b"```", b"x",
]  # fmt: skip
END = 19
INPUTS = st.lists(
    st.sampled_from([*PIECES, b"b" * 9, b"\x80", b"(a)", b"\xf0\x9f\x98\x80"]),
    max_size=6,
).map(b"".join)
"""What automata are fed with."""


def failure(reason: str) -> GrammarError:
    return GrammarError(reason, "make it smaller")


def fuzzed(examples: int) -> settings:
    return settings(
        max_examples=examples * FUZZ, deadline=None, suppress_health_check=QUIET
    )


def check_refusal(err: ValueError, *causes: str) -> None:
    """Our own error, or one that tells a caller which of these is wrong."""
    event("refused")
    if isinstance(err, GrammarError):
        assert err.cause
        assert err.cure
    else:
        assert any(cause in str(err) for cause in causes), err


def exercise(masks: Masks, text: bytes) -> None:
    """Asks all that there is to ask; answers stay in range, errors are our own."""
    automaton, trie = masks.grammar, masks.vocabulary
    for state in (DEAD, *range(min(automaton.states, 9))):
        try:
            tokens = set_bits(masks.mask(state))
            assert not tokens or tokens[-1] < trie.tokens
            assert masks.allowed(state) in (None, tuple(tokens))
            assert len(masks.forced(state, 30)) <= 30
            for end in range(len(text) + 1):
                assert 0 <= masks.settled(state, text[:end]) <= end
            for token in range(trie.tokens):
                masks.allows(state, token)
                following = masks.next_state(state, token)
                assert DEAD <= following < automaton.states
            following = automaton.feed(state, text)
            assert automaton.final(following) <= automaton.accepting(following)
            assert automaton.tags(following) < 1 << 32
        except GrammarError as err:
            check_refusal(err)
    assert Automaton.from_image(automaton.image, failure).states == automaton.states
    assert masks.image
    try:
        parser = GrammarParser(TaggedGrammar(automaton), limit=7)
        for byte in text:
            parser.feed(bytes([byte]))
        parser.feed(text)
        assert parser.finish()[-1].position == 2 * len(text)  # type: ignore[union-attr]
    except ValueError as err:
        check_refusal(err, "inside of another")
