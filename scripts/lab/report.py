"""Prints an answer for a person."""

import json
from typing import Any

from .ask import Answer, Call, Change


def report(answer: Answer) -> str:
    """The sentence, the reply, the calls, states before and after, and times."""
    lines = [f"you      {answer.text}", f"reply    {answer.reply}"]
    lines += [f"call     {_call(call)}" for call in answer.calls] or ["call     none"]
    lines += [f"state    {_change(change)}" for change in answer.changes]
    times = [
        ("first word", answer.first_word),
        ("first call", answer.first_call),
        ("whole turn", answer.done),
    ]
    lines.append(
        "time     "
        + ", ".join(f"{name} {time:.2f} s" for name, time in times if time is not None)
    )
    return "\n".join(lines)


def _call(call: Call) -> str:
    data = f" {json.dumps(call.data)}" if call.data else ""
    return f"{call.service} {', '.join(call.targets)}{data}"


def _change(change: Change) -> str:
    before = _state(change.before, change.attributes)
    after = _state(change.after, change.attributes)
    return f"{change.entity_id}: {before} -> {after}"


def _state(state: dict[str, Any], names: dict[str, Any]) -> str:
    shown = [
        f"{name} {state['attributes'][name]}"
        for name in names
        if state["attributes"].get(name) is not None
    ]
    return f"{state['state']} ({', '.join(shown)})" if shown else str(state["state"])
