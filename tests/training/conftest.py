"""Makes `training` and the tests' own data module importable, here and in workers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]


@pytest.fixture(scope="session")
def tokenizer():
    import random

    import fake_training_data as data
    from training.tokenizer import Tokenizer

    texts = data.CORPUS(random.Random(1), 2000)
    return Tokenizer.train(texts, data.SPECIALS, data.MACROS, 400)
