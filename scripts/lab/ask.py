"""Asks Assist a sentence and records what came of it, as Home Assistant sees it."""

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any

from .client import ANSWER_SECONDS, Client
from .problems import LabError

_VOLATILE = {"last_changed", "last_reported", "last_updated", "context"}


@dataclass(frozen=True, slots=True)
class Call:
    """A service call that went through Home Assistant's event bus."""

    service: str
    targets: list[str]
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A called or changed entity, before and after, as read from Home Assistant."""

    entity_id: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes that differ, with their new values; None if gone."""
        old, new = self.before["attributes"], self.after["attributes"]
        return {
            name: new.get(name)
            for name in [*new, *(name for name in old if name not in new)]
            if old.get(name) != new.get(name)
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """One sentence and all that followed; times in seconds after it was sent."""

    text: str
    reply: str
    kind: str
    calls: list[Call]
    changes: list[Change]
    conversation: str
    goes_on: bool
    first_word: float | None
    first_call: float | None
    done: float

    def to_dict(self) -> dict[str, Any]:
        """The form for a JSON file."""
        return asdict(self)


async def ask(client: Client, text: str, conversation: str | None = None) -> Answer:
    """Put the sentence to the preferred pipeline and wait for the end of the turn."""
    before = await _states(client)
    calls: list[Call] = []
    times: dict[str, float] = {}
    async with client.events("subscribe_events", event_type="call_service") as called:
        begin = time.monotonic()
        end = await _turn(client, text, conversation, begin, times)
        # Home Assistant sends events in their order: those of the turn are all here.
        while not called.empty():
            event = called.get_nowait()
            times.setdefault("call", event.time - begin)
            calls.append(_call(event.content["data"]))
    after = await _states(client)
    output = end["intent_output"]
    speech = output["response"]["speech"].get("plain", {}).get("speech", "")
    concerned = {target for call in calls for target in call.targets}
    return Answer(
        text=text,
        reply=speech,
        kind=output["response"]["response_type"],
        calls=calls,
        changes=[
            Change(entity_id, before[entity_id], state)
            for entity_id, state in after.items()
            if entity_id in before
            and not entity_id.startswith("conversation.")
            and (entity_id in concerned or state != before[entity_id])
        ],
        conversation=output["conversation_id"],
        goes_on=output["continue_conversation"],
        first_word=times.get("word"),
        first_call=times.get("call"),
        done=times["done"],
    )


async def _turn(
    client: Client,
    text: str,
    conversation: str | None,
    begin: float,
    times: dict[str, float],
) -> dict[str, Any]:
    """Run the pipeline's intent stage; returns the data of its last event."""
    end: dict[str, Any] | None = None
    async with client.events(
        "assist_pipeline/run",
        start_stage="intent",
        end_stage="intent",
        input={"text": text},
        conversation_id=conversation,
    ) as events:
        while True:
            try:
                event = await asyncio.wait_for(events.get(), ANSWER_SECONDS)
            except TimeoutError:
                raise LabError(
                    f"no answer to {text!r} within {ANSWER_SECONDS} s; see the log"
                ) from None
            data = event.content.get("data") or {}
            match event.content["type"]:
                case "error":
                    raise LabError(f"Assist failed on {text!r}: {data.get('message')}")
                case "intent-progress":
                    delta = data.get("chat_log_delta") or {}
                    if delta.get("content") and delta.get("role") != "tool_result":
                        times.setdefault("word", event.time - begin)
                case "intent-end":
                    end = data
                    times["done"] = event.time - begin
                case "run-end":
                    if end is None:
                        raise LabError(f"no answer to {text!r}; see the log")
                    return end


def _call(data: dict[str, Any]) -> Call:
    fields = dict(data["service_data"])
    targets = fields.pop("entity_id", [])
    return Call(
        f"{data['domain']}.{data['service']}",
        [targets] if isinstance(targets, str) else list(targets),
        fields,
    )


async def _states(client: Client) -> dict[str, dict[str, Any]]:
    return {
        state["entity_id"]: {k: v for k, v in state.items() if k not in _VOLATILE}
        for state in await client.call("get_states")
    }
