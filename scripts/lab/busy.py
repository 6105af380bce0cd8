"""A busy home: many changes a second, questions in the middle, and what that costs.

The same changes are made without and with our integration. With it there are two
agents: the embedded model, whose answers are held against Home Assistant's states, and
a chat model, in whose KV cache the lines of all devices have to stay current.
"""

import asyncio
import random
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .busy_home import Thing
from .client import Client
from .furnish import Added, add_entry, expose, set_options, until_loaded, until_running
from .problems import LabError
from .watch import Watch

WARM_UP_SECONDS = 5
"""Home Assistant still has things to do when it says that it has started."""

SETTLE_SECONDS = 60
_ANSWER_TOKENS = 24
_STATE = re.compile(r"\b(on|off)\b")


@dataclass(frozen=True, slots=True)
class Script:
    """What is to happen; times in seconds. `context` 0 and `kv_plan` are options."""

    changes: float
    seconds: float
    baseline: float
    questions: int
    context: int = 0
    kv_plan: str = "auto"


@dataclass(frozen=True, slots=True)
class Phase:
    """Changes for a while: made, arrived, and the event loop's lag in milliseconds.

    Of the lag there are `p50`, `p99`, `max`, and the longest garbage collection, `gc`.
    """

    seconds: float
    made: int
    arrived: int
    lag: dict[str, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its answer, and the states that the entity had meanwhile.

    `evaluated`, `reused` and `left_out` are as the conversation's trace tells them.
    """

    agent: str
    text: str
    reply: str
    states: list[str]
    seconds: float
    first_byte: float
    evaluated: int
    reused: int
    left_out: int

    @property
    def right(self) -> bool:
        """Whether the state that is said was the state while it was asked."""
        said = _STATE.findall(self.reply)
        return bool(said) and said[-1] in self.states


@dataclass(frozen=True, slots=True)
class Held:
    """The chat model's lines in the end, beside the states."""

    kv_plan: str
    lines: int
    wrong: list[str]
    left_out: list[str]
    in_issue: int


@dataclass(slots=True)
class Result:
    """All that was seen. `refreshes` and `tokens` are of the busy phase, by agent."""

    entities: int
    without: Phase
    busy: Phase
    asked: list[Asked]
    held: Held
    refreshes: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The form for a JSON file."""
        asked = [{**asdict(a), "right": a.right} for a in self.asked]
        return {**asdict(self), "asked": asked}


async def busy(
    client: Client, home: Sequence[Thing], model: Path, script: Script
) -> Result:
    """Carry the script out in a Home Assistant that has just booted."""
    await until_running(client)
    await expose(client, [thing.entity_id for thing in home])
    chance = random.Random(0)  # noqa: S311 - the same changes every time
    async with Watch.following(client, home) as watch:
        await watch.change(script.changes, WARM_UP_SECONDS, chance)
        without = await _phase(client, watch, script.baseline, script.changes, chance)
        agents = {
            "embedded": await add_entry(client),
            "chat": await _add_chat(client, model, script),
        }
        await _settled(client, watch, agents["chat"])
        before = {name: await _counts(client, a) for name, a in agents.items()}
        questions = asyncio.create_task(_ask_all(client, watch, agents, script))
        phase = await _phase(client, watch, script.seconds, script.changes, chance)
        asked = await questions
        held = await _settled(client, watch, agents["chat"])
        after = {name: await _counts(client, a) for name, a in agents.items()}
    result = Result(len(home), without, phase, asked, held)
    for name in agents:
        result.refreshes[name] = after[name]["refreshes"] - before[name]["refreshes"]
        result.tokens[name] = (
            after[name]["refreshed_tokens"] - before[name]["refreshed_tokens"]
        )
    return result


async def _add_chat(client: Client, model: Path, script: Script) -> Added:
    answers = {"user": {"model": "file"}, "file": {"model_path": str(model)}}
    added = await add_entry(client, answers)
    options = {
        "max_tokens": _ANSWER_TOKENS,
        "context": script.context,
        "kv_plan": script.kv_plan,
    }
    await set_options(client, added.entry_id, options)
    # These options have it loaded anew; once more, to know when that is over.
    await client.rest(
        "POST", f"/api/config/config_entries/entry/{added.entry_id}/reload"
    )
    await until_loaded(client, added.entry_id)
    return added


async def _phase(
    client: Client, watch: Watch, seconds: float, rate: float, chance: random.Random
) -> Phase:
    made, arrived = watch.made, watch.arrived
    await client.call("homellm_lab/lag")
    await watch.change(rate, seconds, chance)
    lag = await client.call("homellm_lab/lag")
    return Phase(seconds, watch.made - made, watch.arrived - arrived, lag)


async def _ask_all(
    client: Client, watch: Watch, agents: dict[str, Added], script: Script
) -> list[Asked]:
    chance = random.Random(1)  # noqa: S311
    lights = [thing for thing in watch.home if thing.domain == "light"]
    asked = []
    for _ in range(script.questions):
        await asyncio.sleep(script.seconds / (script.questions + 1))
        light = chance.choice(lights)
        for name, added in agents.items():
            asked.append(await _ask(client, watch, light, name, added))
    return asked


async def _ask(
    client: Client, watch: Watch, thing: Thing, name: str, added: Added
) -> Asked:
    text = f"is {thing.name.casefold()} on?"
    asked = (added.agent, text)
    begin = time.monotonic()
    answer = await client.call(
        "conversation/process", text=text, agent_id=added.agent, language="en"
    )
    end = time.monotonic()
    turns = await client.call("homellm_lab/turns")
    mine = [turn for turn in turns if (turn["agent"], turn["text"]) == asked]
    if not mine:
        raise LabError(f"{name} did not take {text!r} for a question; see the log")
    usage = mine[-1]["usage"]
    return Asked(
        agent=name,
        text=text,
        reply=answer["response"]["speech"].get("plain", {}).get("speech", ""),
        states=watch.between(thing.entity_id, begin, end),
        seconds=end - begin,
        first_byte=usage["first_byte_ms"] / 1000,
        evaluated=usage["evaluated"],
        reused=usage["reused"],
        left_out=len(usage["left_out"]),
    )


async def _settled(client: Client, watch: Watch, chat: Added) -> Held:
    """The lines in the cache once all changes are in, or after a long time."""
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        held = await client.call("homellm_lab/held", entry_id=chat.entry_id)
        expected = {
            thing.line(watch.wanted[thing.entity_id])
            for thing in watch.home
            if thing.entity_id not in held["left_out"]
        }
        wrong = sorted(expected ^ set(held["lines"]))
        arrived = watch.states == watch.wanted
        if (arrived and not wrong) or time.monotonic() > end:
            break
        await asyncio.sleep(0.5)
    return Held(
        kv_plan=held["kv_plan"],
        lines=len(held["lines"]),
        wrong=wrong,
        left_out=held["left_out"],
        in_issue=await _in_issue(client, chat),
    )


async def _in_issue(client: Client, added: Added) -> int:
    """How many entities the entry's repair issue says have no room."""
    listed = await client.call("repairs/list_issues")
    for issue in listed["issues"]:
        if issue["issue_id"] == f"left_out_{added.entry_id}":
            return int(issue["translation_placeholders"]["count"])
    return 0


async def _counts(client: Client, added: Added) -> dict[str, int]:
    path = f"/api/diagnostics/config_entry/{added.entry_id}"
    found: dict[str, int] = (await client.rest("GET", path))["data"]["cache"]
    return found


def report(result: Result) -> str:
    """The result for a person."""
    lines = [f"home     {result.entities} entities"]
    lines += [_phase_line("without", result.without), _phase_line("with", result.busy)]
    for name, count in result.refreshes.items():
        tokens = result.tokens[name]
        each = f", {tokens / result.busy.made:.1f} a change" if result.busy.made else ""
        lines.append(f"{name:8} {count} refreshes, {tokens} tokens evaluated{each}")
    lines += [_asked_line(asked) for asked in result.asked]
    held = result.held
    verdict = f"{len(held.wrong)} wrong" if held.wrong else "all as the states are"
    lines.append(
        f"cache    plan {held.kv_plan}, {held.lines} lines, {verdict}; "
        f"{len(held.left_out)} entities left out, {held.in_issue} told as an issue"
    )
    return "\n".join(lines)


def _phase_line(name: str, phase: Phase) -> str:
    lag = ", ".join(f"{key} {phase.lag[key]:g}" for key in ("p50", "p99", "max", "gc"))
    return (
        f"{name:8} {phase.made} changes in {phase.seconds:g} s, "
        f"{phase.arrived} arrived; lag {lag} ms"
    )


def _asked_line(asked: Asked) -> str:
    verdict = ""
    if asked.agent == "embedded":
        verdict = f"{'right' if asked.right else 'WRONG'} ({', '.join(asked.states)}), "
    reply = " ".join(asked.reply.split())[:60]
    left_out = f", {asked.left_out} left out" if asked.left_out else ""
    return (
        f"asked    {asked.agent}: {asked.text} - {reply!r}; {verdict}"
        f"{asked.evaluated} evaluated, {asked.reused} reused{left_out}, "
        f"first byte {asked.first_byte:.2f} s, all {asked.seconds:.2f} s"
    )
