"""Token terminals, `<[5]>` and `!<[5]>`: beside bytes, and beside llama.cpp's own."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence

import pytest

from homellm_edge._gbnf import BYTES, DEAD, JUMP, NOT_TOKEN, RETURN, SPLIT, TOKEN
from homellm_edge.errors import GrammarError
from homellm_edge.grammar.automaton import Automaton
from homellm_edge.grammar.tokens import Masks, TokenTrie
from llama_masks import Vocabulary, whole_tokens
from token_oracle import set_bits


class Terms:
    """A random expression over characters and tokens, as GBNF and as a program."""

    def __init__(self, rng: random.Random, liked: Sequence[int]) -> None:
        self._rng = rng
        self._liked = liked
        self._steps: list[list[int]] = []
        self.text = "root ::= " + self._term(3)
        self._steps.append([RETURN, 0, 0])

    @property
    def automaton(self) -> Automaton:
        return program(*self._steps)

    def _term(self, depth: int) -> str:
        kind = self._rng.randrange(4 if depth else 2)
        if kind == 0:
            letters = self._rng.choice(("a", "ab", " ", "th", "1", '{"'))
            self._steps += [[BYTES, byte, byte] for byte in letters.encode()]
            return '"' + letters.replace('"', '\\"') + '"'
        if kind == 1:
            token, negated = self._rng.choice(self._liked), self._rng.random() < 0.3
            self._steps.append([NOT_TOKEN if negated else TOKEN, token, 0])
            return f"{'!' if negated else ''}<[{token}]>"
        split = [SPLIT, 0, 0]
        self._steps.append(split)
        start = len(self._steps)
        split[1] = start
        if kind == 2:  # a repeat
            inner = self._term(depth - 1)
            self._steps.append([JUMP, start - 1, 0])
            split[2] = len(self._steps)
            return f"({inner})* {self._term(depth - 1)}"
        one = self._term(depth - 1)
        jump = [JUMP, 0, 0]
        self._steps.append(jump)
        split[2] = len(self._steps)
        other = self._term(depth - 1)
        jump[1] = len(self._steps)
        return f"({one} | {other})"


def program(*steps: Sequence[int]) -> Automaton:
    return Automaton(array("i", [n for step in steps for n in step]), GrammarError)


def is_over_the_edge(
    automaton: Automaton, masks: Masks, state: int, piece: bytes, token: int
) -> bool:
    """Whether a beginning of the token's bytes leads to a terminal that it fits.

    llama.cpp's mask then lets it through, and ends the program if it is chosen.
    """
    beginnings = (automaton.feed(state, piece[:end]) for end in range(1, len(piece)))
    return any(masks.allows(after, token) for after in beginnings)


@pytest.mark.parametrize("seed", range(10))
def test_token_terminals_are_llama_cpps(vocabulary: Vocabulary, seed: int) -> None:
    rng = random.Random(seed)
    trie = TokenTrie(vocabulary.pieces, vocabulary.allowed, vocabulary.ends)
    whole = whole_tokens(vocabulary)
    control = [
        token
        for token in range(vocabulary.size)
        if vocabulary.pieces[token]
        and not vocabulary.allowed[token]
        and token not in vocabulary.ends
    ]
    assert control
    liked = [*rng.sample(sorted(whole), 4), *rng.sample(control, 1)]
    liked += [vocabulary.pieces.index(piece) for piece in (b"a", b"th", b'{"')]
    steps = named = 0
    while steps < 60:
        terms = Terms(rng, liked)
        automaton = terms.automaton
        masks = Masks(automaton, trie)
        state = automaton.start
        tokens: list[int] = []
        while len(tokens) < 8:
            choice = [
                token
                for token in set_bits(masks.mask(state))
                if token in whole or token in liked
            ]
            if not choice:
                break
            preferred = [token for token in choice if token in liked]
            tokens.append(rng.choice(preferred or choice))
            named += tokens[-1] in liked
            state = masks.next_state(state, tokens[-1])
        steps += len(tokens) + 1
        states = [automaton.start]
        for token in tokens:
            states.append(masks.next_state(states[-1], token))
        for number, theirs, ours in vocabulary.differences(
            terms.text, masks, automaton.start, tokens
        ):
            for token in ours:
                # a cut character fits no terminal of llama.cpp's
                assert token not in whole
                assert token not in control
            for token in theirs:
                piece = vocabulary.pieces[token]
                assert (
                    not trie.piece(token)  # it lets control tokens be text
                    or is_over_the_edge(automaton, masks, states[number], piece, token)
                ), (terms.text, tokens, number, token, piece)
    assert named


PIECES = [b"a", b"ab", b"b", b"<x>", b"", b"\x80", b"\0z", b"</s>", b"a"]
"""0 to 8: 3 is a control token, 7 ends the text, 4 has no bytes."""


def masks_of(automaton: Automaton) -> Masks:
    allowed = [token != 3 for token in range(len(PIECES))]
    return Masks(automaton, TokenTrie(PIECES, allowed, [7]))


def test_a_terminal_is_its_token_and_no_bytes() -> None:
    automaton = program([TOKEN, 3, 0], [TOKEN, 0, 0], [BYTES, 98, 98], [RETURN, 0, 0])
    masks = masks_of(automaton)
    assert masks.allowed(automaton.start) == (3,)
    assert automaton.feed(automaton.start, b"<") == DEAD
    assert automaton.step(automaton.start, 0) == DEAD
    assert not automaton.match(b"<x>ab")
    state = masks.next_state(automaton.start, 3)
    assert masks.allowed(state) == (0,)  # not 8, which has the same bytes
    assert not masks.allows(state, 8)
    assert masks.next_state(state, 8) == DEAD
    state = masks.next_state(state, 0)
    assert masks.allowed(state) == (2,)
    assert masks.allowed(masks.next_state(state, 2)) == (7,)


def test_a_negated_terminal_is_every_other_token() -> None:
    automaton = program([NOT_TOKEN, 0, 0], [RETURN, 0, 0])
    masks = masks_of(automaton)
    # what has no bytes, begins with NUL or ends the text is none of them
    assert masks.allowed(automaton.start) == (1, 2, 3, 5, 8)
    for token in range(len(PIECES)):
        assert masks.allows(automaton.start, token) == (token in (1, 2, 3, 5, 8))
        after = masks.next_state(automaton.start, token)
        assert (after != DEAD) == (token in (1, 2, 3, 5, 8))
        assert automaton.accepting(after) == (after != DEAD)


@pytest.mark.parametrize(
    ("negated", "named", "wanted"),
    [
        ((1, 2), (), (0, 1, 2, 3, 5, 8)),
        ((1, 1), (), (0, 2, 3, 5, 8)),
        ((1,), (1,), (0, 1, 2, 3, 5, 8)),
        ((7,), (), (0, 1, 2, 3, 5, 8)),
        ((4,), (6,), (0, 1, 2, 3, 5, 8)),
        ((1000,), (2000,), (0, 1, 2, 3, 5, 8)),
        ((), (4, 6, 7, 9, 2_000_000_000), ()),
        ((7, 4), (), (0, 1, 2, 3, 5, 8)),
    ],
)
def test_terminals_beside_each_other(
    negated: Sequence[int], named: Sequence[int], wanted: Sequence[int]
) -> None:
    terms = [(NOT_TOKEN, token) for token in negated]
    terms += [(TOKEN, token) for token in named]
    steps: list[Sequence[int]] = []
    for op, token in terms:
        here = len(steps)
        steps += [[SPLIT, here + 1, here + 3], [op, token, 0], [RETURN, 0, 0]]
    automaton = program(*steps, [BYTES, 1, 0], [RETURN, 0, 0])
    masks = masks_of(automaton)
    assert masks.allowed(automaton.start) == tuple(wanted)
    for token in range(len(PIECES)):
        assert masks.allows(automaton.start, token) == (token in wanted)


def test_bytes_and_a_token_lead_on_together() -> None:
    # ("a" "b"? | <[0]> "c"?): after token 0, which is "a", each may go on
    automaton = program(
        [SPLIT, 1, 5],
        [BYTES, 97, 97], [SPLIT, 3, 4], [BYTES, 98, 98], [RETURN, 0, 0],
        [TOKEN, 0, 0], [BYTES, 99, 99], [RETURN, 0, 0],
    )  # fmt: skip
    pieces = [b"a", b"b", b"c", b"a"]
    masks = Masks(automaton, TokenTrie(pieces))
    assert masks.allowed(automaton.start) == (0, 3)
    joined = masks.next_state(automaton.start, 0)
    assert masks.allowed(joined) == (1, 2)
    assert automaton.accepting(joined)
    assert masks.allowed(masks.next_state(automaton.start, 3)) == (1,)
    assert automaton.feed(automaton.start, b"a") != joined


def test_nothing_is_forced_at_a_token_terminal() -> None:
    automaton = program([BYTES, 97, 97], [SPLIT, 2, 4], [BYTES, 98, 98], [RETURN, 0, 0],
                        [TOKEN, 3, 0], [RETURN, 0, 0])  # fmt: skip
    assert masks_of(automaton).forced(automaton.start) == b"a"


@pytest.mark.parametrize(
    "steps",
    [[[TOKEN, -1, 0], [RETURN, 0, 0]], [[NOT_TOKEN, -1, 0], [RETURN, 0, 0]],
     [[TOKEN, 1, 0]], [[NOT_TOKEN, 1, 0]]],
)  # fmt: skip
def test_a_terminal_that_is_none_is_refused(steps: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="instruction 0"):
        program(*steps)
