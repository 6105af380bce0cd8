"""What a refresh costs after k of n devices have changed, by KV plan.

Tokens are counted where they are decoded. A round is a refresh and all that the plan
leaves for quiet times (`Session.idle`): the new snapshots of `causal` are in its
figures. `prefix` is what llama-cpp-python does, which is checked beside its `Llama`.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Any

import pytest

from changing_home import N_CTX, ChangingHome
from high_level import CountedLlama
from homellm_edge._llama_decode import common_prefix
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.kv import plans
from homellm_edge.kv.base import Memo
from homellm_edge.kv.causal import REBASE_SHARE
from homellm_edge.kv.session import Session
from homellm_edge.prompt.blocks import Prompt

_SIZES = [(n, k) for n in (10, 50, 200) for k in (1, 5, 20) if k <= n]
_PLANS = ("prefix", "causal", "block", "block-memo")
_SEED = 7
_ROUNDS = 20
_PREFIX_ROUNDS = {10: 20, 50: 10, 200: 5}
_PREFIX_COUNTED = 300
"""Refreshes of `prefix` whose tokens are counted, at most; the first are decoded."""
_NEW_STATES = 40
"""How often the series may change each device, on average."""
_SNAPSHOTS = 3
"""Snapshots of `causal` that a series has, or more."""
_BESIDE_LLAMA = [(10, 1), (50, 5)]


class CountingDecoder:
    """A decoder that counts the tokens it decodes."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.tokens = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def prefill(self, *arguments: Any, **options: Any) -> tuple[int, int]:
        done, rc = self._decoder.prefill(*arguments, **options)
        self.tokens += done
        return done, rc

    def prefill_side_by_side(
        self, tokens: array[int], lengths: array[int], position: int, first: int
    ) -> int:
        self.tokens += sum(lengths)
        return self._decoder.prefill_side_by_side(tokens, lengths, position, first)


@dataclass(frozen=True)
class Opened:
    """A session, the decoder that it uses, and its tokens of a text."""

    session: Session
    decoder: CountingDecoder
    memo: Memo

    def tokens(self, prompt: Prompt) -> array[int]:
        """Tokens of a prompt's home."""
        header = self.memo(prompt.header, True)
        return header + self.memo.joined([block.text for block in prompt.blocks])


@contextmanager
def opened(model: Path, plan: str) -> Iterator[Opened]:
    """A session of that plan, on a context as a user has it."""
    engine = LlamaEngine.load(
        model, n_ctx=N_CTX, n_threads=1, kv_plan=plan, probe=False
    )
    try:
        native = engine._native
        decoder = CountingDecoder(native.decoder)
        session = plans.make_session(plan, decoder, native.tokenize)
        yield Opened(session, decoder, Memo(native.tokenize))
    finally:
        asyncio.run(engine.close())


class Series:
    """Refreshes of one session, and what each cost."""

    def __init__(self, session: Session, decoder: CountingDecoder) -> None:
        self._session = session
        self._decoder = decoder
        self.tokens: list[int] = []
        self.refresh_ms: list[float] = []
        self.cells = 0
        """The most that a question would have seen."""
        self.snapshots: list[int] = []
        """How many refreshes there had been when each new snapshot was ready."""

    def refresh(self, prompt: Prompt) -> None:
        """Refresh, then do all that can wait."""
        began, before = perf_counter(), self._decoder.tokens
        self._session.refresh(prompt)
        self.refresh_ms.append((perf_counter() - began) * 1e3)
        length = self._session.length
        self.cells = max(self.cells, length)
        while not self._session.idle():
            pass
        self.tokens.append(self._decoder.tokens - before)
        if self._session.length < length:
            self.snapshots.append(len(self.tokens))


@pytest.mark.parametrize("plan", _PLANS)
@pytest.mark.parametrize(("n", "k"), _SIZES)
def test_refresh(benchmark: Any, home_model: Path, n: int, k: int, plan: str) -> None:
    benchmark.group = f"kv-refresh[{n}-{k}]"
    home = ChangingHome(n, _SEED)
    change = home.flip if plan == "block-memo" else home.change
    with opened(home_model, plan.removesuffix("-memo")) as found:
        first = Series(found.session, found.decoder)
        first.refresh(home.prompt)
        for _ in range(2 if plan == "block-memo" else 0):
            home.flip(n)  # so that each line has been there with both of its texts
            first.refresh(home.prompt)
        series = Series(found.session, found.decoder)

        def changed() -> tuple[tuple[Prompt], dict[str, Any]]:
            change(k)
            return (home.prompt,), {}

        benchmark.pedantic(series.refresh, setup=changed, rounds=_rounds(plan, n, k))
        assert not found.session.cut.blocks
        # of a series with snapshots, whole times from one to the next
        whole = series.snapshots[-1] if series.snapshots else len(series.tokens)
        counted = series.tokens[:whole]
        benchmark.extra_info.update(
            tokens_total=len(found.tokens(home.prompt)),
            tokens_timed=round(fmean(counted), 2),
            mean_ms=round(fmean(benchmark.stats.stats.data[:whole]) * 1e3, 3),
            refresh_p50_ms=round(median(series.refresh_ms), 3),
            rebases=len(series.snapshots),
            cells_most=series.cells,
        )
        if plan == "prefix":
            expected = _prefix_tokens(found, n, k)
            assert counted == expected[:whole]
            counted = expected
        benchmark.extra_info["tokens_evaluated"] = round(fmean(counted), 2)
        benchmark.extra_info["refreshes"] = len(counted)
        if plan == "prefix" and (n, k) in _BESIDE_LLAMA:
            tokens = _beside_llama(found, home_model, n, k)
            benchmark.extra_info["llama_cpp_python_tokens"] = tokens


def _rounds(plan: str, n: int, k: int) -> int:
    if plan == "prefix":
        return _PREFIX_ROUNDS[n]
    if plan == "causal":
        between = math.ceil(n * REBASE_SHARE / k) + 1  # refreshes, at most
        return max(_ROUNDS // 2, (_SNAPSHOTS + 1) * between)
    return _ROUNDS


def _prefix_tokens(found: Opened, n: int, k: int) -> list[int]:
    """What each refresh evaluates if the longest common prefix is kept."""
    home = ChangingHome(n, _SEED)
    texts = [found.tokens(home.prompt)]
    for _ in range(min(_PREFIX_COUNTED, _NEW_STATES * n // k)):
        home.change(k)
        texts.append(found.tokens(home.prompt))
    return [len(new) - common_prefix(old, new) for old, new in pairwise(texts)]


def _beside_llama(found: Opened, model: Path, n: int, k: int) -> float:
    """Tokens that llama-cpp-python's `Llama` decodes a question: the same as ours."""
    session, decoder, home = found.session, found.decoder, ChangingHome(n, _SEED)
    session.forget()
    llama = CountedLlama(model, N_CTX)
    theirs = []
    for _ in range(10):
        prompt, before = home.prompt, decoder.tokens
        session.prepare(prompt)
        session.ask()
        session.settle()
        theirs.append(llama.answer(prompt.text))
        assert theirs[-1] == decoder.tokens - before
        home.change(k)
    llama.close()
    return fmean(theirs[1:])
