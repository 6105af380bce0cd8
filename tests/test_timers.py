"""Timers of a simulated home, on a clock that the test turns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge import timers as module
from homellm_edge.language import TIMER_ACTIONS
from homellm_edge.timers import Timers


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    made = _Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def _left(timers: Timers) -> dict[str, int]:
    return {str(r["name"]): int(r["left_s"]) for r in timers.records()}


def _started(**seconds: int) -> Timers:
    timers = Timers()
    for name, length in seconds.items():
        assert timers.apply("start", {"duration_s": length, "name": name}) == ""
    return timers


def test_a_timer_runs_down_and_is_gone(clock: _Clock) -> None:
    timers = _started(tea=300)
    (record,) = timers.records()
    assert record == {
        "name": "tea", "length_s": 300, "left_s": 300, "area": "", "paused": False
    }  # fmt: skip
    clock.now += 299
    assert _left(timers) == {"tea": 1}
    clock.now += 1
    assert timers.records() == []


def test_pausing_stops_the_clock(clock: _Clock) -> None:
    timers = _started(tea=300)
    clock.now += 100
    assert timers.apply("pause", {}) == ""
    clock.now += 1000
    assert _left(timers) == {"tea": 200}
    assert timers.records()[0]["paused"]
    assert timers.apply("pause", {}) == ""  # again: nothing changes
    assert timers.apply("increase", {"duration_s": 60}) == ""
    assert _left(timers) == {"tea": 260}
    assert timers.apply("unpause", {}) == ""
    clock.now += 60
    assert _left(timers) == {"tea": 200}
    assert not timers.records()[0]["paused"]
    assert timers.apply("unpause", {}) == ""  # it runs already
    assert _left(timers) == {"tea": 200}


def test_more_and_less_time(clock: _Clock) -> None:
    timers = _started(tea=300)
    timers.apply("increase", {"duration_s": 60})
    timers.apply("decrease", {"duration_s": 100})
    assert _left(timers) == {"tea": 260}
    timers.apply("decrease", {"duration_s": 300})
    assert timers.records() == []
    timers = _started(tea=300)
    timers.apply("pause", {})
    timers.apply("decrease", {"duration_s": 400})
    assert timers.records() == []


def test_which_timer_is_meant(clock: _Clock) -> None:
    timers = _started(tea=300, pasta=600, eggs=300)
    timers.apply("cancel", {"name": "Pasta"})
    assert _left(timers) == {"tea": 300, "eggs": 300}
    timers.apply("increase", {"timer_length_s": 300, "duration_s": 60})
    assert _left(timers) == {"tea": 300, "eggs": 360}  # the last one
    timers.apply("cancel", {})
    assert _left(timers) == {"tea": 300}


def test_all_timers_of_a_place(clock: _Clock) -> None:
    timers = Timers()
    for name, area in (("a", "Kitchen"), ("b", "Office"), ("c", "Kitchen")):
        timers.apply("start", {"duration_s": 60, "name": name, "area": area})
    assert timers.apply("cancel_all", {"area": "kitchen"}) == ""
    assert _left(timers) == {"b": 60}
    assert timers.apply("cancel_all", {}) == ""
    assert timers.records() == []


@pytest.mark.parametrize("verb", sorted(TIMER_ACTIONS.keys() - {"start"}))
def test_what_is_not_there_is_an_error(clock: _Clock, verb: str) -> None:
    timers = Timers()
    data = {"duration_s": 60}
    assert timers.apply(verb, data) == "no timer is running."
    timers.apply("start", {"duration_s": 60, "name": "tea"})
    assert timers.apply(verb, {**data, "name": "pasta"}) != ""
    assert _left(timers) == {"tea": 60}
    clock.now += 60
    assert timers.apply(verb, data) == "no timer is running."


_STEP = st.tuples(
    st.sampled_from([*TIMER_ACTIONS, "wait"]),
    st.fixed_dictionaries(
        {"duration_s": st.integers(1, 100)},
        optional={"name": st.sampled_from(["a", "ab"]),
                  "timer_length_s": st.integers(1, 5)},
    ),
)  # fmt: skip


@given(st.lists(_STEP, max_size=12))
def test_no_timer_is_ever_below_zero(steps: list[tuple[str, dict[str, Any]]]) -> None:
    clock = _Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", clock)
        timers = Timers()
        for verb, data in steps:
            before = len(timers.records())
            if verb == "wait":
                clock.now += data["duration_s"]
            else:
                error = timers.apply(verb, data)
                assert not error or len(timers.records()) == before
            assert all(record["left_s"] >= 0 for record in timers.records())
