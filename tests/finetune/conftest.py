"""Makes `training` and the tests' own module importable; one thread, no network."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory):
    """Folder of a base model by architecture; random weights, made once."""
    from functools import cache

    import tiny_models

    folder = tmp_path_factory.mktemp("bases")
    return cache(lambda kind: tiny_models.write(kind, folder / kind))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A small data set: eight conversations as ChatML texts."""
    import tiny_models

    return tiny_models.write_rows(tmp_path / "rows.jsonl")
