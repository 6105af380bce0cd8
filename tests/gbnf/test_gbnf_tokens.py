"""Tokens under a grammar: every mask again byte by byte, and by llama.cpp itself."""

from __future__ import annotations

import os
import random
import struct
import threading
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from homellm_edge.errors import GrammarError
from homellm_edge.grammar import home_grammar
from homellm_edge.grammar.automaton import DEAD, compile_grammar
from homellm_edge.grammar.tokens import (
    Masks,
    TokenTrie,
    load_trie,
    save_trie,
    trie_digest,
    vocabulary_digest,
)
from homellm_edge.home import home_from_dict
from llama_masks import Vocabulary, whole_tokens
from token_oracle import BYTES, by_bytes, set_bits

GRAMMARS = Path(__file__).parents[2] / "grammars"
LETTERS = 'aabc[]{}": 01жψ漢😀\n'


def random_grammar(rng: random.Random, depth: int = 3) -> str:
    kind = rng.randint(0, 7 if depth else 3)
    letters = "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 3)))
    escaped = "".join(f"\\U{ord(letter):08x}" for letter in letters)
    if kind <= 1:
        item = f'"{escaped}"'
    elif kind == 2:
        item = f"[{rng.choice(['', '^'])}{escaped}]"
    elif kind == 3:
        item = rng.choice([".", "root"]) if depth < 3 else "."
    else:
        parts = [random_grammar(rng, depth - 1) for _ in range(rng.randint(1, 3))]
        item = "(" + rng.choice([" ", " ", " | "]).join(parts) + ")"
    return item + rng.choice(["", "", "", "?", "*", "+", "{2}", "{0,3}"])


def random_pieces(rng: random.Random) -> list[bytes]:
    """All bytes and parts of random texts, characters cut, some twice, some empty."""
    pieces = [*BYTES, b"", b"\xff\xfe", b"\x80\x80\x80\x80", b"\xed\xa0\x80", b"\0a"]
    for _ in range(400):
        text = "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 6))).encode()
        start = rng.randint(0, min(3, len(text) - 1))
        pieces.append(text[start : rng.randint(start + 1, len(text))])
    pieces += rng.choices(pieces, k=20)
    rng.shuffle(pieces)
    return pieces


@pytest.mark.parametrize("seed", range(12))
def test_masks_are_those_found_byte_by_byte(seed: int) -> None:
    rng = random.Random(seed)
    compared = few = many = ended = 0
    while compared < 40:
        pieces = random_pieces(rng)
        allowed = [rng.random() < 0.95 for _ in pieces]
        ends = rng.sample(range(len(pieces)), 2)
        known = [p if a else b"" for p, a in zip(pieces, allowed, strict=True)]
        trie = TokenTrie(pieces, allowed, ends)
        try:
            automaton = compile_grammar(f"root ::= {random_grammar(rng)}")
        except GrammarError:
            continue  # left recursion
        masks = Masks(automaton, trie)
        state = automaton.start
        for _ in range(6):
            try:
                wanted = by_bytes(automaton, known, ends, state)
            except GrammarError:
                break  # too ambiguous
            compared += 1
            mask = masks.mask(state)
            assert set_bits(mask) == wanted
            assert masks.mask(state) == mask
            listed = masks.allowed(state)
            assert listed == (tuple(wanted) if len(wanted) <= 64 else None)
            few, many = few + (listed is not None), many + (listed is None)
            ended += automaton.accepting(state)
            for token in range(len(pieces)):
                assert masks.allows(state, token) == (token in wanted)
                after = masks.next_state(state, token)
                if token in ends or token not in wanted:
                    assert after == DEAD
                else:
                    assert after == automaton.feed(state, pieces[token])
            going_on = [token for token in wanted if token not in ends]
            if not going_on:
                break
            state = masks.next_state(state, rng.choice(going_on))
    assert few
    assert many
    assert ended


def test_nothing_may_follow_a_dead_end() -> None:
    masks = Masks(compile_grammar('root ::= "a"'), TokenTrie(BYTES, None, [0]))
    assert masks.allowed(DEAD) == ()
    assert set_bits(masks.mask(DEAD)) == []
    assert masks.forced(DEAD) == b""
    assert not masks.allows(DEAD, 97)
    assert not masks.allows(DEAD, 0)
    assert masks.next_state(DEAD, 97) == DEAD


def test_cut_characters_go_on_where_they_were_cut() -> None:
    pieces = [b"x\xf0\x9f", b"\x98", b"\x80", b"\x81", b"\x98\x80y", b"y", b""]
    automaton = compile_grammar('root ::= "x" [\U0001f600] "y"')
    masks = Masks(automaton, TokenTrie(pieces, None, [6]))
    assert masks.allowed(automaton.start) == (0,)
    cut = masks.next_state(automaton.start, 0)
    assert masks.allowed(cut) == (1, 4)
    assert masks.allowed(masks.next_state(cut, 1)) == (2,)
    assert masks.allowed(masks.next_state(cut, 4)) == (6,)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=7))
@example(b"\x80\x80\x80")
@example(b"\x80\x80\x80\x80")
@example(b"\xe0\x9f")
@example(b"\xf4\x90")
@example(b"\xc1")
@example(b"a\xf0\x90")
def test_only_what_utf8_can_contain_is_text(piece: bytes) -> None:
    heads = [b"", b"\xc3", b"\xe4\xb8", b"\xe4", b"\xf1\x80\x80", b"\xf1\x80", b"\xf1"]
    tails = [b"", *(bytes([value]) for value in range(0x80, 0xC0, 16))]
    tails += [a + b for a in tails[1:] for b in tails[1:2]]
    tails += [a + b"\x80\x80" for a in tails[1:5]]

    def is_utf8(data: bytes) -> bool:
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
        return True

    possible = any(is_utf8(a + piece + z) for a in heads for z in tails)
    assert TokenTrie([piece]).piece(0) == (piece if possible else b"")


@pytest.mark.parametrize(
    ("grammar", "before", "forced"),
    [
        ('root ::= "one" | "only"', "", "on"),
        ('root ::= "one" | "only"', "onl", "y"),
        ('root ::= "ab" "cd"?', "", "ab"),
        ('root ::= "ab" "cd"?', "abc", "d"),
        ('root ::= [жз] "x"', "", b"\xd0"),
        ('root ::= "漢" [a-b]', "", "漢"),
        ("root ::= [ab]", "", ""),
        ('root ::= "a" | "a" [b]{2}', "", "a"),
        ('root ::= ("(" root ")")?', "", ""),
        ('root ::= ("(" root ")")?', "(", ""),
    ],
)
def test_forced(grammar: str, before: str, forced: str | bytes) -> None:
    automaton = compile_grammar(grammar)
    masks = Masks(automaton, TokenTrie(BYTES))
    wanted = forced if isinstance(forced, bytes) else forced.encode()
    assert masks.forced(automaton.feed(automaton.start, before.encode())) == wanted


def test_what_is_forced_for_ever_is_cut() -> None:
    automaton = compile_grammar('root ::= "ab" root')
    masks = Masks(automaton, TokenTrie(BYTES))
    assert masks.forced(automaton.start, 5) == b"ababa"
    assert masks.forced(automaton.start, 0) == b""
    assert masks.forced(automaton.start) == b"ab" * 2048


@pytest.mark.parametrize("seed", range(6))
def test_forced_bytes_are_the_only_ones(seed: int) -> None:
    rng = random.Random(seed)
    forced_bytes = 0
    while forced_bytes < 30:
        try:
            automaton = compile_grammar(f"root ::= {random_grammar(rng)}")
        except GrammarError:
            continue
        masks = Masks(automaton, TokenTrie(BYTES))
        state = automaton.start
        for _ in range(8):
            forced = masks.forced(state, 50)
            for byte in forced:
                assert not automaton.accepting(state)
                assert masks.allowed(state) == (byte,)
                state = automaton.step(state, byte)
                forced_bytes += 1
            following = masks.allowed(state)
            if len(forced) < 50:
                assert (
                    automaton.accepting(state)
                    or following is None
                    or (len(following) != 1)
                )
            if not following:
                break
            state = automaton.step(state, rng.choice(following))


def test_equal_masks_are_kept_once() -> None:
    automaton = compile_grammar("root ::= [a-z]{300}")
    pieces = [*BYTES, *(f"a{i}".encode() for i in range(500))]
    masks = Masks(automaton, TokenTrie(pieces))
    state = automaton.start
    for _ in range(299):
        assert masks.allowed(state) == tuple(range(97, 123))
        state = masks.next_state(state, 97)
    assert masks.states == 299
    assert masks.distinct == 1
    wide = compile_grammar("root ::= [^b] [^b] [^b]")
    pairs = [bytes([i, j]) for i in range(97, 123) for j in range(97, 123)]
    masks = Masks(wide, TokenTrie([*BYTES, *pairs]))
    later = masks.next_state(wide.start, 99)
    assert masks.allowed(later) is None
    assert masks.mask(later) is masks.mask(wide.start)
    assert masks.mask(masks.next_state(later, 99)) != masks.mask(later)
    assert masks.distinct == 2


def test_memory_stays_bounded_and_masks_right() -> None:
    rng = random.Random(3)
    automaton = compile_grammar('root ::= ("a" | "." [a-z]+ "." | "{" root "}")*')
    pieces = [*BYTES, *(os.fsencode(f"{chr(97 + i % 26)}{i}") for i in range(300))]
    pieces += [bytes(rng.choices(b"abcx..{}", k=3)) for _ in range(600)]
    trie = TokenTrie(pieces, None, [0])
    small, large = Masks(automaton, trie, limit=2_500), Masks(automaton, trie)
    none = Masks(automaton, trie, limit=0)
    state, most = automaton.start, 0
    for _ in range(300):
        assert small.mask(state) == large.mask(state) == none.mask(state)
        assert small.allowed(state) == large.allowed(state) == none.allowed(state)
        most = max(most, small.states)
        assert small.memory <= 2_500
        going_on = [token for token in set_bits(large.mask(state)) if token]
        state = large.next_state(state, rng.choice(going_on)) if going_on else 0
    assert 0 < most < large.states
    assert small.distinct <= small.states
    assert none.states == none.memory == 0


def test_the_automaton_says_when_it_is_too_big() -> None:
    text = 'root ::= "a"? "b"? ("(" root ")" | "[" root "]")?'
    automaton = compile_grammar(text, memory=300_000)
    pieces = [*BYTES, *(bytes([40, 91, 40, i, j]) for i in (40, 91) for j in (40, 91))]
    masks = Masks(automaton, TokenTrie(pieces))
    rng = random.Random(1)

    def deepen() -> None:
        state = automaton.start
        while True:
            assert masks.allowed(state) is not None
            state = masks.next_state(state, rng.choice((40, 91)))

    with pytest.raises(GrammarError, match="more memory"):
        deepen()


def test_one_from_several_threads() -> None:
    rng = random.Random(4)
    automaton = compile_grammar((GRAMMARS / "json.gbnf").read_text())
    masks = Masks(automaton, TokenTrie(random_pieces(rng), None, [0]), limit=20_000)
    texts = [b'{"a": [0, 1, {"b": "c\\n"}]}', b"[1, 2.5e3, [[[[[[null]]]]]]", b'"x']
    alone = compile_grammar((GRAMMARS / "json.gbnf").read_text())
    right = Masks(alone, TokenTrie(random_pieces(random.Random(4)), None, [0]))
    wanted = {
        text[:end]: right.mask(alone.feed(alone.start, text[:end]))
        for text in texts
        for end in range(len(text) + 1)
    }
    wrong: list[bytes] = []

    def ask(seed: int) -> None:
        order = list(wanted)
        random.Random(seed).shuffle(order)
        for text in order:
            state = automaton.feed(automaton.start, text)
            if masks.mask(state) != wanted[text]:
                wrong.append(text)
            masks.forced(state)

    threads = [threading.Thread(target=ask, args=[seed]) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="no token 2 to end"):
        TokenTrie([b"a", b"b"], None, [2])
    with pytest.raises(ValueError, match="1 tokens are allowed or not"):
        TokenTrie([b"a", b"b"], [True])
    with pytest.raises(ValueError, match="too many"):
        TokenTrie([b"a" * 70_000])
    with pytest.raises(TypeError):
        TokenTrie(["a"])  # type: ignore[list-item]
    automaton = compile_grammar('root ::= "a"')
    masks = Masks(automaton, TokenTrie([b"a"]))
    for token in (-1, 1):
        with pytest.raises(ValueError, match="no token"):
            masks.allows(automaton.start, token)
        with pytest.raises(ValueError, match="no token"):
            masks.next_state(automaton.start, token)
    for call in (masks.mask, masks.allowed, masks.forced):
        with pytest.raises(ValueError, match="no state"):
            call(1000)


def test_empty_and_unprepared_things_do_no_harm() -> None:
    automaton = compile_grammar('root ::= "a"')
    masks = Masks(automaton, TokenTrie([]))
    assert masks.mask(automaton.start) == b""
    assert masks.allowed(automaton.start) == ()
    bare = TokenTrie.__new__(TokenTrie)
    assert bare.tokens == bare.nodes == 0
    assert Masks(automaton, bare).mask(automaton.start) == b""
    with pytest.raises(TypeError, match="never set up"):
        Masks.__new__(Masks).allowed(0)
    with pytest.raises(TypeError, match="twice"):
        TokenTrie([b"a"]).__init__([b"b"])  # type: ignore[misc]


def test_a_trie_comes_back_from_its_file(tmp_path: Path) -> None:
    pieces = random_pieces(random.Random(5))
    trie = TokenTrie(pieces, bytes([1] * (len(pieces) - 1) + [0]), [3, 1])
    path = tmp_path / "vocabulary.trie"
    save_trie(trie, path)
    save_trie(trie, path)
    assert list(tmp_path.iterdir()) == [path]
    loaded = load_trie(path, trie_digest(trie))
    assert loaded.image == trie.image
    assert loaded.end_tokens == (1, 3)
    assert [loaded.piece(i) for i in range(loaded.tokens)] == [
        trie.piece(i) for i in range(len(pieces))
    ]
    automaton = compile_grammar((GRAMMARS / "json.gbnf").read_text())
    assert Masks(automaton, loaded).mask(automaton.start) == Masks(
        automaton, trie
    ).mask(automaton.start)


def test_the_digest_names_the_vocabulary() -> None:
    pieces = random_pieces(random.Random(6))
    digest = vocabulary_digest(pieces, None, [2])
    assert digest == trie_digest(TokenTrie(pieces, None, (2, 2)))
    others = {
        vocabulary_digest(pieces, None, [3]),
        vocabulary_digest(pieces, None, [2, 3]),
        vocabulary_digest([*pieces, b""], None, [2]),
        vocabulary_digest([*pieces[:-1], b"other"], None, [2]),
        vocabulary_digest([b"ab", b"c"]),
        vocabulary_digest([b"a", b"bc"]),
        digest,
    }
    assert len(others) == 7


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.trie"
    save_trie(TokenTrie([b"a", b"ab", b"b"], None, [2]), path)
    good = path.read_bytes()
    with pytest.raises(GrammarError, match="another vocabulary"):
        load_trie(path, "0" * 64)
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(GrammarError, match="cannot be used"):
            load_trie(path)
        path.write_bytes(good[:place])
        with pytest.raises(GrammarError, match="cannot be used"):
            load_trie(path)
    path.write_bytes(good + b"\0")
    with pytest.raises(GrammarError, match="is damaged"):
        load_trie(path)
    assert load_trie_of(path, good).tokens == 3


def load_trie_of(path: Path, data: bytes) -> TokenTrie:
    path.write_bytes(data)
    return load_trie(path)


@settings(deadline=None, max_examples=400)
@given(st.integers(0, 1 << 30), st.integers(0, 255), st.integers(0, 1 << 30))
def test_an_image_with_a_right_checksum_cannot_lead_out(
    place: int, value: int, second: int
) -> None:
    image = bytearray(TokenTrie([b"a", b"ab", b"abc", b"b", b"\xc3"], None, [4]).image)
    image[place % len(image)] = value
    image[second % len(image)] ^= 1 << (second % 8)
    automaton = compile_grammar('root ::= "a" "b"? "c"? | [b-ф]')
    try:
        trie = TokenTrie.from_image(bytes(image))
    except ValueError:
        return
    masks = Masks(automaton, trie)
    tokens = range(trie.tokens)
    assert set(set_bits(masks.mask(automaton.start))) <= set(tokens)
    for token in tokens:
        masks.allows(automaton.start, token)
        assert len(trie.piece(token)) <= len(image)


def test_a_forged_header_is_not_enough(tmp_path: Path) -> None:
    image = TokenTrie([b"a"]).image[:-4] + b"\xff\xff\xff\xff"
    header = struct.pack(
        "=8sIIQ32s", b"homellmT", 2, 0x01020304, len(image), sha256(image).digest()
    )
    with pytest.raises(GrammarError, match="lead out"):
        load_trie_of(tmp_path / "v.trie", header + image)


def random_tokens(
    masks: Masks,
    start: int,
    rng: random.Random,
    whole: set[int],
    openers: set[int],
    longest: int,
) -> list[int]:
    """Tokens of whole characters that the grammar allows one after the other.

    Those that can open a block or an object come often.
    """
    tokens: list[int] = []
    state = start
    while len(tokens) < longest:
        choice = [t for t in set_bits(masks.mask(state)) if t in whole]
        if not choice:
            break
        liked = [t for t in choice if t in openers]
        tokens.append(rng.choice(liked if liked and rng.random() < 0.3 else choice))
        state = masks.next_state(state, tokens[-1])
    return tokens


@pytest.mark.parametrize("name", ["json", "generic", "home"])
def test_masks_are_llama_cpps(vocabulary: Vocabulary, name: str) -> None:
    if name == "home":
        entities = [
            {"entity_id": "light.kitchen", "name": "Kitchen light"},
            {"entity_id": "lock.door", "name": "Tür 😀"},
        ]
        grammar = home_grammar(home_from_dict({"entities": entities}))
    else:
        grammar = (GRAMMARS / f"{name}.gbnf").read_text()
    automaton = compile_grammar(grammar)
    trie = TokenTrie(vocabulary.pieces, vocabulary.allowed, vocabulary.ends)
    masks = Masks(automaton, trie)
    whole = whole_tokens(vocabulary)
    rng = random.Random(name)
    openers = {t for t in whole if vocabulary.pieces[t][:1] in (b"`", b"{")}
    steps = few = 0
    while steps < 200:
        tokens = random_tokens(masks, automaton.start, rng, whole, openers, 60)
        steps += len(tokens) + 1
        for _, theirs, ours in vocabulary.differences(
            grammar, masks, automaton.start, tokens
        ):
            # llama.cpp lets control tokens and bytes that are not in UTF-8 be text
            assert not ours
            assert not [token for token in theirs if trie.piece(token)]
            assert not theirs & set(vocabulary.ends)
        few += sum(token in openers for token in tokens)
    assert few
