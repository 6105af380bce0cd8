"""Many changes a second in a real Home Assistant with an embedded and a chat model.

What has to be right is asserted, how long it took is printed only: it depends on what
else the machine does.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from programs import BUSY

pytestmark = pytest.mark.timeout(3600)  # includes the set-up of a fresh machine


def _asked(busy: Mapping[str, Any], agent: str) -> list[dict[str, Any]]:
    return [asked for asked in busy["asked"] if asked["agent"] == agent]


def test_all_changes_arrive(busy: Mapping[str, Any]) -> None:
    for name, seconds in (("without", BUSY["baseline"]), ("busy", BUSY["seconds"])):
        phase = busy[name]
        assert phase["made"] == phase["arrived"] == BUSY["changes"] * seconds


def test_the_embedded_model_answers_by_the_states_of_the_moment(
    busy: Mapping[str, Any],
) -> None:
    answers = _asked(busy, "embedded")
    assert len(answers) == BUSY["questions"]
    for asked in answers:
        assert asked["right"], asked
        assert asked["evaluated"] < 50  # nothing of the home is in its prompt
    assert any(len(asked["states"]) == 1 for asked in answers), "none could be wrong"


def test_the_chat_model_finds_the_home_in_its_cache(busy: Mapping[str, Any]) -> None:
    answers = _asked(busy, "chat")
    assert len(answers) == BUSY["questions"]
    for asked in answers:
        assert asked["left_out"] == 0
        assert asked["reused"] > 1000, asked
        assert asked["reused"] > 3 * asked["evaluated"], asked


def test_in_the_end_the_cache_holds_the_states(busy: Mapping[str, Any]) -> None:
    held = busy["held"]
    assert held["wrong"] == []
    assert held["lines"] == busy["entities"] == BUSY["entities"]
    assert held["left_out"] == []
    assert held["in_issue"] == 0
    assert held["kv_plan"] == "block"  # as the model file says


def test_changes_cost_their_own_lines_only(busy: Mapping[str, Any]) -> None:
    for agent in ("embedded", "chat"):
        assert busy["refreshes"][agent] > 3
    assert busy["tokens"]["embedded"] == 0
    # The chat model's lines have about 25 tokens each, and old ones are remembered.
    assert 0 < busy["tokens"]["chat"] < 40 * busy["busy"]["made"]


def test_nothing_went_wrong(busy: Mapping[str, Any]) -> None:
    assert busy["errors"] == []


def test_how_late_the_event_loop_was(
    busy: Mapping[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        for title, name in (("without us", "without"), ("with us", "busy")):
            print(f"\nevent loop lag {title}, ms: {busy[name]['lag']}", end="")
    assert busy["busy"]["lag"]["samples"] > BUSY["seconds"] * 50
