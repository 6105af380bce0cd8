"""The one thread that owns a context, and the queue of what it is to do.

Generations come first, in order of arrival. Of the refreshes only the newest is worth
doing; it runs when no generation waits, gives way to one that comes, and goes on after.
What can wait is done in small pieces when there is no job at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from homellm_edge.engine.base import Request, Usage
from homellm_edge.errors import EngineError, HomellmEdgeError, TurnCancelledError
from homellm_edge.prompt.blocks import Prompt

THREAD_NAME = "homellm-edge"
NICENESS = 5

_MAX_NICENESS = 19
_STACK_BYTES = 16 << 20
_RETRY_IDLE = 60.0
_LONGEST_WAIT = 3600.0

_log = logging.getLogger(__name__)


class Switch(Protocol):
    """What stops a running decode; see `_llama_decode.Decoder`."""

    def cancel(self) -> None:
        """Stop what runs."""
        ...

    def resume(self) -> None:
        """Take `cancel` back."""
        ...


class GenerateJob:
    """One generation: bytes go from the worker's thread to the loop that asked."""

    def __init__(
        self,
        request: Request,
        usage: Usage,
        loop: asyncio.AbstractEventLoop,
        started: float,
    ) -> None:
        self.request = request
        self.usage = usage
        self.cancelled = False
        self._loop = loop
        self._started = started
        # Never longer than the context: a generation ends when that is full.
        self._queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield what `send` sent, until `finish`."""
        while (item := await self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def send(self, data: bytes) -> None:
        """Hand bytes to the loop; from the worker's thread."""
        if data:
            if not self.usage.first_byte_ms:
                self.usage.first_byte_ms = self._elapsed_ms()
            self._put(data)

    def finish(self, error: BaseException | None) -> None:
        """End the stream; from the worker's thread."""
        self.usage.total_ms = self._elapsed_ms()
        self._put(error)

    def _put(self, item: bytes | BaseException | None) -> None:
        # a loop that was closed meanwhile has nobody left to tell
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._started) * 1000


class RefreshJob:
    """One refresh; `evaluated` adds up over interruptions."""

    def __init__(self, prompt: Prompt, loop: asyncio.AbstractEventLoop) -> None:
        self.prompt = prompt
        self.evaluated = 0
        self.cancelled = False
        self.future: asyncio.Future[int] = loop.create_future()
        self._loop = loop

    def finish(self, error: BaseException | None) -> None:
        """Resolve the future; from any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._resolve, error)

    def _resolve(self, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(self.evaluated)
        else:
            self.future.set_exception(error)


Job = GenerateJob | RefreshJob


class _Idle:
    """Stands for no job: time for what can wait."""


class Worker:
    """Runs jobs in its own thread of low priority until `stop`."""

    def __init__(
        self,
        generate: Callable[[GenerateJob], None],
        refresh: Callable[[RefreshJob], None],
        idle: Callable[[], float],
        switch: Switch,
    ) -> None:
        self._generate = generate
        self._refresh = refresh
        self._idle = idle  # returns the seconds until it is worth calling again
        self._idling = False
        self._next_idle = 0.0
        self._switch = switch
        self._condition = threading.Condition()
        self._waiting: deque[GenerateJob] = deque()
        self._pending: RefreshJob | None = None
        self._running: Job | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        # musl gives threads 128 KiB of stack, too little for llama.cpp's parsers.
        before = threading.stack_size(_STACK_BYTES)
        try:
            self._thread.start()
        finally:
            threading.stack_size(before)

    def submit(self, job: Job) -> None:
        """Queue a job; from any thread. Raises TurnCancelledError after `stop`."""
        superseded = None
        with self._condition:
            if self._stopping:
                raise _closed()
            if isinstance(job, GenerateJob):
                self._waiting.append(job)
                if self._idling or isinstance(self._running, RefreshJob):
                    self._switch.cancel()
            else:
                superseded, self._pending = self._pending, job
                if self._idling:
                    self._switch.cancel()
            self._condition.notify()
        if superseded is not None:
            superseded.finish(None)

    def cancel(self, job: Job) -> None:
        """Stop a job that waits or runs; does nothing to a finished one."""
        with self._condition:
            job.cancelled = True
            if self._running is job:
                self._switch.cancel()

    def stop(self) -> None:
        """Cancel everything and wait for the thread to end."""
        with self._condition:
            self._stopping = True
            self._switch.cancel()
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        _lower_priority()
        while (job := self._next()) is not None:
            if isinstance(job, _Idle):
                self._do_idle()
                continue
            error: BaseException | None = None
            try:
                if isinstance(job, GenerateJob):
                    self._generate(job)
                else:
                    self._refresh(job)
            except HomellmEdgeError as err:
                error = err
            except Exception as err:  # noqa: BLE001 - the thread must outlive any bug
                error = EngineError(f"the engine failed ({type(err).__name__}: {err})")
                error.__cause__ = err
            self._done(job, error)
        for left in self._drain():
            left.finish(_closed())

    def _do_idle(self) -> None:
        wait = _RETRY_IDLE
        try:
            wait = self._idle()
        except TurnCancelledError:
            wait = 0.0  # a job came; after it
        except Exception:  # noqa: BLE001 - the thread must outlive any bug
            _log.exception("what could wait has failed")
        with self._condition:
            self._idling = False
            self._next_idle = time.monotonic() + wait

    def _next(self) -> Job | _Idle | None:
        with self._condition:
            while True:
                if self._stopping:
                    return None
                job: Job
                if self._waiting:
                    job = self._waiting.popleft()
                elif self._pending is not None:
                    job, self._pending = self._pending, None
                else:
                    left = self._next_idle - time.monotonic()
                    if left > 0:
                        # beyond that some systems cannot wait, and none needs to
                        self._condition.wait(min(left, _LONGEST_WAIT))
                        continue
                    self._switch.resume()
                    self._idling = True
                    return _Idle()
                if job.cancelled:
                    job.finish(_cancelled())
                    continue
                self._switch.resume()
                self._running = job
                return job

    def _done(self, job: Job, error: BaseException | None) -> None:
        with self._condition:
            self._running = None
            self._next_idle = time.monotonic()
            interrupted = (
                isinstance(job, RefreshJob)
                and isinstance(error, TurnCancelledError)
                and not job.cancelled
                and not self._stopping
            )
            if interrupted and isinstance(job, RefreshJob):
                if self._pending is None:
                    self._pending = job
                    return
                error = None  # a newer refresh waits and does its work
        job.finish(error)

    def _drain(self) -> list[Job]:
        with self._condition:
            left: list[Job] = [*self._waiting]
            self._waiting.clear()
            if self._pending is not None:
                left.append(self._pending)
                self._pending = None
            return left


def _lower_priority() -> None:
    thread = threading.get_native_id()
    with contextlib.suppress(OSError, AttributeError):
        nice = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(_MAX_NICENESS, nice + NICENESS))


def _closed() -> TurnCancelledError:
    return TurnCancelledError("the engine is closed")


def _cancelled() -> TurnCancelledError:
    return TurnCancelledError("the turn was cancelled")
