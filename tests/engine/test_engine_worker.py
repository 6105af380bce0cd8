"""Who is served when: generations first, only the newest refresh, nothing lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from homellm_edge.engine.base import Request, Usage
from homellm_edge.engine.worker import GenerateJob, RefreshJob, Worker
from homellm_edge.errors import ContextFullError, EngineError, TurnCancelledError
from homellm_edge.prompt.blocks import Prompt


class Engine:
    """Jobs that take as long as the test wants, and obey the switch."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.go_on = threading.Event()
        self.begun: list[str] = []
        self.idled = 0
        self.rest: Callable[[int], float] | None = None
        self.worker = Worker(self.generate, self.refresh, self.idle, self)
        self.worker.start()

    def cancel(self) -> None:
        self.cancelled.set()

    def resume(self) -> None:
        self.cancelled.clear()

    def generate(self, job: GenerateJob) -> None:
        self._work(job.request.prompt.header)
        job.send(job.request.prompt.header.encode())

    def refresh(self, job: RefreshJob) -> None:
        job.evaluated += 1
        self._work(job.prompt.header)

    def idle(self) -> float:
        self.idled += 1
        return self.rest(self.idled) if self.rest else float("inf")

    def _work(self, name: str) -> None:
        self.begun.append(name)
        if name == "bug":
            raise KeyError("bug")
        if name == "full":
            raise ContextFullError("full")
        deadline = time.monotonic() + 60
        while not self.go_on.wait(0.001) and time.monotonic() < deadline:
            if self.cancelled.is_set():
                raise TurnCancelledError("cancelled")
        if self.cancelled.is_set():
            raise TurnCancelledError("cancelled")

    async def has_begun(self, count: int) -> None:
        while len(self.begun) < count:  # noqa: ASYNC110 - a thread fills it
            await asyncio.sleep(0.001)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.go_on.set()
    engine.worker.stop()


def ask(engine: Engine, name: str) -> tuple[GenerateJob, asyncio.Task[bytes]]:
    job = GenerateJob(
        Request(Prompt(name)), Usage(), asyncio.get_running_loop(), time.perf_counter()
    )

    async def collect() -> bytes:
        return b"".join([chunk async for chunk in job.chunks()])

    engine.worker.submit(job)
    return job, asyncio.create_task(collect())


def refresh(engine: Engine, name: str) -> RefreshJob:
    job = RefreshJob(Prompt(name), asyncio.get_running_loop())
    engine.worker.submit(job)
    return job


async def test_a_generation_interrupts_a_refresh_which_goes_on(engine: Engine) -> None:
    background = refresh(engine, "home")
    await engine.has_begun(1)
    _, answer = ask(engine, "question")
    await engine.has_begun(2)
    engine.go_on.set()
    assert await answer == b"question"
    assert await background.future == 2
    assert engine.begun == ["home", "question", "home"]


async def test_a_generation_does_not_interrupt_a_generation(engine: Engine) -> None:
    _, first = ask(engine, "first")
    await engine.has_begun(1)
    _, second = ask(engine, "second")
    later = refresh(engine, "home")
    _, third = ask(engine, "third")
    await asyncio.sleep(0.01)
    assert not engine.cancelled.is_set()
    engine.go_on.set()
    assert await asyncio.gather(first, second, third) == [
        b"first",
        b"second",
        b"third",
    ]
    assert await later.future == 1
    assert engine.begun == ["first", "second", "third", "home"]


async def test_what_can_wait_is_done_when_there_is_no_job(engine: Engine) -> None:
    while not engine.idled:  # noqa: ASYNC110 - a thread counts
        await asyncio.sleep(0.001)
    engine.rest = lambda count: 0.0 if count < 10 else float("inf")
    engine.go_on.set()
    _, answer = ask(engine, "question")
    await answer
    while engine.idled < 10:  # noqa: ASYNC110 - a thread counts
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)
    assert engine.idled == 10


async def test_a_job_interrupts_what_can_wait(engine: Engine) -> None:
    begun = threading.Event()

    def rest(_: int) -> float:
        begun.set()
        if not engine.cancelled.wait(30):
            return float("inf")
        raise TurnCancelledError("cancelled")

    engine.go_on.set()
    await refresh(engine, "home").future
    engine.rest = rest
    await refresh(engine, "home").future
    await asyncio.to_thread(begun.wait, 30)
    began = time.monotonic()
    _, answer = ask(engine, "question")
    assert await answer == b"question"
    engine.rest = None
    assert time.monotonic() - began < 20


async def test_a_bug_in_what_can_wait_stops_nothing(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def rest(_: int) -> float:
        raise KeyError("bug")

    engine.rest = rest
    engine.go_on.set()
    for _ in range(2):
        assert await refresh(engine, "home").future == 1
    while "has failed" not in caplog.text:  # noqa: ASYNC110 - a thread logs
        await asyncio.sleep(0.001)
    engine.rest = None


async def test_only_the_newest_refresh_is_worth_doing(engine: Engine) -> None:
    _, answer = ask(engine, "question")
    await engine.has_begun(1)
    refreshes = [refresh(engine, f"home {n}") for n in range(5)]
    engine.go_on.set()
    counts = await asyncio.gather(*(job.future for job in refreshes))
    assert counts == [0, 0, 0, 0, 1]
    assert await answer == b"question"
    assert engine.begun == ["question", "home 4"]


async def test_an_interrupted_refresh_yields_to_a_newer_one(engine: Engine) -> None:
    old = refresh(engine, "old")
    await engine.has_begun(1)
    ask(engine, "question")
    await engine.has_begun(2)
    new = refresh(engine, "new")
    engine.go_on.set()
    assert await new.future == 1
    assert await old.future == 1
    assert engine.begun == ["old", "question", "new"]


@pytest.mark.parametrize("running", [True, False])
async def test_cancelling_one_job_leaves_the_others(
    engine: Engine, running: bool
) -> None:
    jobs = [ask(engine, f"question {n}") for n in range(3)]
    await engine.has_begun(1)
    engine.worker.cancel(jobs[0 if running else 1][0])
    if running:
        await engine.has_begun(2)
    engine.go_on.set()
    results = await asyncio.gather(*(task for _, task in jobs), return_exceptions=True)
    for number, result in enumerate(results):
        if number == (0 if running else 1):
            assert isinstance(result, TurnCancelledError)
        else:
            assert result == f"question {number}".encode()


async def test_cancelling_late_does_not_hit_the_next(engine: Engine) -> None:
    engine.go_on.set()
    first, answer = ask(engine, "first")
    assert await answer == b"first"
    _, second = ask(engine, "second")
    engine.worker.cancel(first)
    assert await second == b"second"


async def test_errors_reach_the_caller_and_the_thread_lives_on(engine: Engine) -> None:
    engine.go_on.set()
    with pytest.raises(EngineError, match="KeyError"):
        await ask(engine, "bug")[1]
    with pytest.raises(ContextFullError):
        await ask(engine, "full")[1]
    with pytest.raises(EngineError, match="KeyError"):
        await refresh(engine, "bug").future
    assert await ask(engine, "good")[1] == b"good"


@pytest.mark.parametrize("kind", [ask, refresh])
async def test_stop_cancels_what_runs_and_waits(
    engine: Engine, kind: Callable[[Engine, str], object]
) -> None:
    kind_of_job = kind(engine, "running")
    await engine.has_begun(1)
    waiting = [refresh(engine, "home").future]
    if kind is ask:
        waiting += [kind_of_job[1], ask(engine, "waiting")[1]]
    else:
        waiting.append(kind_of_job.future)
    await asyncio.get_running_loop().run_in_executor(None, engine.worker.stop)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, TurnCancelledError) for result in results)
    with pytest.raises(TurnCancelledError, match="closed"):
        ask(engine, "late")
