"""Which saved pieces of cache reach llama.cpp: those of the form that it wrote."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from edits import Home
from gguf_factory import write_gemma3, write_llama
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.kv.state import is_sound

Load = Callable[..., LlamaEngine]


def taken(engine: LlamaEngine, start: int, end: int) -> bytes:
    native = engine._native
    native.session.refresh(Home(1, 8).prompt())
    return native.decoder.take(0, start, end, native.decoder.n_seq_max - 1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"flash_attention": True},
        {"kv_type": "f16", "flash_attention": True},
        {"kv_type": "q8_0", "flash_attention": True},
        {"kv_type": "f16"},
    ],
)
async def test_what_llama_cpp_writes_is_sound(
    tmp_path: Path, load: Load, options: dict[str, object]
) -> None:
    path = write_llama(tmp_path / "m.gguf", width=128)  # heads as wide as a q8_0 block
    engine = load(path, n_ctx=1024, **options)
    for start, end in ((0, 1), (10, 60), (100, 228)):
        state = taken(engine, start, end)
        assert is_sound(state, start, end - start)
        assert not is_sound(state, start + 1, end - start)
        assert not is_sound(state, start, end - start + 1)
        assert not is_sound(state[:-1], start, end - start)
        assert not is_sound(state + b"\0", start, end - start)


async def test_the_two_caches_of_a_window(tmp_path: Path, load: Load) -> None:
    engine = load(write_gemma3(tmp_path / "w.gguf", window=256), n_ctx=1024)
    state = taken(engine, 20, 60)
    assert is_sound(state, 20, 40)
    assert not is_sound(state[: len(state) // 2], 20, 40)


async def test_forged_tables_never_reach_the_engine(load: Load) -> None:
    """Whatever is done to the table of cells: refused, or harmless to llama.cpp."""
    engine = load(n_ctx=1024)
    native = engine._native
    state = taken(engine, 10, 40)
    io = native.decoder.n_seq_max - 1
    rng = random.Random(1)
    refused = accepted = 0
    table = 16 + 30 * 12 + 40
    for _ in range(3000):
        forged = bytearray(state)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(table)
            value = rng.choice([0, 1, 2**31 - 1, 0xFFFFFFFF, rng.getrandbits(32)])
            forged[at : at + 4] = struct.pack("=I", value)
        if len(forged) != len(state) or not is_sound(bytes(forged), 10, 30):
            refused += 1
            continue
        accepted += 1
        before = native.decoder.last_position(0)
        native.decoder.put(bytes(forged), io - 1, io)
        native.decoder.remove(io - 1, -1, -1)
        assert native.decoder.last_position(0) == before
        assert native.decoder.last_position(io) == -1
    assert refused > 1000
    assert native.decoder.put(state, io - 1, io)
    print(f"{refused} forged states refused, {accepted} equal in form")


@pytest.mark.parametrize("state", [b"", b"\0" * 7, b"x" * 100, bytes(10_000)])
async def test_other_bytes_are_not_sound(state: bytes) -> None:
    assert not is_sound(state, 0, 1)
    assert not is_sound(state, 0, 0)


async def test_a_huge_claim_costs_nothing() -> None:
    head = struct.pack("=IiII", 0xAF143CD8, 0, 1, 2**31 - 1)
    assert not is_sound(head + bytes(64), 0, 2**31 - 1)
