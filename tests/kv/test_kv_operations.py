"""Thousands of operations in random order, with faults, leave a session as if new.

`HOMELLM_EDGE_KV_OPERATIONS` sets how many.
"""

from __future__ import annotations

import errno
import os
import random
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edits import Home
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.errors import HomellmEdgeError
from homellm_edge.kv import plans, store
from homellm_edge.kv.session import Session
from oracle import Oracle
from sessions import asked, tokens_of
from test_kv_session import _as_held

OPERATIONS = int(os.environ.get("HOMELLM_EDGE_KV_OPERATIONS", "10000"))
CONTEXT = 1024
CHECK_EVERY = 25
Load = Callable[..., LlamaEngine]


class Faulty:
    """A decoder that fails now and then, as the real one may, at the worst times."""

    def __init__(self, decoder: Any, rng: random.Random) -> None:
        self._decoder = decoder
        self._random = rng
        self.share = 0.0
        self.faults: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def _strikes(self, what: str) -> bool:
        struck = self._random.random() < self.share
        self.faults[what] += struck
        return struck

    def _cancelling(self) -> bool:
        if struck := self._strikes("cancel"):
            self._decoder.cancel()
        return struck

    def prefill(
        self, tokens: array, position: int, sequence: int = 0, want_logits: bool = False
    ) -> tuple[int, int]:
        if len(tokens) > 1 and self._strikes("part"):
            part = self._random.randrange(len(tokens))
            done, rc = self._decoder.prefill(tokens[:part], position, sequence)
            return done, rc or self._random.choice([1, 2, -1, -3])
        cancelled = self._cancelling()
        result = self._decoder.prefill(tokens, position, sequence, want_logits)
        if cancelled:
            self._decoder.resume()
        return result

    def prefill_side_by_side(self, *arguments: Any) -> int:
        if self._strikes("group"):
            return self._random.choice([1, 2, -1, -3])
        cancelled = self._cancelling()
        rc = self._decoder.prefill_side_by_side(*arguments)
        if cancelled:
            self._decoder.resume()
        return rc

    def take(self, *arguments: Any, **options: Any) -> bytes:
        if self._strikes("take"):
            raise MemoryError
        return self._decoder.take(*arguments, **options)

    def put(self, *arguments: Any, **options: Any) -> bool:
        return not self._strikes("put") and self._decoder.put(*arguments, **options)


class Life:
    """A session, what happens to it, and how often."""

    def __init__(self, engine: LlamaEngine, plan: str, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.engine = engine
        self.plan = plan
        self.folder = folder
        self.decoder = Faulty(engine._native.decoder, self.random)
        self.home = Home(seed, 10)
        self.done: Counter[str] = Counter()
        self.failed = 0
        self.session = self._new_session()

    def _new_session(self) -> Session:
        kept = store.Store(self.folder, b"i" * 32, daily_bytes=1 << 40)
        return plans.make_session(
            self.plan,
            self.decoder,
            self.engine._native.tokenize,
            store=kept,
            memo_bytes=200_000,
        )

    def step(self) -> None:
        names = ["refresh", "ask", "turn", "forget", "idle", "restart", "header"]
        name = self.random.choices(names, [40, 20, 15, 1, 20, 1, 1])[0]
        self.done[name] += 1
        try:
            getattr(self, name)()
        except HomellmEdgeError:
            self.failed += 1

    def refresh(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.home.edit()
        while len(self.home.blocks) > 12:
            self.home.remove()
        self.session.refresh(self.home.prompt())

    def ask(self) -> None:
        self.session.prepare(self.home.prompt(f"q {self.random.random()}"))
        self.session.ask([7] * self.random.randint(0, 3))
        for _ in range(self.random.randint(0, 4)):
            self.session.extend(array("i", [self.random.randrange(100)]))
        self.session.settle()

    def turn(self) -> None:
        self.ask()
        self.home.say()
        if len(self.home.turns) > 4 or self.random.random() < 0.2:
            self.home.turns.clear()
        self.session.refresh(self.home.prompt())

    def header(self) -> None:
        self.home.header = f"System {self.random.randint(0, 2)}.\n"
        self.session.refresh(self.home.prompt())

    def forget(self) -> None:
        self.session.forget()

    def idle(self) -> None:
        self.session.idle()

    def restart(self) -> None:
        self.session.save()
        self.engine._native.decoder.clear()
        self.session = self._new_session()


@pytest.mark.parametrize("plan", ["block", "causal"])
async def test_random_operations_with_faults(
    load: Load,
    tmp_path: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    plan: str,
) -> None:
    rng = random.Random(plan)
    oracle = Oracle(tiny_model, n_ctx=CONTEXT)
    engine, fresh = (load(n_ctx=CONTEXT, kv_plan=plan) for _ in range(2))
    life = Life(engine, plan, tmp_path / "kv", seed=len(plan))
    _spoil(monkeypatch, rng, life)
    memory = []
    checks = 0
    for number in range(OPERATIONS // 2):
        life.decoder.share = rng.choice([0, 0, 0.1, 0.4])
        life.step()
        if number % CHECK_EVERY:
            continue
        life.decoder.share = 0.0
        prompt = life.home.prompt()
        got = asked(engine, prompt, life.session)
        if plan == "block":
            fresh._native.session.forget()
            expected = asked(fresh, prompt)
        else:
            held = _as_held(_Holder(engine, life.session), prompt)
            expected = oracle.logits(tokens_of(engine, held))
        assert np.abs(got - expected).max() < 1e-4, number
        assert not life.session.cut.blocks
        life.session.settle()
        checks += 1
        memory.append(_resident_mib())
    oracle.close()
    faults = life.decoder.faults
    with capsys.disabled():
        print(
            f"\n{plan}: {sum(life.done.values())} operations, {checks} compared, "
            f"{sum(faults.values())} faults, {life.failed} operations failed; "
            f"resident {memory[len(memory) // 2]:.0f} -> {memory[-1]:.0f} MiB"
        )
    if OPERATIONS >= 2000:
        assert all(faults[kind] for kind in ("part", "group", "cancel", "put")) or (
            plan == "causal" and faults["part"] and faults["cancel"]
        )
        assert life.failed > 20
        assert memory[-1] - memory[len(memory) // 2] < 16


class _Holder:
    """An engine with another session, as far as `_as_held` looks."""

    def __init__(self, engine: LlamaEngine, session: Session) -> None:
        self._native = self
        self.session = session
        self.tokenize = engine._native.tokenize


def _spoil(monkeypatch: pytest.MonkeyPatch, rng: random.Random, life: Life) -> None:
    """Make the disk fail as often as the decoder does."""
    write = store._write

    def failing(*arguments: Any) -> None:
        if rng.random() < life.decoder.share:
            life.decoder.faults["disk"] += 1
            raise OSError(errno.ENOSPC, "no space left")
        write(*arguments)

    monkeypatch.setattr(store, "_write", failing)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
