"""Compiled grammars in files: they come back as they were, or not at all."""

from __future__ import annotations

import random
import struct
from array import array
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homellm_edge._gbnf import NOT_TOKEN, RETURN, SPLIT, TOKEN
from homellm_edge.errors import GrammarError
from homellm_edge.grammar.automaton import DEAD, Automaton, compile_grammar
from homellm_edge.grammar.store import grammar_digest, load_compiled, save_compiled
from homellm_edge.grammar.tokens import Masks, TokenTrie, trie_digest
from token_oracle import BYTES, by_bytes, set_bits

GRAMMARS = Path(__file__).parents[2] / "grammars"
JSON = (GRAMMARS / "json.gbnf").read_text()
DIGEST = grammar_digest(JSON, release="1")
PIECES = [*BYTES, b"true", b'{"', b'": "', b"ab", "é".encode(), *(
    f"{n} text".encode() for n in range(100))]  # fmt: skip
SMALL = 'root ::= ("a" | "(" root ")" | [^()a]{2,9})* "."'
TAGGED = 'root ::= (x | "(" root ")")+\nx ::= [a-z]{1,3} | "é"'


def failure(reason: str) -> GrammarError:
    return GrammarError(reason, "make it smaller")


def used(
    automaton: Automaton, trie: TokenTrie, seed: int = 1, steps: int = 60
) -> Masks:
    """Masks of a random way through the grammar."""
    rng = random.Random(seed)
    masks = Masks(automaton, trie)
    state = automaton.start
    for _ in range(steps):
        choice = set_bits(masks.mask(state))
        state = masks.next_state(state, rng.choice(choice)) if choice else DEAD
        if state == DEAD:
            state = automaton.start
    return masks


@pytest.fixture(scope="module")
def trie() -> TokenTrie:
    return TokenTrie(PIECES, None, [0])


@pytest.mark.parametrize(
    "text", [JSON, SMALL, 'root ::= ""', "root ::= [^\\x00-\\U0010ffff]"]
)
def test_a_compiled_grammar_comes_back(
    tmp_path: Path, trie: TokenTrie, text: str
) -> None:
    automaton = compile_grammar(text)
    masks = used(automaton, trie)
    digest = grammar_digest(text, release="1")
    path = tmp_path / "g.compiled"
    assert save_compiled(path, masks, digest)
    assert save_compiled(path, masks, digest)
    assert list(tmp_path.iterdir()) == [path]
    loaded = load_compiled(path, digest, trie, failure)
    again = loaded.grammar
    assert (loaded.states, loaded.distinct) == (masks.states, masks.distinct)
    assert (again.states, again.start) == (automaton.states, automaton.start)
    assert (again.image, loaded.image) == (automaton.image, masks.image)
    assert loaded.vocabulary is trie
    known = [trie.piece(token) for token in range(trie.tokens)]
    for state in range(automaton.states):
        assert again.accepting(state) == automaton.accepting(state)
        for byte in (0, 34, 40, 97, 0xC3):
            assert again.step(state, byte) == automaton.step(state, byte)
        assert loaded.allowed(state) == masks.allowed(state)
        assert loaded.mask(state) == masks.mask(state)
    if automaton.states:
        # what had not been reached before is reached afterwards
        for seed in (2, 3):
            rest = used(again, trie, seed, 20)
            for state in range(0, again.states, 7):
                wanted = by_bytes(again, known, [0], state)
                assert set_bits(rest.mask(state)) == wanted


def test_tags_and_token_terminals_come_back(trie: TokenTrie) -> None:
    automaton = compile_grammar(TAGGED, tags={"x": 1, "root": 5})
    states = [automaton.feed(automaton.start, b"(ab(c)"[:n]) for n in range(7)]
    again = Automaton.from_image(automaton.image, failure)
    assert [again.tags(state) for state in states] == [
        automaton.tags(state) for state in states
    ]
    assert again.tags(again.feed(states[-1], b"(z")) == automaton.tags(
        automaton.feed(states[-1], b"(z")
    )
    program = array("i", [SPLIT, 1, 3, TOKEN, 260, 0, RETURN, 0, 0, NOT_TOKEN, 7, 0,
                          RETURN, 0, 0])  # fmt: skip
    named = Automaton(program, failure)
    masks = used(named, trie)
    back = Masks.from_image(
        Automaton.from_image(named.image, failure), trie, masks.image
    )
    assert back.mask(named.start) == masks.mask(named.start)
    assert back.next_state(named.start, 260) == masks.next_state(named.start, 260)


def test_limits_hold_for_what_is_loaded(trie: TokenTrie) -> None:
    automaton = compile_grammar(JSON)
    masks = used(automaton, trie)
    with pytest.raises(GrammarError, match="more memory"):
        Automaton.from_image(automaton.image, failure, limit=30_000)
    few = Masks.from_image(automaton, trie, masks.image, limit=3000)
    assert few.memory <= 3000
    assert few.states < masks.states
    for state in range(automaton.states):
        assert few.mask(state) == masks.mask(state)


def test_files_of_others_are_refused(tmp_path: Path, trie: TokenTrie) -> None:
    path = tmp_path / "g.compiled"
    save_compiled(path, used(compile_grammar(JSON), trie), DIGEST)
    other = grammar_digest(JSON, release="2")
    with pytest.raises(GrammarError, match="another grammar"):
        load_compiled(path, other, trie, failure)
    with pytest.raises(GrammarError, match="another vocabulary"):
        load_compiled(path, DIGEST, TokenTrie(PIECES, None, [1]), failure)
    with pytest.raises(ValueError, match="not a SHA-256"):
        load_compiled(path, "abcd", trie, failure)
    path.write_bytes(b"homellmT" + path.read_bytes()[8:])
    with pytest.raises(GrammarError, match="not a file of a compiled grammar"):
        load_compiled(path, DIGEST, trie, failure)
    with pytest.raises(FileNotFoundError):
        load_compiled(tmp_path / "none", DIGEST, trie, failure)


def test_the_digest_names_the_grammar() -> None:
    digests = [
        grammar_digest("a", release="1"),
        grammar_digest("a", "b", release="1"),
        grammar_digest("ab", "", release="1"),
        grammar_digest("a", release="2"),
        grammar_digest("a", release="1", tags={"x": 1}),
        grammar_digest("a", release="1", tags={"x": 2}),
        grammar_digest("a", release="1", tags={"x": 1, "y": 2}),
    ]
    assert len(set(digests)) == len(digests)
    assert digests[-1] == grammar_digest("a", release="1", tags={"y": 2, "x": 1})
    assert all(len(bytes.fromhex(digest)) == 32 for digest in digests)


@pytest.fixture(scope="module")
def small_trie() -> TokenTrie:
    return TokenTrie([b"a", b"(", b")", b"b", b"bc", b".", b"", b"\xc3"], None, [6])


@pytest.fixture(scope="module")
def images(small_trie: TokenTrie) -> tuple[bytes, bytes]:
    masks = used(compile_grammar(SMALL), small_trie)
    return masks.grammar.image, masks.image


def test_each_damaged_byte_is_found(
    tmp_path: Path, small_trie: TokenTrie, images: tuple[bytes, bytes]
) -> None:
    automaton, image = images
    masks = Masks.from_image(
        Automaton.from_image(automaton, failure), small_trie, image
    )
    path = tmp_path / "g.compiled"
    save_compiled(path, masks, DIGEST)
    good = path.read_bytes()
    rng = random.Random(1)
    for place in [*range(130), *rng.sample(range(len(good)), 200)]:
        path.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :])
        with pytest.raises(GrammarError, match="cannot be used"):
            load_compiled(path, DIGEST, small_trie, failure)
        path.write_bytes(good[:place])
        with pytest.raises(GrammarError, match="cannot be used"):
            load_compiled(path, DIGEST, small_trie, failure)
    path.write_bytes(good + b"\0")
    with pytest.raises(GrammarError, match="is damaged"):
        load_compiled(path, DIGEST, small_trie, failure)


NUMBERS = (0, 1, 2, 3, 5, 255, 256, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


def work_with(masks: Masks) -> None:
    """Uses everything there is; only this package's own errors may come."""
    automaton = masks.grammar
    try:
        for state in range(-1, min(automaton.states, 50)):
            tokens = set_bits(masks.mask(state))
            assert all(token < masks.vocabulary.tokens for token in tokens)
            masks.allowed(state)
            masks.forced(state, 100)
            for token in range(masks.vocabulary.tokens):
                masks.next_state(state, token)
            automaton.feed(state, b"a(b)bc.\xc3\xa9")
            automaton.tags(state)
    except GrammarError:
        pass
    assert len(masks.image) > 0
    assert len(automaton.image) > 0


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_images_with_wrong_numbers_do_no_harm(
    small_trie: TokenTrie, images: tuple[bytes, bytes], data: st.DataObject
) -> None:
    """A right checksum is no licence: any number may stand where another was."""
    parts = [bytearray(image) for image in images]
    for _ in range(data.draw(st.integers(1, 3))):
        part = data.draw(st.sampled_from(parts))
        kind = data.draw(st.sampled_from(("bit", "number", "count", "cut", "more")))
        place = (
            data.draw(st.integers(0, len(part) // 4 - 1)) * 4 if len(part) > 3 else 0
        )
        if kind == "bit" and part:
            part[place] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "number" and len(part) > place + 4:
            value = data.draw(st.sampled_from(NUMBERS))
            part[place : place + 4] = struct.pack("=I", value)
        elif kind == "count" and len(part) >= 48:
            which = 8 * data.draw(st.integers(0, 5))
            change = data.draw(st.sampled_from((-1, 1, 2, 1 << 33, -(1 << 40))))
            (count,) = struct.unpack_from("=q", part, which)
            struct.pack_into("=q", part, which, count + change)
        elif kind == "cut":
            del part[place:]
        elif kind == "more":
            part += bytes(4)
    try:
        automaton = Automaton.from_image(bytes(parts[0]), failure, work=1000)
        masks = Masks.from_image(automaton, small_trie, bytes(parts[1]))
    except (ValueError, GrammarError):
        return
    work_with(masks)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_may_be_an_image(small_trie: TokenTrie, data: bytes) -> None:
    automaton = compile_grammar(SMALL)
    with pytest.raises(ValueError, match="image"):
        Automaton.from_image(b"\1" + data, failure)
    with pytest.raises(ValueError, match="image"):
        Masks.from_image(automaton, small_trie, b"\xff" * 8 + data)


def test_a_forged_file_is_refused(
    tmp_path: Path, small_trie: TokenTrie, images: tuple[bytes, bytes]
) -> None:
    automaton, masks = images
    vocabulary = bytes.fromhex(trie_digest(small_trie))
    path = tmp_path / "g"
    for length, end in ((len(automaton) + 8, b""), (1 << 63, b""), (0, b""),
                        (len(automaton), b"\0" * 4)):  # fmt: skip
        keys = bytes.fromhex(DIGEST) + vocabulary + struct.pack("=Q", length)
        content = keys + automaton + masks + end
        path.write_bytes(
            struct.pack("=8sIIQ32s", b"homellmG", 1, 0x01020304, len(content),
                        sha256(content).digest()) + content
        )  # fmt: skip
        with pytest.raises(GrammarError, match="is damaged"):
            load_compiled(path, DIGEST, small_trie, failure)
    content = content[:20]
    path.write_bytes(
        struct.pack("=8sIIQ32s", b"homellmG", 1, 0x01020304, 20,
                    sha256(content).digest()) + content
    )  # fmt: skip
    with pytest.raises(GrammarError, match="too short"):
        load_compiled(path, DIGEST, small_trie, failure)
