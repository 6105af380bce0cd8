"""Fixtures for all tests: tiny models, made once per run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from grammar_oracle import GrammarOracle


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama-architecture model with random weights, 450 kB, context of 2048."""
    from gguf_factory import write_llama

    return write_llama(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="session")
def mamba_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recurrent model with random weights: its memory cannot be cut."""
    from gguf_factory import write_mamba

    return write_mamba(tmp_path_factory.mktemp("models") / "mamba.gguf")


@pytest.fixture(scope="session")
def grammar_oracle(tiny_model: Path) -> Iterator[GrammarOracle]:
    """llama.cpp's grammar sampler over a vocabulary that has every byte."""
    from grammar_oracle import GrammarOracle

    oracle = GrammarOracle(tiny_model)
    yield oracle
    oracle.close()
