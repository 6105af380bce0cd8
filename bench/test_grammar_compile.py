"""A grammar from its text, the vocabulary prepared, nothing remembered."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from engines import Engine
from homellm_edge.grammar.automaton import Compiler
from peers import ENGINES
from workloads import GRAMMARS, VOCABULARIES, changed_home_text


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("grammar", GRAMMARS)
@pytest.mark.parametrize("vocab", VOCABULARIES)
def test_compile(
    benchmark: Any,
    engine_of: Callable[[str, str], Engine],
    grammar: str,
    vocab: str,
    engine: str,
) -> None:
    benchmark.group = f"grammar-compile[{grammar}-{vocab}]"
    found = engine_of(engine, vocab)
    form = found.form(grammar)
    benchmark.pedantic(found.compile, (form,), rounds=7, warmup_rounds=1)
    benchmark.extra_info["compile_us"] = benchmark.stats.stats.min * 1e6
    if engine == "ours" and grammar == "home":
        compiler = Compiler()
        compiler.compile(form)
        began = time.perf_counter()
        compiler.compile(changed_home_text())
        benchmark.extra_info["changed_us"] = (time.perf_counter() - began) * 1e6
