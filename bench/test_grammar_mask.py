"""The tokens that may follow, step by step along replies."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engines import Engine
from forced_share import forced_share
from peers import ENGINES
from workloads import GRAMMARS, VOCABULARIES, grammar_text, samples

_PASSES = 3
_FEWER = {"llama.cpp": (4, 1), ("xgrammar", "json"): (2, 1)}
"""Engines whose masks take milliseconds: so many replies, so many passes."""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("state", ["cold", "warm"])
@pytest.mark.parametrize("grammar", GRAMMARS)
@pytest.mark.parametrize("vocab", VOCABULARIES)
def test_mask(
    benchmark: Any,
    engine_of: Callable[[str, str], Engine],
    grammar: str,
    vocab: str,
    state: str,
    engine: str,
) -> None:
    benchmark.group = f"grammar-mask[{grammar}-{vocab}-{state}]"
    found = engine_of(engine, vocab)
    replies = samples(grammar)
    count, passes = _FEWER.get(
        engine, _FEWER.get((engine, grammar), (len(replies), _PASSES))
    )
    end = found.vocabulary.end
    tokens = [
        [*found.vocabulary.tokenize(reply.encode()), end] for reply in replies[:count]
    ]
    form = found.form(grammar)
    kept = found.compile(form)
    if state == "warm" and found.keeps:
        _walk(found, kept, tokens)
    times: list[list[int]] = []

    def fresh() -> tuple[tuple[Any], dict[str, Any]]:
        return (found.compile(form) if state == "cold" else kept,), {}

    benchmark.pedantic(
        lambda compiled: times.append(_walk(found, compiled, tokens)),
        setup=fresh,
        rounds=passes,
    )
    steps = np.min(np.array(times), axis=0) / 1e3
    benchmark.extra_info.update(
        p50_us=float(np.percentile(steps, 50)),
        p99_us=float(np.percentile(steps, 99)),
        mean_us=float(steps.mean()),
        steps=len(steps),
        replies=count,
    )
    if engine == "ours":
        share = forced_share(found.vocabulary, grammar_text(grammar), replies)
        benchmark.extra_info["forced_share"] = share


def _walk(engine: Engine, compiled: Any, replies: list[list[int]]) -> list[int]:
    """Nanoseconds of each mask along the replies."""
    clock = time.perf_counter_ns
    times = []
    gc.disable()
    try:
        for tokens in replies:
            run = engine.start(compiled)
            for token in tokens:
                run.before()
                began = clock()
                run.mask()
                times.append(clock() - began)
                if token != engine.vocabulary.end:
                    run.accept(token)
    finally:
        gc.enable()
    return times
