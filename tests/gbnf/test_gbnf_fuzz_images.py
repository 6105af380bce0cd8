"""Damaged images of tries, automata and masks: nothing leads out of them."""

from __future__ import annotations

import struct
from array import array
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from fuzzing import INPUTS, check_refusal, exercise, failure, fuzzed
from homellm_edge._gbnf import (
    BYTES,
    CALL,
    NOT_TOKEN,
    RETURN,
    SPLIT,
    TOKEN,
    Automaton,
    Masks,
    TokenTrie,
)
from homellm_edge.errors import GrammarError
from homellm_edge.grammar.automaton import compile_grammar
from homellm_edge.grammar.store import grammar_digest, load_compiled
from homellm_edge.grammar.tokens import load_trie, trie_digest
from token_oracle import BYTES as ALL_BYTES

NUMBERS = (0, 1, 2, 3, 7, 255, 256, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[str, int, int, int, int]]:
    """What to do with an image's cells: kind, width, place, other place, number."""
    kinds = st.sampled_from(["set", "add", "add", "copy", "copy", "flip", "cut", "put"])
    place = st.integers(0, 1 << 20)
    number = st.sampled_from(NUMBERS) | st.integers(-3, 3)
    one = st.tuples(kinds, st.sampled_from([1, 2, 4, 4, 8]), place, place, number)
    return draw(st.lists(one, min_size=1, max_size=4))


def edited(image: bytes, what: list[tuple[str, int, int, int, int]]) -> bytes:
    data = bytearray(image)
    for kind, width, place, other, number in what:
        cells = len(data) // width
        if not cells:
            continue
        at, beside = place % cells * width, other % cells * width
        old = int.from_bytes(data[at : at + width], "little")
        if kind == "cut":
            del data[at : at + width]
        elif kind == "put":
            data[at:at] = bytes(width)
        else:
            new = {
                "set": number,
                "add": old + number,
                "copy": int.from_bytes(data[beside : beside + width], "little"),
                "flip": old ^ 1 << abs(number) % 32,
            }[kind]
            data[at : at + width] = (new % (1 << 8 * width)).to_bytes(width, "little")
    return bytes(data)


@pytest.fixture(scope="module")
def small() -> TokenTrie:
    return TokenTrie(
        [b"a", b"ab", b"abc", b"b", b"\xc3\xa9", b"b" * 18, b""], None, [6]
    )


NAMED = array(
    "i",
    [SPLIT, 1, 9, CALL, 3, 2, RETURN, 0, 0, BYTES, 97, 98, SPLIT, 3, 5, NOT_TOKEN, 1, 0,
     TOKEN, 0, 0, CALL, 0, 8, RETURN, 0, 0, BYTES, 0, 255, RETURN, 0, 0],
)  # fmt: skip


@pytest.fixture(scope="module")
def automata(small: TokenTrie) -> list[bytes]:
    """Images of what has tags, token terminals, deep stacks and dead ends."""
    made = [
        Automaton(NAMED, failure, tags={2: 2, 8: 3}),
        compile_grammar('root ::= x | "a" root "b"\nx ::= [^b]*', tags={"x": 1}),
        compile_grammar('root ::= ("ab" | "é"){0,20} "b"+'),
    ]
    for automaton in made:
        exercise(Masks(automaton, small), b"aab\xc3\xa9b")
    return [automaton.image for automaton in made]


NODE = struct.Struct("=IIHBx")
NODE_EDITS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(-2, 3)), max_size=3
)


def with_nodes(trie: TokenTrie, what: list[tuple[int, int, int]]) -> bytes:
    """The trie's image with numbers added to the fields of its nodes."""
    image = bytearray(trie.image)
    start = len(image) - 4 * trie.text_tokens - NODE.size * (trie.nodes + 1)
    for number, field, change in what:
        at = start + NODE.size * (number % (trie.nodes + 1))
        fields = list(NODE.unpack_from(image, at))
        fields[field] = max(fields[field] + change, 0)
        NODE.pack_into(image, at, *fields)
    return bytes(image)


@fuzzed(300)
@given(edits() | st.just([]), NODE_EDITS, INPUTS)
@example([], [(1, 0, 1)], b"aab")
def test_a_damaged_trie_leads_nowhere_else(
    small: TokenTrie,
    what: list[tuple[str, int, int, int, int]],
    nodes: list[tuple[int, int, int]],
    data: bytes,
) -> None:
    try:
        trie = TokenTrie.from_image(edited(with_nodes(small, nodes), what))
    except ValueError as err:
        check_refusal(err, "image")
        return
    event("taken")
    assert len(trie.vocabulary) <= len(trie.image) + 16
    assert all(token < trie.tokens for token in trie.end_tokens)
    for token in range(trie.tokens):
        trie.piece(token)
    for text in ('root ::= "a" "b"? "c"? | [b-ф]{0,20}', "root ::= [^c]*"):
        exercise(Masks(compile_grammar(text), trie), data)


LIMITS = st.just(1 << 20) | st.integers(3_000, 50_000)
MOVES = st.lists(st.tuples(st.integers(0, 90), st.integers(-2, 4)), max_size=9)


def with_moves(image: bytes, what: list[tuple[int, int]]) -> bytes:
    """An automaton's image with other states in its table, which comes last."""
    changed = bytearray(image)
    for number, state in what:
        struct.pack_into("=i", changed, len(changed) - 4 * (number + 1), state)
    return bytes(changed)


@fuzzed(300)
@given(st.integers(0, 2), st.just([]) | edits(), MOVES, LIMITS, INPUTS)
def test_a_damaged_automaton_leads_nowhere_else(
    small: TokenTrie,
    automata: list[bytes],
    which: int,
    what: list[tuple[str, int, int, int, int]],
    moves: list[tuple[int, int]],
    limit: int,
    data: bytes,
) -> None:
    image = with_moves(automata[which], moves)
    try:
        automaton = Automaton.from_image(
            edited(image, what), failure, limit=limit, work=300
        )
    except ValueError as err:
        check_refusal(err, "image", "instruction")
        return
    event("taken")
    assert automaton.memory <= limit
    exercise(Masks(automaton, small), data)


@fuzzed(200)
@given(st.integers(0, 2), edits(), st.integers(0, 4000), INPUTS)
def test_damaged_masks_lead_nowhere_else(
    small: TokenTrie,
    automata: list[bytes],
    which: int,
    what: list[tuple[str, int, int, int, int]],
    limit: int,
    data: bytes,
) -> None:
    automaton = Automaton.from_image(automata[which], failure)
    wide = TokenTrie([*ALL_BYTES, *(b"b" + one for one in ALL_BYTES)], None, [0])
    for trie in (small, wide):
        masks = Masks(automaton, trie)
        for state in range(automaton.states):
            masks.mask(state)
        try:
            found = Masks.from_image(
                automaton, trie, edited(masks.image, what), limit=limit
            )
        except ValueError as err:
            check_refusal(err, "image", "no state")
            continue
        event("taken")
        assert found.memory <= limit
        if trie is small:
            exercise(found, data)


@fuzzed(60)
@given(edits(), st.booleans())
def test_damaged_files_with_a_right_checksum(
    tmp_path: Path,
    small: TokenTrie,
    automata: list[bytes],
    what: list[tuple[str, int, int, int, int]],
    of_grammar: bool,
) -> None:
    digest = grammar_digest("", release="1")
    masks = Masks(Automaton.from_image(automata[1], failure), small)
    keys = bytes.fromhex(digest) + bytes.fromhex(trie_digest(small))
    grammar = keys + struct.pack("=Q", len(automata[1])) + automata[1] + masks.image
    content = edited(grammar if of_grammar else small.image, what)
    magic, version = (b"homellmG", 1) if of_grammar else (b"homellmT", 2)
    path = tmp_path / "file"
    path.write_bytes(
        struct.pack("=8sIIQ32s", magic, version, 0x01020304, len(content),
                    sha256(content).digest()) + content
    )  # fmt: skip
    try:
        if of_grammar:
            exercise(load_compiled(path, digest, small, failure), b"aab")
        else:
            exercise(Masks(compile_grammar("root ::= .*"), load_trie(path)), b"ab")
    except GrammarError as err:
        check_refusal(err)


def test_a_tree_whose_nodes_are_not_in_each_other_is_refused() -> None:
    """A node that ends behind its brother would send a walk to a depth above it."""
    image = bytearray(TokenTrie([b"a", b"b", b"bc"]).image)
    nodes = len(image) - 4 * 3 - 12 * 4
    assert struct.unpack_from("=II", image, nodes) == (1, 0)
    struct.pack_into("=I", image, nodes, 3)
    with pytest.raises(ValueError, match="lead out"):
        TokenTrie.from_image(bytes(image))
