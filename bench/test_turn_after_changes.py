"""A question after devices have changed, through the engine's own API.

Group `turn`. With `k` 20 the home has changed and the engine was told in the
background; with `k` 0 nothing ever changes. Both are asked in turn, in one loop, each
by an engine of its own: what the machine does besides is the same for both. The answer
is forced, so that its length is the same, too.

`test_changed_before_asked` has the seed's way beside it: llama-cpp-python's `Llama`,
which is told of a change when the next question comes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest
from llama_cpp import LlamaGrammar

from changing_home import N_CTX, ChangingHome
from high_level import CountedLlama
from homellm_edge.engine.base import Request, Usage
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.prompt.blocks import Prompt

ANSWER = "ok"
GRAMMAR = f'root ::= "{ANSWER}"'
CHANGED = 20

_SEED = 11
_CHANGES, _ASKED = 6, 6
"""How often the home changes, and how often it is asked each time."""
_BEST_OF = 3
_LATE_ROUNDS = 20
_REST_S = 0.03


class Asked:
    """A home, the engine that knows it, and what questions about it took."""

    def __init__(
        self, model: Path, size: int, plan: Any, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.home = ChangingHome(size, _SEED)
        self.ms: list[float] = []
        self._loop = loop
        self._engine = LlamaEngine.load(
            model, n_ctx=N_CTX, n_threads=1, kv_plan=plan, probe=False
        )
        self.question = len(self._engine.tokenize(self.home.prompt.question))
        self.refresh()
        self.rest()

    def refresh(self) -> None:
        """Tell the engine of the home, as the integration does in the background."""
        self._loop.run_until_complete(self._engine.refresh(self.home.prompt))

    def rest(self) -> None:
        """Let the engine do what can wait."""
        used = _REST_S
        while used > _REST_S / 10:
            before = time.process_time()
            time.sleep(_REST_S)
            used = time.process_time() - before

    def ask(self) -> float:
        """Ask; milliseconds until the answer is complete."""
        prompt, usage = self.home.prompt, Usage()
        began = time.perf_counter()
        answer = self._loop.run_until_complete(self._answer(prompt, usage))
        took = (time.perf_counter() - began) * 1e3
        assert answer == ANSWER.encode()
        assert usage.evaluated == self.question  # and nothing else
        assert not usage.left_out
        return took

    def asked(self) -> None:
        """Ask, and remember how long that took."""
        self.ms.append(self.ask())

    def close(self) -> None:
        """Free the engine."""
        self._loop.run_until_complete(self._engine.close())

    async def _answer(self, prompt: Prompt, usage: Usage) -> bytes:
        parts = self._engine.generate(Request(prompt, GRAMMAR), usage)
        return b"".join([part async for part in parts])


@pytest.fixture
def asked(home_model: Path) -> Iterator[Callable[[int, str], Asked]]:
    """Makes homes with an engine; all are closed at the end."""
    loop = asyncio.new_event_loop()
    made: list[Asked] = []

    def make(size: int, plan: str) -> Asked:
        made.append(Asked(home_model, size, plan, loop))
        return made[-1]

    yield make
    for one in made:
        one.close()
    loop.close()


@pytest.mark.parametrize("k", [0, CHANGED])
@pytest.mark.parametrize("plan", ["block", "causal"])
@pytest.mark.parametrize("n", [50, 200])
def test_after_changes(
    benchmark: Any, asked: Callable[[int, str], Asked], n: int, plan: str, k: int
) -> None:
    benchmark.group = f"turn[{n}-{plan}]"
    still, changed = asked(n, plan), asked(n, plan)
    timed, beside = (changed, still) if k else (still, changed)
    at_once: list[float] = []

    def before() -> None:
        if len(timed.ms) % _ASKED == 0:
            changed.home.change(CHANGED)
            changed.refresh()
            at_once.append(changed.ask())
            changed.rest()
            still.refresh()
        beside.asked()

    benchmark.pedantic(timed.asked, setup=before, rounds=_CHANGES * _ASKED)
    benchmark.extra_info.update(
        tokens_evaluated=timed.question,
        p50_ms=round(median(timed.ms), 3),
        quiet_p50_ms=round(_quiet(timed.ms), 3),
    )
    if k:
        benchmark.extra_info.update(
            unchanged_p50_ms=round(median(still.ms), 3),
            unchanged_quiet_p50_ms=round(_quiet(still.ms), 3),
            to_unchanged=round(_quiet(changed.ms) / _quiet(still.ms), 4),
            at_once_p50_ms=round(median(at_once), 3),
        )


def _quiet(ms: list[float]) -> float:
    """The median, each time the best of three: a busy machine only ever adds."""
    groups = (ms[i : i + _BEST_OF] for i in range(0, len(ms), _BEST_OF))
    return median(min(group) for group in groups)


@pytest.mark.parametrize(("n", "k"), [(50, 5)])
@pytest.mark.parametrize("plan", ["block", "causal"])
def test_changed_before_asked(
    benchmark: Any,
    asked: Callable[[int, str], Asked],
    home_model: Path,
    n: int,
    k: int,
    plan: str,
) -> None:
    benchmark.group = f"turn[late-{n}-{k}]"
    ours, llama = asked(n, plan), CountedLlama(home_model, N_CTX)
    grammar = LlamaGrammar.from_string(GRAMMAR, verbose=False)
    llama.answer(ours.home.prompt.text, grammar)
    theirs: list[float] = []
    tokens: list[int] = []

    def before() -> None:
        ours.home.change(k)
        ours.refresh()
        ours.rest()
        text = ours.home.prompt.text
        began = time.perf_counter()
        tokens.append(llama.answer(text, grammar))
        theirs.append((time.perf_counter() - began) * 1e3)

    benchmark.pedantic(ours.asked, setup=before, rounds=_LATE_ROUNDS)
    llama.close()
    benchmark.extra_info.update(
        tokens_evaluated=ours.question,
        ttft_p50_ms=round(median(ours.ms), 3),
        llama_cpp_python_tokens=round(fmean(tokens), 2),
        llama_cpp_python_ttft_p50_ms=round(median(theirs), 3),
        tokens_ratio=round(ours.question / fmean(tokens), 4),
        ttft_ratio=round(median(ours.ms) / median(theirs), 4),
    )
