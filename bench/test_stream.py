"""Whole replies read: bytes taken per second, in one piece and token by token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engines import Engine
from peers import ENGINES
from workloads import GRAMMARS, samples


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("chunk", ["whole", "token"])
@pytest.mark.parametrize("vocab", ["50k"])
@pytest.mark.parametrize("grammar", GRAMMARS)
def test_stream(
    benchmark: Any,
    engine_of: Callable[[str, str], Engine],
    grammar: str,
    vocab: str,
    chunk: str,
    engine: str,
) -> None:
    benchmark.group = f"stream[{grammar}-{vocab}-{chunk}]"
    found = engine_of(engine, vocab)
    replies = [reply.encode() for reply in samples(grammar)]
    tokens = [found.vocabulary.tokenize(reply).tolist() for reply in replies]
    compiled = found.compile(found.form(grammar))

    def read() -> None:
        for data, ids in zip(replies, tokens, strict=True):
            if chunk == "whole":
                found.read_whole(compiled, data, ids)
            else:
                found.read_tokens(compiled, ids)

    benchmark.pedantic(read, rounds=7, warmup_rounds=1)
    size = sum(map(len, replies))
    benchmark.extra_info["bytes"] = size
    benchmark.extra_info["bytes_per_s"] = size / benchmark.stats.stats.min
