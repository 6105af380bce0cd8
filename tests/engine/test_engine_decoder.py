"""The compiled decoder: layouts, bounds, cancelling, and sampling under a grammar."""

from __future__ import annotations

import ctypes
import random
import re
import sys
import threading
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gguf_factory import write_llama
from homellm_edge._llama_decode import (
    CANCELLED,
    FUNCTIONS,
    Decoder,
    Sampler,
    bind,
    common_prefix,
    layouts,
)
from homellm_edge.engine.library import load_library
from homellm_edge.engine.llama import LlamaEngine, next_token

if TYPE_CHECKING:
    from oracle import Oracle

MANY = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
GRAMMARS = {
    'root ::= [a-f]{2,8} "."': r"[a-f]{2,8}\.",
    'root ::= ("the light" | "kitchen") " " [0-9]+ "%"': r"(the light|kitchen) [0-9]+%",
    'root ::= "é" ("ü" | "日本") [0-9à-ÿ日-本]{0,4} "!"': (
        "é(ü|日本)[0-9à-ÿ日-本]{0,4}!"
    ),
    'root ::= "a"* | "b" root': r"b*a*",
}


@pytest.fixture
def decoder(engine: LlamaEngine) -> Decoder:
    return engine._native.decoder


def tokens_of(text: str, decoder: Decoder) -> array:
    return decoder.tokenize(text.encode(), False, True)


def addresses() -> dict[str, int]:
    shared = load_library().calls._lib
    return {
        name: ctypes.cast(getattr(shared, name), ctypes.c_void_p).value
        for name in FUNCTIONS
    }


def test_bind_accepts_the_installed_library() -> None:
    assert bind(addresses(), layouts()) is not None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bind_names_a_missing_function(name: str) -> None:
    with pytest.raises(ImportError, match=f"no function {name}$"):
        bind(addresses() | {name: 0}, layouts())


@pytest.mark.parametrize(
    ("struct", "field"),
    [(struct, field) for struct, (_, fields) in layouts().items() for field in fields],
)
def test_bind_names_a_moved_field(struct: str, field: str) -> None:
    other = layouts()
    other[struct][1][field] += 4
    with pytest.raises(ImportError, match=f"{struct} has field {field} at offset"):
        bind(addresses(), other)


@pytest.mark.parametrize("struct", sorted(layouts()))
def test_bind_names_a_struct_of_another_size(struct: str) -> None:
    other = layouts()
    other[struct] = (other[struct][0] + 8, other[struct][1])
    with pytest.raises(ImportError, match=f"struct {struct} has .* bytes, not"):
        bind(addresses(), other)
    del other[struct]
    with pytest.raises(ImportError, match=f"struct {struct} is unknown"):
        bind(addresses(), other)


def test_bind_names_a_new_field() -> None:
    other = layouts()
    other["llama_batch"][1]["extra"] = 48
    with pytest.raises(ImportError, match="field extra at offset 48, not None"):
        bind(addresses(), other)


@given(
    st.lists(st.integers(0, 3), max_size=20), st.lists(st.integers(0, 3), max_size=20)
)
def test_common_prefix(first: list[int], second: list[int]) -> None:
    length = common_prefix(array("i", first), array("i", second))
    assert first[:length] == second[:length]
    assert length == min(len(first), len(second)) or first[length] != second[length]


async def test_wrong_arguments_are_refused(decoder: Decoder) -> None:
    one = array("i", [5])
    with pytest.raises(ValueError, match="not in the vocabulary"):
        decoder.prefill(array("i", [5, decoder.n_vocab]), 0)
    with pytest.raises(ValueError, match="not in the vocabulary"):
        decoder.prefill(array("i", [-1]), 0)
    with pytest.raises(ValueError, match="position"):
        decoder.prefill(one, -1)
    with pytest.raises(ValueError, match="position"):
        decoder.prefill(one, 2**31 - 1)
    for sequence in (-1, decoder.n_seq_max, 300):
        with pytest.raises(ValueError, match="sequence"):
            decoder.prefill(one, 0, sequence)
    for sequence in (-1, 256):
        with pytest.raises(ValueError, match="sequence"):
            decoder.remove(sequence, 0)
        with pytest.raises(ValueError, match="sequence"):
            decoder.copy(0, sequence)
    with pytest.raises(ValueError, match="not in the vocabulary"):
        decoder.piece(decoder.n_vocab)
    assert not decoder.is_end(-1)
    assert not decoder.is_end(decoder.n_vocab)
    with pytest.raises((TypeError, ValueError)):
        decoder.prefill(array("q", [5]), 0)
    # a gap in the positions is llama.cpp's to refuse: an error code, nothing changed
    decoder.clear()
    assert decoder.prefill(one, 0) == (1, 0)
    assert decoder.prefill(one, 5) == (0, -1)
    assert decoder.last_position() == 0


async def test_a_closed_decoder_refuses_everything(
    load: Callable[..., LlamaEngine],
) -> None:
    engine = load()
    decoder = engine._native.decoder
    sampler = Sampler(decoder)
    await engine.close()
    calls: list[Callable[[], object]] = [
        lambda: decoder.prefill(array("i", [1]), 0),
        lambda: decoder.sample(sampler),
        lambda: decoder.logits(),
        lambda: decoder.tokenize(b"a", False, False),
        lambda: decoder.piece(1),
        lambda: decoder.remove(0, 0),
        lambda: decoder.copy(0, 1),
        lambda: decoder.last_position(),
        lambda: decoder.clear(),
        lambda: Sampler(decoder),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match="closed"):
            call()
    decoder.cancel()


def generated(
    engine: LlamaEngine,
    prompt: array[int],
    grammar: str,
    sampler: Sampler,
    limit: int,
) -> Iterator[int]:
    """The tokens of a generation in which each is sampled, forced or not."""
    decoder = engine._native.decoder
    constraint = engine._native.constraints.begin(grammar)
    decoder.clear()
    decoder.prefill(prompt, 0, want_logits=True)
    for position in range(len(prompt), len(prompt) + limit):
        token = next_token(decoder, sampler, constraint)
        if token < 0 or decoder.is_end(token):
            return
        constraint.accept(token)
        yield token
        decoder.prefill(array("i", [token]), position, want_logits=True)


async def test_no_logits_no_sample(decoder: Decoder) -> None:
    decoder.clear()
    decoder.prefill(array("i", [1, 2]), 0)
    with pytest.raises(RuntimeError, match="no logits"):
        decoder.sample(Sampler(decoder))
    with pytest.raises(RuntimeError, match="no logits"):
        decoder.logits()


async def test_a_sampler_works_with_its_own_decoder_only(
    decoder: Decoder, load: Callable[..., LlamaEngine]
) -> None:
    other = load()
    with pytest.raises(ValueError, match="another decoder"):
        decoder.sample(Sampler(other._native.decoder))


@MANY
@given(text=st.text(max_size=60))
async def test_tokens_give_back_their_text(decoder: Decoder, text: str) -> None:
    data = text.encode(errors="replace")
    tokens = decoder.tokenize(data, False, False)
    assert b"".join(decoder.piece(token) for token in tokens) == data


async def test_special_tokens_are_parsed_only_when_asked(decoder: Decoder) -> None:
    text = b"<|im_start|>a"
    special = decoder.tokenize(text, False, True)
    assert decoder.is_unspeakable(special[0])
    assert decoder.piece(special[0]) == b""
    assert len(special) == 2
    assert len(decoder.tokenize(text, False, False)) > 5
    (end,) = decoder.tokenize(b"<|im_end|>", False, True)
    assert decoder.is_end(end)
    assert not decoder.is_unspeakable(end)


async def test_long_pieces_come_whole(
    tmp_path: Path, load: Callable[..., LlamaEngine]
) -> None:
    long = "<|" + "x" * 700 + "|>"
    path = write_llama(tmp_path / "long.gguf", special=(long, "<|im_end|>"))
    decoder = load(path)._native.decoder
    (token,) = decoder.tokenize(long.encode(), False, True)
    assert decoder.is_unspeakable(token)  # hidden, and nothing overflows
    assert decoder.piece(token) == b""


@pytest.mark.parametrize("grammar", GRAMMARS)
@MANY
@given(prompt=st.text("abcdefghij é", min_size=1, max_size=12))
async def test_check_first_equals_masking_everything(
    engine: LlamaEngine, oracle: Oracle, grammar: str, prompt: str
) -> None:
    decoder = engine._native.decoder
    tokens = tokens_of(prompt, decoder)
    expected = oracle.greedy(tokens.tolist(), 12, grammar)
    got = list(generated(engine, tokens, grammar, Sampler(decoder), 12))
    assert got == expected


@pytest.mark.parametrize("grammar", GRAMMARS)
@MANY
@given(seed=st.integers(0, 2**32 - 1), temperature=st.sampled_from([0.0, 0.7, 3.0]))
async def test_output_matches_the_grammar(
    engine: LlamaEngine, grammar: str, seed: int, temperature: float
) -> None:
    decoder = engine._native.decoder
    sampler = Sampler(decoder, temperature=temperature, seed=seed, top_k=0)
    tokens = tokens_of("the light", decoder)
    written = list(generated(engine, tokens, grammar, sampler, 200))
    assert not any(map(decoder.is_unspeakable, written))
    if len(written) < 200:
        output = b"".join(map(decoder.piece, written))
        assert re.fullmatch(GRAMMARS[grammar], output.decode())


@MANY
@given(seed=st.integers(0, 2**32 - 1))
async def test_bytes_of_no_text_are_not_chosen_under_a_grammar(
    engine: LlamaEngine, seed: int
) -> None:
    decoder = engine._native.decoder
    sampler = Sampler(decoder, temperature=9.0, top_k=0, seed=seed)
    for token in generated(engine, array("i", [1]), "root ::= [^a]{30}", sampler, 19):
        assert not set(decoder.piece(token)) & {0xC0, 0xC1, *range(0xF5, 0x100)}


@MANY
@given(seed=st.integers(0, 2**32 - 2), top_k=st.sampled_from([0, 3]))
async def test_drawing_again_is_drawing_among_the_allowed(
    decoder: Decoder, seed: int, top_k: int
) -> None:
    """A tuple of tokens and a mask of the same ones give the same token."""
    decoder.clear()
    decoder.prefill(array("i", [1]), 0, want_logits=True)
    chosen = random.Random(seed).sample(range(decoder.n_vocab), 5)
    bits = sum(1 << token for token in chosen)
    mask = bits.to_bytes(4 * ((decoder.n_vocab + 31) // 32), sys.byteorder)
    for temperature in (0.0, 2.0):
        found = {
            decoder.sample_among(
                Sampler(decoder, temperature=temperature, top_k=top_k, seed=seed), some
            )
            for some in (tuple(sorted(chosen)), mask)
        }
        assert len(found) == 1
        assert found <= set(chosen)
    logits = decoder.logits()
    best = min(chosen, key=lambda token: (-logits[token], token))
    assert decoder.sample_among(Sampler(decoder), tuple(chosen)) == best


async def test_nothing_allowed_and_masks_of_others(decoder: Decoder) -> None:
    decoder.clear()
    decoder.prefill(array("i", [1]), 0, want_logits=True)
    size = 4 * ((decoder.n_vocab + 31) // 32)
    for temperature in (0.0, 1.0):
        sampler = Sampler(decoder, temperature=temperature)
        assert decoder.sample_among(sampler, ()) == -1
        assert decoder.sample_among(sampler, bytes(size)) == -1
        for foreign in (bytes(size + 4), bytes(size - 4), (decoder.n_vocab,), (-1,)):
            with pytest.raises(ValueError, match="vocabulary"):
                decoder.sample_among(sampler, foreign)
        with pytest.raises(ValueError, match="more tokens"):
            decoder.sample_among(sampler, (1,) * (decoder.n_vocab + 1))


async def test_same_seed_same_tokens(decoder: Decoder) -> None:
    def run(seed: int) -> list[int]:
        decoder.clear()
        sampler = Sampler(decoder, temperature=2.0, top_k=0, seed=seed)
        out: list[int] = []
        decoder.prefill(array("i", [1]), 0, want_logits=True)
        while len(out) < 16:
            token = decoder.sample(sampler)
            out.append(token)
            decoder.prefill(array("i", [token]), len(out), want_logits=True)
        return out

    assert run(1) == run(1)
    assert len({tuple(run(seed)) for seed in range(6)}) > 1


async def test_cancel_in_another_thread_ends_a_prefill(
    tmp_path: Path, load: Callable[..., LlamaEngine]
) -> None:
    path = write_llama(tmp_path / "slow.gguf", layers=6, width=256, context=16384)
    decoder = load(path, n_ctx=16384)._native.decoder
    tokens = array("i", [7] * 16000)
    threading.Timer(0.05, decoder.cancel).start()
    done, rc = decoder.prefill(tokens, 0, want_logits=True)
    assert rc == CANCELLED
    assert done < len(tokens)
    assert decoder.last_position() == done - 1
    assert decoder.is_cancelled
    assert decoder.prefill(array("i", [7]), done) == (0, CANCELLED)
    decoder.resume()
    assert decoder.prefill(array("i", [7]), done, want_logits=True) == (1, 0)


async def test_a_model_of_nan_is_an_error_not_a_token(
    tmp_path: Path, load: Callable[..., LlamaEngine]
) -> None:
    path = write_llama(tmp_path / "nan.gguf")
    data = path.read_bytes()
    path.write_bytes(data[:-4096] + b"\xff" * 4096)
    decoder = load(path)._native.decoder
    decoder.prefill(array("i", [1]), 0, want_logits=True)
    for temperature in (0.0, 1.0):
        with pytest.raises(RuntimeError, match="not numbers"):
            decoder.sample(Sampler(decoder, temperature=temperature))


async def test_sequences_can_be_copied(decoder: Decoder) -> None:
    decoder.clear()
    decoder.prefill(array("i", [1, 2, 3, 4]), 0)
    decoder.copy(0, 200, 0, 2)
    assert decoder.last_position(200) == 1
    assert decoder.remove(0, 2)
    assert decoder.last_position(0) == 1
    assert decoder.last_position(7) == -1


# several sequences


async def test_runs_side_by_side_are_as_one_after_the_other(
    load: Callable[..., LlamaEngine],
) -> None:
    decoder = load(n_ctx=1024, kv_plan="block")._native.decoder
    texts = [tokens_of(f"light {'x' * n} on", decoder) for n in range(1, 9)]
    head = tokens_of("header", decoder)
    joined = array("i")
    for text in texts:
        joined += text

    def prepared() -> None:
        decoder.clear()
        decoder.prefill(head, 0)
        for sequence in range(1, 9):
            decoder.copy(0, sequence, 0, len(head))

    prepared()
    lengths = array("i", map(len, texts))
    assert decoder.prefill_side_by_side(joined, lengths, len(head), 1) == 0
    together = [decoder.take(n, len(head), -1, 18) for n in range(1, 9)]
    prepared()
    for sequence, text in enumerate(texts, 1):
        assert decoder.prefill(text, len(head), sequence) == (len(text), 0)
    alone = [decoder.take(n, len(head), -1, 18) for n in range(1, 9)]
    assert [len(state) for state in together] == [len(state) for state in alone]
    for one, two in zip(together, alone, strict=True):
        close = [
            abs(a - b) < 1e-4
            for a, b in zip(floats(one), floats(two), strict=True)
            if a == a and abs(a) < 1e3
        ]
        assert sum(close) > 0.99 * len(close)


def floats(state: bytes) -> array:
    """A state's bytes as numbers; those of its tables are nonsense."""
    return array("f", state[: len(state) // 4 * 4])


async def test_a_cancelled_group_leaves_no_token(
    load: Callable[..., LlamaEngine],
) -> None:
    decoder = load(n_ctx=1024, kv_plan="block")._native.decoder
    tokens = tokens_of("light on", decoder)
    decoder.cancel()
    both = array("i", [len(tokens)] * 2)
    assert decoder.prefill_side_by_side(tokens + tokens, both, 0, 1) == CANCELLED
    assert decoder.last_position(1) == decoder.last_position(2) == -1
    decoder.resume()


async def test_a_group_without_room_leaves_no_token(
    load: Callable[..., LlamaEngine],
) -> None:
    decoder = load(n_ctx=256, kv_plan="block")._native.decoder
    tokens = array("i", [5] * 200)
    both = array("i", [200, 200])
    assert decoder.prefill_side_by_side(tokens + tokens, both, 0, 1) == 1
    assert decoder.last_position(1) == decoder.last_position(2) == -1
    assert decoder.prefill(tokens, 0) == (200, 0)


async def test_wrong_arguments_of_groups_and_states(
    load: Callable[..., LlamaEngine],
) -> None:
    decoder = load(n_ctx=256, kv_plan="block")._native.decoder
    two = array("i", [5, 6])
    for lengths in ([1], [3], [0, 2], [-1, 3], [2**31 - 1]):
        with pytest.raises(ValueError, match=r"length|position"):
            decoder.prefill_side_by_side(two, array("i", lengths), 0, 1)
    ones = array("i", [1, 1])
    for first in (-1, decoder.n_seq_max - 1, 300):
        with pytest.raises(ValueError, match="sequence"):
            decoder.prefill_side_by_side(two, ones, 0, first)
    with pytest.raises(ValueError, match="position"):
        decoder.prefill_side_by_side(two, ones, -1, 1)
    with pytest.raises(ValueError, match="vocabulary"):
        decoder.prefill_side_by_side(array("i", [5, -6]), ones, 0, 1)
    assert decoder.prefill_side_by_side(array("i"), array("i"), 0, 1) == 0
    for sources in ([0], [256], [-1]):
        with pytest.raises(ValueError, match="sequence"):
            decoder.assemble(0, 0, array("i", sources))
    with pytest.raises(ValueError, match="start"):
        decoder.assemble(0, -1, array("i", [1]))
    for sequence, io in ((256, 1), (-1, 1), (0, decoder.n_seq_max)):
        with pytest.raises(ValueError, match="sequence"):
            decoder.take(sequence, io=io)
        with pytest.raises(ValueError, match="sequence"):
            decoder.put(b"x", sequence, io)
    assert not decoder.put(b"", 0, 1)
    assert not decoder.put(b"not a state at all", 0, 1)
    decoder.close()
    for call in (
        lambda: decoder.take(0),
        lambda: decoder.put(b"x", 0),
        lambda: decoder.assemble(0, 0, array("i")),
        lambda: decoder.prefill_side_by_side(two, ones, 0, 1),
    ):
        with pytest.raises(RuntimeError, match="closed"):
            call()


async def test_a_state_goes_out_and_in(load: Callable[..., LlamaEngine]) -> None:
    decoder = load(n_ctx=256, kv_plan="block")._native.decoder
    tokens = tokens_of("the light is on", decoder)
    decoder.prefill(tokens, 0, 0, True)
    expected = decoder.logits()
    state = decoder.take(0, 0, len(tokens) - 1, 18)
    decoder.clear()
    assert decoder.put(state, 0, 18)
    assert decoder.last_position(0) == len(tokens) - 2
    assert decoder.last_position(18) == -1
    decoder.prefill(tokens[-1:], len(tokens) - 1, 0, True)
    assert (
        max(abs(a - b) for a, b in zip(decoder.logits(), expected, strict=True)) < 1e-4
    )
    assert not decoder.put(state[: len(state) // 2], 5, 18)
    assert decoder.last_position(5) == decoder.last_position(18) == -1
