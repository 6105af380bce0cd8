"""Masks of wide states, most of which is decided without a walk over the trie."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress

import pytest

from homellm_edge.errors import GrammarError
from homellm_edge.grammar.automaton import DEAD, Automaton, compile_grammar
from homellm_edge.grammar.tokens import Masks, TokenTrie
from token_oracle import BYTES, by_bytes, set_bits

PLAIN = "abcdefghijklmnopqrstuvwxyzABCXYZ0189 _-.,:;éжß漢字\u2028\ufeff😀🏠"
SPECIAL = '"`\\{}[]()<>\n\t\r\x00\x01\x7f\x80!?*=|'
ENDS = (3, 700)


def wide_pieces(rng: random.Random, count: int) -> list[bytes]:
    """Bytes, words, runs of one character, long tokens, characters cut at both ends."""
    pieces = list(BYTES)
    for length in (15, 16, 17, 31, 32, 33, 40, 70):
        same = ("a", " ", "é", "漢", "😀", "-", '"', "a\n")
        pieces += [(character * length).encode() for character in same]
    while len(pieces) < count:
        length = rng.choice((1, 2, 3, 4, 6, 9, 14, 20))
        letters = rng.choices(PLAIN, k=length)
        if rng.random() < 0.3:
            letters[rng.randrange(length)] = rng.choice(SPECIAL)
        data = "".join(letters).encode()
        if rng.random() < 0.3:
            data = data[rng.randint(0, 3) : len(data) - rng.randint(0, 3)]
        pieces.append(data)
    rng.shuffle(pieces)
    return pieces


def wide_grammar(rng: random.Random) -> str:
    """Texts in rules, in counted repeats and after one another."""
    wide = (
        '[^"\\\\\\x00-\\x1f\\x7f]',
        "[^`\\x00-\\x08\\x0b-\\x1f]",
        ".",
        "[^a]",
        "[^\\u2028\\U0001f600]",
        "[^\\u4e00-\\u9fff]",
        "[a-zA-Z0-9 _-]",
        "[a-z0-9_]",
        "[a-zéß]",
        "[a-m]",
        "[\\x00-\\x7f]",
        "[^\\x00-\\x7f]",
        "[a-z\\U0001f600-\\U0001f64f]",
    )
    times = ("*", "+", "{3}", "{0,2}", "{5,9}", "{0,20}", "{18,40}", "{0,64}", "{90}")
    tails = ('"!"', '"\\""', '"é"', '("," root)?', '"```" root', "[a-z]{2}", "")
    parts = []
    for _ in range(rng.randint(1, 3)):
        item = rng.choice(wide)
        if rng.random() < 0.3:
            item = f'({item} | "\\\\" [nt"] | "`" {rng.choice(wide)})'
        parts.append(f"{item}{rng.choice(times)} {rng.choice(tails)}")
    return "root ::= " + rng.choice((" ", " | ")).join(parts)


def compared(
    rng: random.Random, automaton: Automaton, trie: TokenTrie, pieces: Sequence[bytes]
) -> int:
    """Masks on a random way through the grammar; how many of them were wide."""
    masks = Masks(automaton, trie)
    state, wide = automaton.start, 0
    for _ in range(7):
        found = set_bits(masks.mask(state))
        assert found == by_bytes(automaton, pieces, ENDS, state)
        wide += len(found) > len(pieces) // 8
        going_on = [token for token in found if token not in ENDS]
        if not going_on:
            break
        state = masks.next_state(state, rng.choice(going_on))
    return wide


@pytest.mark.parametrize("seed", range(8))
def test_wide_masks_are_those_found_byte_by_byte(seed: int) -> None:
    rng = random.Random(seed)
    pieces = wide_pieces(rng, 800)
    trie = TokenTrie(pieces, None, ENDS)
    known = [trie.piece(token) for token in range(trie.tokens)]
    wide = 0
    for _ in range(25):
        with suppress(GrammarError):  # left recursion, or too ambiguous
            automaton = compile_grammar(wide_grammar(rng))
            wide += compared(rng, automaton, trie, known)
    assert wide > 30


def test_a_big_vocabulary() -> None:
    rng = random.Random(1)
    pieces = wide_pieces(rng, 20_000)
    trie = TokenTrie(pieces, None, ENDS)
    known = [trie.piece(token) for token in range(trie.tokens)]
    text = 'root ::= "\\"" ([^"\\\\\\x00-\\x1f] | "\\\\" [nt"]){0,64} "\\"" root?'
    automaton = compile_grammar(text)
    assert compared(rng, automaton, trie, known)


def test_texts_that_end_sooner_or_later() -> None:
    """Each count of a repeat, against tokens of each length."""
    pieces = [b"a" * n for n in range(1, 80)] + ["é".encode() * n for n in range(1, 80)]
    pieces += [piece + b'"' for piece in pieces] + [b"", b"\xc3", b"a\xc3", b'"']
    trie = TokenTrie(pieces)
    for count in (1, 2, 15, 16, 17, 18, 31, 32, 33, 34, 50, 64, 70):
        for low, high in ((0, count), (count, count), (count, "")):
            automaton = compile_grammar(f'root ::= [^"]{{{low},{high}}} "\\""')
            masks = Masks(automaton, trie)
            state = automaton.start
            for _ in range(3):
                wanted = by_bytes(automaton, pieces, (), state)
                assert set_bits(masks.mask(state)) == wanted
                if state != DEAD:
                    state = automaton.feed(state, b"aaa")


def test_a_text_that_only_some_characters_lead_on_in() -> None:
    """Lead bytes that go on, but not with all that may follow them."""
    pieces = [*BYTES, *(chr(n).encode() for n in range(0x80, 0x10FFFF, 97)
                        if not 0xD800 <= n < 0xE000)]  # fmt: skip
    trie = TokenTrie(pieces)
    known = [trie.piece(token) for token in range(trie.tokens)]
    for excluded in ("\\u07ff", "\\u0800", "\\ud7ff", "\\U00010000", "\\U0010ffff",
                     "\\u0080", "\\u0800-\\uffff", "\\x7f-\\U0010ffff"):  # fmt: skip
        for text in (f"[^{excluded}]*", f"[a-z{excluded}]*", f"[^{excluded}]{{40}}"):
            automaton = compile_grammar(f"root ::= {text}")
            masks = Masks(automaton, trie)
            for piece in (b"", b"a", b"\xed", b"\xf0\x90", b"\xf4\x8f\xbf"):
                state = automaton.feed(automaton.start, piece)
                wanted = by_bytes(automaton, known, (), state)
                assert set_bits(masks.mask(state)) == wanted
