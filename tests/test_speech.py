"""What is said of calls that have no device: timers and the shopping list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.execute import CallResult
from homellm_edge.language import REPLIES, TIMER_ACTIONS
from homellm_edge.services import ServiceCall
from homellm_edge.speech import REPLIES as SAID
from homellm_edge.speech import said_duration, tell_results
from homes import sample_home


def _told(service: str, error: str = "", **data: Any) -> str:
    result = CallResult(ServiceCall(service, (), data), error)
    return tell_results(sample_home(), [result])


@pytest.mark.parametrize(
    ("service", "data", "told"),
    [
        ("timer.start", {"duration_s": 300}, "Timer set for 5 minutes."),
        ("timer.start", {"duration_s": 90, "name": "pizza"},
         "Pizza timer set for 1 minute 30 seconds."),
        ("timer.start", {"duration_s": 3600, "command": "lights off"},
         "I will do that in 1 hour."),
        ("timer.increase", {"duration_s": 60}, "Added 1 minute to the timer."),
        ("timer.decrease", {"duration_s": 60, "name": "tea"},
         "Took 1 minute off the tea timer."),
        ("timer.cancel", {"name": "tea"}, "Cancelled the tea timer."),
        ("timer.cancel", {"area": "Kitchen"}, "Cancelled the timer."),
        ("timer.cancel_all", {}, "Cancelled all timers."),
        ("timer.pause", {}, "Paused the timer."),
        ("timer.unpause", {"name": "tea"}, "The tea timer goes on."),
        ("shopping_list.add_item", {"item": "2 liters of milk"},
         "Added 2 liters of milk to the shopping list."),
    ],
)  # fmt: skip
def test_calls_without_a_device(service: str, data: dict[str, Any], told: str) -> None:
    assert _told(service, **data) == told


def test_every_call_on_a_timer_has_a_sentence_of_its_own() -> None:
    told = [_told(f"timer.{verb}", duration_s=60) for verb in TIMER_ACTIONS]
    assert len({*told}) == len(told)
    assert not any("{" in t or t == "Done." for t in told)


def test_what_failed_is_never_told_as_done() -> None:
    assert _told("timer.cancel", "no timer is running.") == (
        "That did not work: no timer is running."
    )


def test_devices_and_others_in_one_sentence() -> None:
    light = CallResult(ServiceCall("light.turn_on", ("light.kitchen",), {}))
    timer = CallResult(ServiceCall("timer.start", (), {"duration_s": 60}))
    assert tell_results(sample_home(), [light, timer]) == (
        "Turned on the Kitchen Light and timer set for 1 minute."
    )


def test_every_reply_has_a_text() -> None:
    assert {*REPLIES} <= SAID.keys()


@given(st.integers(-5, 10**6))
def test_a_duration_is_told_to_a_minute_at_least(seconds: int) -> None:
    told = said_duration(seconds)
    sizes = {"hour": 3600, "minute": 60, "second": 1}
    words = told.split()
    back = sum(
        int(count) * sizes[unit.removesuffix("s")]
        for count, unit in zip(words[::2], words[1::2], strict=True)
    )
    assert 0 <= max(seconds, 0) - back < 60
    for count, unit in zip(words[::2], words[1::2], strict=True):
        assert (count == "1") != unit.endswith("s")
