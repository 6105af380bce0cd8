"""One turn from sentence to answer: ground, ask the model, check, execute, tell."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .agreement import agrees
from .dialects import (
    DIALECTS,
    Dialect,
    HintSource,
    MeaningSource,
    PromptOptions,
    Reply,
    Situation,
    Step,
)
from .engine.base import Backend, Usage
from .errors import CallError, ModelError, SentenceError
from .execute import CallResult, Executor
from .grounding.clauses import split_clauses
from .grounding.exclusions import spared, split_exclusion
from .grounding.kept import Grounders
from .grounding.text import Token, words
from .home import Entity, Home
from .lookups import LOOKED_UP, tell
from .policy import needs_confirmation
from .prompt import PastTurn
from .queries import Query, answer
from .services import ServiceCall
from .speech import ask_back, replies_in, tell_refusal, tell_results
from .stream import Malformed, Object, Speech, StreamEvent, StreamParser
from .undo import restoring_calls

LONGEST_SENTENCE = 1000
"""Characters; speech is far below it, and a grounded sentence fits any context."""

LIVE_SECONDS = 300.0
"""How long a conversation's turns stay in the KV cache, as Home Assistant has it."""

_CONVERSATIONS = 32
_SMALL_TALK = frozenset(["chat", "hello", "thanks", "stay"])
"""Nothing is answered to these where something was done as well."""


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """Options of an agent, read anew for every turn; `history` counts turns."""

    prompt: PromptOptions = field(default_factory=PromptOptions)
    history: int = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What a person said. `area` is the id of the area they are in, if known."""

    text: str
    area: str | None = None
    language: str = "en"
    conversation_id: str = ""
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class SpeechDelta:
    """The next piece of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class CallDone:
    """A call was carried out or failed."""

    result: CallResult


@dataclass(frozen=True, slots=True)
class TurnDone:
    """The end of a turn; `response` equals the joined speech."""

    response: str
    calls: tuple[ServiceCall, ...]
    queries: tuple[dict[str, Any], ...]
    usage: Usage
    timing_ms: dict[str, float]
    continue_conversation: bool


AgentEvent = SpeechDelta | CallDone | TurnDone


@dataclass(slots=True)
class _Memory:
    """What one conversation is remembered by."""

    turns: deque[PastTurn] = field(default_factory=lambda: deque(maxlen=20))
    recent: tuple[str, ...] = ()
    pending: tuple[ServiceCall, ...] = ()
    undoable: tuple[Entity, ...] = ()
    """Devices as they were before the last turn that did something."""


@dataclass(slots=True)
class _Turn:
    """What has happened in the turn so far.

    `spoken` is all that was said, `written` the model's output, `told` what was said
    beside it.
    """

    began: float
    language: str = "en"
    results: list[CallResult] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    asked_back: list[ServiceCall] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    before: dict[str, Entity] = field(default_factory=dict)
    spared: Sequence[str] = ()
    """Devices that the sentence excludes."""
    spoken: str = ""
    told: str = ""
    written: bytearray = field(default_factory=bytearray)
    first_call_ms: float = 0.0


class Agent:
    """Answers questions with one backend and one home."""

    def __init__(
        self,
        backend: Backend,
        executor: Executor,
        options: AgentOptions | None = None,
        hints: HintSource | None = None,
    ) -> None:
        self.options = options or AgentOptions()
        self._backend = backend
        self._executor = executor
        self._hints = hints
        self._grounders = Grounders()
        self._memories: OrderedDict[str, _Memory] = OrderedDict()
        self._spoke_at = 0.0

    async def turn(self, question: Question) -> AsyncIterator[AgentEvent]:
        """Answer one question. Raises SentenceError or EngineError and their kin."""
        _check(question.text)
        turn = _Turn(time.perf_counter(), question.language)
        usage = Usage()
        memory = self._memory(question.conversation_id)
        home = self._executor.home()
        if memory.pending:
            pending, memory.pending = memory.pending, ()
            if agrees(question.text, question.language):
                for call in pending:
                    yield CallDone(await self._execute(turn, call))
                for told in self._tell(turn, home):
                    yield told
                situation = self._situation(home, question, memory)
                yield self._done(turn, situation, memory, usage)
                return
        said = self._grounders.of(home, question.language).read(question.text)
        situation = self._situation(home, question, memory, said=said)
        first_byte_ms = 0.0
        for clause in self._clauses(said):
            whole = situation if clause is said else None
            async for out in self._ask(turn, question, clause, memory, usage, whole):
                yield out
            first_byte_ms = first_byte_ms or usage.first_byte_ms
        usage.first_byte_ms = first_byte_ms
        if "undo" in turn.replies:
            async for undone in self._undo(turn, situation, memory):
                yield undone
        await self._answer(turn, question.now)
        for told in self._tell(turn, home):
            yield told
        memory.pending = tuple(turn.asked_back)
        memory.recent = _touched(turn) or memory.recent
        yield self._done(turn, situation, memory, usage)

    def _clauses(self, said: Sequence[Token]) -> list[Sequence[Token]]:
        """The commands of the sentence, each for itself if the model knows one."""
        return split_clauses(said) if self._dialect().hinted else [said]

    async def _ask(
        self,
        turn: _Turn,
        question: Question,
        said: Sequence[Token],
        memory: _Memory,
        usage: Usage,
        situation: Situation | None,
    ) -> AsyncIterator[AgentEvent]:
        """Ask the model one thing and carry out what it says.

        `said` are the words of the question that matter here, `situation` is that of
        the question, if it is known already.
        """
        home = self._executor.home()
        recent = _touched(turn) or memory.recent
        dialect = self._dialect()
        turn.spared = ()
        if dialect.hinted:
            wanted, rest = split_exclusion(said)
            if rest:
                grounder = self._grounders.of(home, question.language)
                found_spared = spared(grounder, home, rest, question.area)
                if found_spared is None:
                    turn.replies.append("not_found")
                    return
                turn.spared = found_spared
                said, situation = wanted, None
        if situation is None:
            situation = self._situation(home, question, memory, recent, said)
        if dialect.hinted and self._hints is not None:
            found = situation.grounding
            hints = await asyncio.to_thread(self._hints.hints, found, home)
            situation = dataclasses.replace(situation, hints=hints)
        shown = dialect.exemplified and self.options.prompt.examples > 0
        if shown and isinstance(self._hints, MeaningSource):
            meant = await asyncio.to_thread(
                self._hints.meanings, situation.grounding, home
            )
            situation = dataclasses.replace(situation, meanings=meant)
        request = dialect.request(situation, self.options.prompt)
        parser = StreamParser()
        stream = self._backend.generate(request, usage)
        async with aclosing(stream):  # type: ignore[type-var]
            async for data in stream:
                turn.written += data
                for event in parser.feed(data):
                    async for out in self._take(turn, situation, event):
                        yield out
        for event in parser.finish():
            async for out in self._take(turn, situation, event):
                yield out

    async def refresh(self) -> int:
        """Bring the prompt of the current home into the KV cache; tokens evaluated.

        The turns of the conversation that was held last are in it while it may go on.
        """
        prompt = self._dialect().standing(
            self._executor.home(), self._history(self._live()), self.options.prompt
        )
        return await self._backend.refresh(prompt)

    def forget(self, conversation_id: str) -> None:
        """Drop what is remembered of a conversation."""
        self._memories.pop(conversation_id, None)

    def _live(self) -> _Memory:
        """The conversation that may be gone on with; an empty one if none may."""
        if self._memories and time.monotonic() - self._spoke_at < LIVE_SECONDS:
            return next(reversed(self._memories.values()))
        return _Memory()

    def _history(self, memory: _Memory) -> list[PastTurn]:
        count = self.options.history
        return list(memory.turns)[-count:] if count > 0 else []

    async def _take(
        self, turn: _Turn, situation: Situation, event: StreamEvent
    ) -> AsyncIterator[AgentEvent]:
        dialect = self._dialect()
        if isinstance(event, Speech):
            if dialect.speaks:
                text = event.text if turn.spoken else event.text.lstrip()
                if text:
                    turn.spoken += text
                    yield SpeechDelta(text)
            return
        if isinstance(event, Malformed):
            turn.errors.append(event.reason)
            return
        if not isinstance(event, Object):
            return
        try:
            steps = dialect.steps(situation, event.data)
        except CallError as err:
            turn.errors.append(err.cause)
            return
        for planned in steps:
            step = _without_spared(planned, turn.spared)
            if isinstance(step, ServiceCall):
                if self._held_back(turn, situation, step):
                    continue
                yield CallDone(await self._execute(turn, step))
            else:
                _note(turn, step)

    def _held_back(self, turn: _Turn, situation: Situation, call: ServiceCall) -> bool:
        others = [r.call for r in turn.results] + turn.asked_back
        home, found = situation.home, situation.grounding
        if not needs_confirmation(home, call, found, others):
            return False
        turn.asked_back.append(call)
        return True

    async def _undo(
        self, turn: _Turn, situation: Situation, memory: _Memory
    ) -> AsyncIterator[AgentEvent]:
        """Bring back what the last turn that did something found."""
        calls = restoring_calls(memory.undoable, self._executor.home())
        if calls:
            turn.replies.remove("undo")
        for call in calls:
            if not self._held_back(turn, situation, call):
                yield CallDone(await self._execute(turn, call))

    async def _execute(self, turn: _Turn, call: ServiceCall) -> CallResult:
        home = self._executor.home()
        for target in call.targets:
            if (entity := home.entity(target)) is not None:
                turn.before.setdefault(target, entity)
        result = await self._executor.execute(call)
        turn.results.append(result)
        if not turn.first_call_ms:
            turn.first_call_ms = _ms_since(turn.began)
        return result

    async def _answer(self, turn: _Turn, now: datetime | None) -> None:
        """Answer the queries from how the home is now that all is done."""
        for query in turn.queries:
            home = self._executor.home()
            if query.kind in LOOKED_UP:
                records = await self._executor.look_up(query)
                moment = now or datetime.now().astimezone()
                told = tell(query, records, home, moment, turn.language)
                turn.answers.append(told)
            else:
                turn.answers.append(answer(query, home, now, turn.language))

    def _tell(self, turn: _Turn, home: Home) -> list[SpeechDelta]:
        """What is still to be said once everything has happened."""
        speaks = self._dialect().speaks and turn.spoken
        replies = replies_in(turn.language)
        parts: list[str] = []
        shown = [r for r in turn.results if not (speaks and r.ok)]
        if shown:
            parts.append(tell_results(home, shown, turn.language))
        parts += turn.answers
        for kind in dict.fromkeys(turn.replies):
            if not (turn.results and kind in _SMALL_TALK):
                parts.append(replies[kind])
        if turn.asked_back:
            parts.append(ask_back(home, turn.asked_back, turn.language))
        if turn.errors and not turn.results and not parts:
            parts.append(tell_refusal(turn.errors[0], turn.language))
        if not parts and not turn.spoken:
            parts.append(replies["failed"])
        text = " ".join(p for p in parts if p)
        if not text:
            return []
        turn.told = f"\n{text}" if turn.written else text
        if turn.spoken and not turn.spoken[-1].isspace():
            text = f" {text}"
        turn.spoken += text
        return [SpeechDelta(text)]

    def _done(
        self, turn: _Turn, situation: Situation, memory: _Memory, usage: Usage
    ) -> TurnDone:
        response = turn.spoken.strip()
        written = turn.written.decode(errors="replace") + turn.told
        memory.turns.append(self._dialect().past(situation, written))
        self._spoke_at = time.monotonic()
        if turn.before:
            memory.undoable = tuple(turn.before.values())
        return TurnDone(
            response=response,
            calls=tuple(r.call for r in turn.results if r.ok),
            queries=tuple(q.to_dict() for q in turn.queries),
            usage=usage,
            timing_ms={
                "first_byte": round(usage.first_byte_ms, 2),
                "first_call": round(turn.first_call_ms, 2),
                "total": round(_ms_since(turn.began), 2),
            },
            continue_conversation=bool(turn.asked_back) or "unclear" in turn.replies,
        )

    def _situation(
        self,
        home: Home,
        question: Question,
        memory: _Memory,
        recent: tuple[str, ...] | None = None,
        said: Sequence[Token] | None = None,
    ) -> Situation:
        grounder = self._grounders.of(home, question.language)
        meant = memory.recent if recent is None else recent
        words_said = question.text if said is None else said
        return Situation(
            home=home,
            sentence=question.text,
            grounding=grounder.ground(words_said, question.area, meant),
            area=question.area,
            now=question.now,
            history=self._history(memory),
        )

    def _dialect(self) -> Dialect:
        name = self._backend.prompt_format
        if name not in DIALECTS:
            raise ModelError(
                f"the model speaks the prompt format {name!r}",
                f"use a model that speaks one of {', '.join(sorted(DIALECTS))}",
            )
        return DIALECTS[name]

    def _memory(self, conversation_id: str) -> _Memory:
        if not conversation_id:
            return _Memory()
        memory = self._memories.setdefault(conversation_id, _Memory())
        self._memories.move_to_end(conversation_id)
        while len(self._memories) > _CONVERSATIONS:
            self._memories.popitem(last=False)
        return memory


def _check(text: str) -> None:
    if len(text) > LONGEST_SENTENCE:
        raise SentenceError(
            f"the sentence has {len(text)} characters",
            f"keep it under {LONGEST_SENTENCE}",
        )
    if not words(text):
        raise SentenceError("the sentence is empty", "say what should be done")


def _without_spared(step: Step, spared_ids: Sequence[str]) -> Step:
    """The step for all but these; `stay` if it was about them alone."""
    if isinstance(step, Reply) or not step.targets or not spared_ids:
        return step
    kept = tuple(t for t in step.targets if t not in spared_ids)
    return dataclasses.replace(step, targets=kept) if kept else Reply("stay")


def _note(turn: _Turn, step: Step) -> None:
    if isinstance(step, Query):
        turn.queries.append(step)
    elif isinstance(step, Reply):
        turn.replies.append(step.kind)


def _touched(turn: _Turn) -> tuple[str, ...]:
    targets = [t for r in turn.results for t in r.call.targets]
    targets += [t for q in turn.queries if q.kind == "state" for t in q.targets]
    return tuple(dict.fromkeys(targets))


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
