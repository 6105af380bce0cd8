"""Lines of the home language on timers, lists, calendars -> calls and queries."""

from __future__ import annotations

from typing import Any

import pytest

from homellm_edge.dialects import PromptOptions, Reply, Situation, Step
from homellm_edge.dialects.assistant import clock, lists_meant
from homellm_edge.dialects.grounded import GroundedDialect
from homellm_edge.errors import CallError
from homellm_edge.grammar.parser import parse
from homellm_edge.grounding import Grounder
from homellm_edge.home import Home, home_from_dict
from homellm_edge.queries import Query
from homellm_edge.services import ServiceCall
from homes import DATA

_MORE: list[dict[str, Any]] = [
    {"entity_id": "todo.shopping", "name": "Shopping List", "state": "2",
     "attributes": {"supported_features": 7}},
    {"entity_id": "todo.chores", "name": "Chores", "state": "1",
     "attributes": {"supported_features": 7}},
    {"entity_id": "calendar.family", "name": "Family", "state": "off"},
    {"entity_id": "weather.home", "name": "Forecast", "state": "sunny"},
    {"entity_id": "timer.oven", "name": "Oven Clock", "state": "idle"},
]  # fmt: skip


def _home(*without: str) -> Home:
    more = [e for e in _MORE if e["entity_id"] not in without]
    return home_from_dict({**DATA, "entities": [*DATA["entities"], *more]})


def _step(
    sentence: str,
    line: dict[str, str],
    home: Home | None = None,
    here: str | None = None,
) -> Step:
    home = home or _home()
    found = Grounder(home).ground(sentence, here)
    situation = Situation(home, sentence, found)
    parse(GroundedDialect().request(situation, PromptOptions()).grammar or "")
    (step,) = GroundedDialect().steps(situation, line)
    return step


def _timer(verb: str, target: str, **more: str) -> dict[str, str]:
    return {"service": f"timer.{verb}", "target_timer": target, **more}


@pytest.mark.parametrize(
    ("sentence", "line", "service", "data"),
    [
        ("set a timer for five minutes", _timer("start", "new", duration="<D1>"),
         "timer.start", {"duration_s": 300}),
        ("start a pizza timer for an hour and a half",
         _timer("start", "<T1>", duration="<D1>"),
         "timer.start", {"duration_s": 5400, "name": "pizza"}),
        ("start a ten minute timer in the kitchen",
         _timer("start", "<A1>", duration="<D1>"),
         "timer.start", {"duration_s": 600, "area": "Kitchen"}),
        ("set a timer for ten minutes in the kitchen",
         _timer("start", "new", duration="<D1>"),
         "timer.start", {"duration_s": 600}),
        ("turn off the kitchen light in ten minutes",
         _timer("start", "later", duration="<D1>"),
         "timer.start", {"duration_s": 600, "command": "turn off the kitchen light"}),
        ("in 10 minutes from now open the blinds to 21 percent",
         _timer("start", "later", duration="<D1>"),
         "timer.start",
         {"duration_s": 600, "command": "open the blinds to 21 percent"}),
        ("add two minutes to the tea timer",
         _timer("increase", "<T1>", duration="<D1>"),
         "timer.increase", {"duration_s": 120, "name": "tea"}),
        ("cancel the 5 minute timer", _timer("cancel", "<D1>"),
         "timer.cancel", {"timer_length_s": 300}),
        ("pause the timer in the kitchen", _timer("pause", "<A1>"),
         "timer.pause", {"area": "Kitchen"}),
        ("pause the timer on the first floor", _timer("pause", "<A1>"),
         "timer.pause", {"area": "First floor"}),
        ("stop the timer", _timer("cancel", "the"), "timer.cancel", {}),
        ("stop all timers", _timer("cancel_all", "all"), "timer.cancel_all", {}),
    ],
)  # fmt: skip
def test_calls_on_timers(
    sentence: str, line: dict[str, str], service: str, data: dict[str, Any]
) -> None:
    assert _step(sentence, line) == ServiceCall(service, (), data)


def test_the_timer_here() -> None:
    step = _step("stop the timer", _timer("cancel", "<here>"), here="kitchen")
    assert step == ServiceCall("timer.cancel", (), {"area": "Kitchen"})


@pytest.mark.parametrize(
    "line",
    [
        _timer("start", "new", duration="<D2>"),
        _timer("start", "new", duration="5"),
        _timer("start", "<T2>", duration="<D1>"),
        _timer("start", "later", duration="<D7>"),
        _timer("cancel", "<D2>"),
        _timer("cancel", "<T9>"),
        _timer("cancel", "<A3>"),  # else any timer would be cancelled
        _timer("cancel", "<here>"),
        _timer("cancel", "<E1>"),
        _timer("explode", "the"),
        {"service": "lock.unlock", "target_timer": "the"},
        {"target_timer": "the"},
    ],
)
def test_what_stands_for_nothing_is_refused(line: dict[str, str]) -> None:
    with pytest.raises(CallError) as caught:
        _step("start a pizza timer for 5 minutes in the kitchen", line)
    assert caught.value.cure


def test_a_command_of_nothing() -> None:
    with pytest.raises(CallError, match="nothing to be done later"):
        _step("in 5 minutes", _timer("start", "later", duration="<D1>"))


def test_a_timer_that_is_a_device() -> None:
    line = {"service": "timer.start", "target_device": "<E1>", "duration": "<D1>"}
    step = _step("start the oven clock for 90 minutes", line)
    assert step == ServiceCall("timer.start", ("timer.oven",), {"duration": "01:30:00"})
    with pytest.raises(CallError, match="less than a day"):
        _step("start the oven clock for 2 days", line)
    assert [clock(n) for n in (0, 61, 86399)] == ["00:00:00", "00:01:01", "23:59:59"]


def _on_list(verb: str, target: str, **more: str) -> dict[str, str]:
    return {"service": f"todo.{verb}", "target_list": target, **more}


@pytest.mark.parametrize(
    ("sentence", "line", "target", "data"),
    [
        ("add oat milk to the shopping list",
         _on_list("add_item", "shopping", item="<T1>"),
         "todo.shopping", {"item": "oat milk"}),
        ("put 2 liters of juice on the list",
         _on_list("add_item", "shopping", item="<T1><T2>"),
         "todo.shopping", {"item": "2 liters of juice"}),
        ("remove 2 lemons from the list",  # the count may differ from what is there
         _on_list("remove_item", "shopping", item="<T1>"),
         "todo.shopping", {"item": "lemons"}),
        ("check off the lemons", _on_list("update_item", "shopping", item="<T1>"),
         "todo.shopping", {"item": "lemons", "status": "completed"}),
        ("clear what is done", _on_list("remove_completed_items", "shopping"),
         "todo.shopping", {}),
    ],
)  # fmt: skip
def test_calls_on_lists(
    sentence: str, line: dict[str, str], target: str, data: dict[str, Any]
) -> None:
    assert _step(sentence, line) == ServiceCall(line["service"], (target,), data)


def test_a_list_by_its_name() -> None:
    line = {"service": "todo.update_item", "target_device": "<E1>", "item": "<T1>"}
    assert _step("tick laundry off my chores", line) == ServiceCall(
        "todo.update_item",
        ("todo.chores",),
        {"item": "laundry", "status": "completed"},
    )


def test_which_list_is_meant() -> None:
    both, one = _home(), _home("todo.shopping")
    none = _home("todo.shopping", "todo.chores")
    assert lists_meant(both, "shopping") == ("todo.shopping",)
    assert lists_meant(both, "any") == ("todo.shopping",)
    assert lists_meant(one, "any") == ("todo.chores",)
    assert lists_meant(one, "shopping") == lists_meant(none, "any") == ()
    # Home Assistant's own shopping list need not be exposed
    for target in ("shopping", "any"):
        add = _on_list("add_item", target, item="<T1>")
        assert _step("we need milk", add, none) == ServiceCall(
            "shopping_list.add_item", (), {"item": "milk"}
        )
        with pytest.raises(CallError, match="which list"):
            _step("remove milk", _on_list("remove_item", target, item="<T1>"), none)


@pytest.mark.parametrize(
    ("sentence", "line", "query"),
    [
        ("what is left on the tea timer",
         {"query": "timer", "target_timer": "<T1>"},
         Query("timer", data={"name": "tea"})),
        ("how long is left", {"query": "timer", "target_timer": "the"}, Query("timer")),
        ("is milk on the list",
         {"query": "has_item", "target_list": "shopping", "item": "<T1>"},
         Query("has_item", ("todo.shopping",), data={"item": "milk"})),
        ("what is on my chores", {"query": "items", "target_device": "<E1>"},
         Query("items", ("todo.chores",))),
        ("what is up tomorrow", {"query": "events", "when": "tomorrow"},
         Query("events", ("calendar.family",), data={"when": "tomorrow"})),
        ("will it rain", {"query": "rain", "when": "today"},
         Query("rain", ("weather.home",), data={"when": "today"})),
        ("when does the sun rise", {"query": "sunrise"}, Query("sunrise")),
    ],
)  # fmt: skip
def test_queries(sentence: str, line: dict[str, str], query: Query) -> None:
    assert _step(sentence, line) == query


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("what is up", {"query": "events", "when": "today"}),
        ("what is on the list", {"query": "items", "target_list": "shopping"}),
        ("is it wet in the kitchen light",
         {"query": "weather", "when": "now", "target_device": "<E1>"}),
    ],
)  # fmt: skip
def test_what_the_home_has_not(sentence: str, line: dict[str, str]) -> None:
    home = _home("calendar.family", "todo.shopping", "weather.home")
    assert _step(sentence, line, home) == Reply("not_found")
