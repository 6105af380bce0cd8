"""Fixtures of the tests of engine and KV cache, imported by their conftest.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from homellm_edge.engine.llama import LlamaEngine
from oracle import Oracle

EXACT = {"n_threads": 1, "kv_type": "f32", "flash_attention": False, "probe": False}


@pytest.fixture
async def engine(tiny_model: Path) -> AsyncIterator[LlamaEngine]:
    """An engine on the tiny model, with one thread and an exact KV cache."""
    engine = LlamaEngine.load(tiny_model, n_ctx=1024, **EXACT)
    yield engine
    await engine.close()


@pytest.fixture
async def load(tiny_model: Path) -> AsyncIterator[Callable[..., LlamaEngine]]:
    """Loads engines that are closed at the end of the test."""
    engines = []

    def load(path: Path = tiny_model, **options: object) -> LlamaEngine:
        engines.append(LlamaEngine.load(path, **(EXACT | options)))
        return engines[-1]

    yield load
    for engine in engines:
        await engine.close()


@pytest.fixture(scope="session")
def oracle(tiny_model: Path) -> Iterator[Oracle]:
    """Llama.cpp through ctypes alone, evaluating everything from the start."""
    oracle = Oracle(tiny_model)
    yield oracle
    oracle.close()


@pytest.fixture(scope="session")
def mamba_oracle(mamba_model: Path) -> Iterator[Oracle]:
    """The same for the recurrent model."""
    oracle = Oracle(mamba_model)
    yield oracle
    oracle.close()
