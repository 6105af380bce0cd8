from __future__ import annotations

from collections.abc import Iterator

import pytest

from gguf_factory import SPECIAL, write_llama
from llama_judge import Judge
from llama_masks import Vocabulary


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    found = Judge(tmp_path_factory.mktemp("judge"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vocabulary]:
    extra = ("ж", "漢", "😀", '{"', "```", "<|x|>")
    path = tmp_path_factory.mktemp("v") / "v.gguf"
    found = Vocabulary(write_llama(path, special=SPECIAL + extra, tensors=False))
    for text in extra[:-1]:  # the factory marks them as control tokens
        found.allowed[found.pieces.index(text.encode())] = True
    yield found
    found.close()
