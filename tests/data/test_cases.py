"""Predictions are judged by strict rules; each expected verdict is written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training import TrainingError
from training.cases import confusion, effort, main, mcnemar, paired
from training.judging import (
    Figures,
    Verdict,
    judge,
    read_cases,
    read_predictions,
    verdict,
)

HOME: dict[str, Any] = {
    "areas": [{"id": "den", "name": "Den"}],
    "entities": [
        {"entity_id": "light.sofa", "name": "Sofa Lamp", "area": "den", "state": "off"},
        {"entity_id": "light.desk", "name": "Desk Lamp", "area": "den", "state": "on"},
        {"entity_id": "todo.shopping_list", "name": "Shopping List", "state": "0"},
    ],
}


def _call(service: str, target: Any = None, **data: Any) -> dict[str, Any]:
    return {"service": service, **({"target_device": target} if target else {}), **data}


def _case(calls: Any, **more: Any) -> dict[str, Any]:
    expect = {"calls": calls, **more.pop("expect", {})}
    return {
        "id": "a", "source": "own", "category": "light", "home": HOME,
        "utterance": "make it so", "expect": expect, **more,
    }  # fmt: skip


def _judged(wanted: Any, made: Any, reply: str = "", **expect: Any) -> Verdict:
    prediction = {"id": "a", "calls": made, "response": reply}
    return verdict(_case(wanted, expect=expect), prediction)


SOFA, DESK = "light.sofa", "light.desk"
EQUAL: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (_call("light.turn_on", SOFA), _call("homeassistant.turn_on", SOFA)),
    (_call("lock.lock", "lock.a"), _call("homeassistant.turn_on", "lock.a")),
    (_call("switch.toggle", "switch.a"), _call("homeassistant.toggle", "switch.a")),
    (_call("cover.open_cover", "cover.a"), _call("cover.open", "cover.a")),
    (_call("cover.open_cover", "cover.a"), _call("cover.turn_on", "cover.a")),
    (_call("cover.close_cover", "cover.a"),
     _call("cover.set_cover_position", "cover.a", position=0)),
    (_call("cover.open_cover", "cover.a"),
     _call("cover.set_position", "cover.a", position="100%")),
    (_call("valve.close_valve", "valve.a"), _call("homeassistant.turn_off", "valve.a")),
    (_call("valve.close_valve", "valve.a"),
     _call("valve.set_valve_position", "valve.a", position=0)),
    (_call("lock.unlock", "lock.a"), _call("lock.turn_off", "lock.a")),
    (_call("vacuum.start", "vacuum.a"), _call("vacuum.turn_on", "vacuum.a")),
    (_call("vacuum.return_to_base", "vacuum.a"), _call("vacuum.turn_off", "vacuum.a")),
    (_call("media_player.media_play", "media_player.a"),
     _call("media_player.play", "media_player.a")),
    (_call("media_player.media_next_track", "media_player.a"),
     _call("media_player.next_track", "media_player.a")),
    (_call("media_player.volume_set", "media_player.a", volume_level=0.5),
     _call("media_player.set_volume", "media_player.a", volume="50%")),
    (_call("media_player.volume_set", "media_player.a", volume_level=0.5),
     _call("media_player.volume_set", "media_player.a", volume_level=51)),
    (_call("media_player.volume_mute", "media_player.a", is_volume_muted=True),
     _call("media_player.volume_mute", "media_player.a")),
    (_call("light.turn_on", SOFA, brightness_pct=50),
     _call("light.turn_on", SOFA, brightness=128)),
    (_call("light.turn_on", SOFA, brightness_pct=50),
     _call("light.turn_on", SOFA, brightness="51%")),
    (_call("light.turn_off", SOFA), _call("light.turn_on", SOFA, brightness=0)),
    (_call("light.turn_on", SOFA, brightness_pct={"gt": 40, "le": 60}),
     _call("light.turn_on", SOFA, brightness_pct=60)),
    (_call("light.turn_on", SOFA, rgb_color=[255, 0, 0]),
     _call("light.turn_on", SOFA, color_name="Red")),
    (_call("light.turn_on", SOFA, color_name="green"),
     _call("light.turn_on", SOFA, rgb_color="0, 255, 0")),
    (_call("light.turn_on", SOFA, color_temp_kelvin=2703),
     _call("light.turn_on", SOFA, color_temp=370)),
    (_call("fan.turn_on", "fan.a", percentage=30),
     _call("fan.set_percentage", "fan.a", percentage="30%")),
    (_call("fan.turn_off", "fan.a"),
     _call("fan.set_percentage", "fan.a", percentage=0)),
    (_call("climate.turn_off", "climate.a"),
     _call("climate.set_hvac_mode", "climate.a", hvac_mode="OFF")),
    (_call("climate.set_temperature", "climate.a", temperature=21),
     _call("climate.set_temperature", "climate.a", temperature="21.0 °C")),
    (_call("script.turn_on", "script.a"), _call("script.a")),
    (_call("todo.add_item", "todo.shopping_list", item="Oat milk"),
     _call("shopping_list.add_item", name="oat milk!")),
    (_call("todo.update_item", "todo.work", item="call", status="completed"),
     _call("todo.complete_item", "todo.work", item="Call")),
    (_call("light.turn_on", SOFA), _call("light.turn_on", SOFA, transition=2)),
    (_call("light.turn_on", [SOFA, DESK]),
     {"action": "light.turn_on", "target": {"entity_id": f"{DESK},{SOFA}"}}),
    (_call("light.turn_on", SOFA, brightness_pct=20),
     {"domain": "light", "service": "turn_on", "entity_id": [SOFA.upper()],
      "service_data": {"brightness_pct": 20}}),
]  # fmt: skip

DIFFERENT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (_call("light.turn_on", SOFA), _call("light.turn_off", SOFA)),
    (_call("light.turn_on", SOFA), _call("light.turn_on", DESK)),
    (_call("light.turn_on", SOFA), _call("light.turn_on", SOFA, brightness_pct=100)),
    (_call("light.turn_on", SOFA, brightness_pct=50), _call("light.turn_on", SOFA)),
    (_call("light.turn_on", SOFA, brightness_pct=50),
     _call("light.turn_on", SOFA, brightness_pct=52)),
    (_call("light.turn_on", SOFA, brightness_pct={"gt": 40}),
     _call("light.turn_on", SOFA, brightness_pct=40)),
    (_call("light.turn_on", [SOFA, DESK]), _call("light.turn_on", SOFA)),
    (_call("light.turn_on", SOFA), _call("light.turn_on", [SOFA, DESK])),
    (_call("climate.set_temperature", "climate.a", temperature=21),
     _call("climate.set_temperature", "climate.a", temperature=21.5)),
    (_call("cover.close_cover", "cover.a"),
     _call("cover.set_cover_position", "cover.a", position=1)),
    (_call("media_player.volume_set", "media_player.a", volume_level=0.5),
     _call("media_player.volume_set", "media_player.a", volume_level=0.52)),
    (_call("media_player.volume_mute", "media_player.a", is_volume_muted=True),
     _call("media_player.volume_mute", "media_player.a", is_volume_muted=False)),
    (_call("todo.add_item", "todo.work", item="milk"),
     _call("todo.add_item", "todo.shopping_list", item="milk")),
    (_call("script.turn_on", "script.a"), _call("script.turn_off", "script.a")),
    (_call("light.turn_on", SOFA, rgb_color=[255, 0, 0]),
     _call("light.turn_on", SOFA, color_name="crimson")),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "made"), EQUAL)
def test_spellings_that_do_the_same_are_the_same(wanted: Any, made: Any) -> None:
    found = _judged([wanted], [made])
    assert found.strict
    assert not found.wrong_action
    assert found.taken == ("", "")


@pytest.mark.parametrize(("wanted", "made"), DIFFERENT)
def test_whatever_does_something_else_is_wrong(wanted: Any, made: Any) -> None:
    found = _judged([wanted], [made])
    assert not found.strict
    assert found.taken != ("", "")


def test_order_and_grouping_do_not_matter_and_reading_does_not_count() -> None:
    wanted = [_call("light.turn_on", [SOFA, DESK]), _call("lock.lock", "lock.a")]
    made = [
        _call("lock.lock", "lock.a"),
        _call("light.turn_on", DESK),
        _call("weather.get_forecasts", "weather.home", type="daily"),
        _call("light.turn_on", SOFA),
        _call("light.turn_on", SOFA),
    ]
    assert _judged(wanted, made).strict
    assert _judged([], [_call("todo.get_items", "todo.work")]).strict


def test_any_alternative_will_do_but_no_mixture() -> None:
    on, off = _call("light.turn_on", SOFA), _call("light.turn_off", DESK)
    assert _judged([on], [off], alternatives=[[off]]).strict
    assert not _judged([on], [on, off], alternatives=[[off]]).strict
    assert _judged([on], [], alternatives=[[]]).strict
    mixed = _judged([on], [on, off], alternatives=[[off]])
    assert not mixed.wrong_action  # each of them is in a list


@pytest.mark.parametrize(
    ("spec", "reply", "fits"),
    [
        ({"contains": [["yes", "on"]]}, "It's ON.", True),
        ({"contains": [["on"]]}, "only", False),
        ({"contains": [["on"]], "match": "substring"}, "only", True),
        ({"contains": [["21"], ["degrees", "°c"]]}, "21.5 °C", True),
        ({"contains": [["21"], ["degrees"]]}, "21.5 °C", False),
        ({"contains": [["on"]], "excludes": ["not"]}, "It is not on", False),
        ({"contains": [["isn't"]]}, "It isn\u2019t", True),
        ({"contains": [], "excludes": ["no"]}, "nobody", True),
    ],
)
def test_replies(spec: dict[str, Any], reply: str, fits: bool) -> None:
    found = _judged([], [], reply, response=spec)
    assert (found.reply, found.strict) == (fits, fits)


def test_figures_tell_what_went_wrong() -> None:
    on = _call("light.turn_on", SOFA)
    cases: list[dict[str, Any]] = [
        _case([on], id="right"),
        _case([on], id="silent"),
        _case([on], id="wrong"),
        _case([], id="acted", category="no_call"),
        _case([], id="quiet", category="no_call",
              expect={"response": {"contains": [["which"]]}}),
        _case([on], id="missing"),
    ]  # fmt: skip
    made: list[dict[str, Any]] = [
        {"id": "right", "calls": [on], "timing_ms": {"total": 10},
         "tokens": {"evaluated": 20, "sampled": 4, "forced": 6}},
        {"id": "silent", "calls": [], "timing_ms": {"total": 20},
         "tokens": {"evaluated": 30, "sampled": 6, "forced": 6}},
        {"id": "wrong", "calls": [_call("light.turn_on", DESK)],
         "timing_ms": {"total": 30}},
        {"id": "acted", "calls": [_call("lock.unlock", "lock.elsewhere")]},
        {"id": "quiet", "calls": [], "response": "Done."},
    ]  # fmt: skip
    verdicts = judge(cases, made)
    assert [v.strict for v in verdicts] == [True, *[False] * 5]
    assert Figures.of(verdicts) == Figures(
        cases=6,
        strict=1,
        unanswered=1,
        wrong_actions=2,
        want_none=2,
        wrong_actions_of_none=1,
        outside=1,
        replies_asked=1,
        replies_missed=1,
    )
    assert confusion(verdicts) == [
        ("light.turn_on", "light.turn_on (other target)", 1),
        ("light.turn_on", "nothing", 1),
        ("nothing", "lock.unlock", 1),
    ]
    spent = effort(made)
    assert spent is not None
    assert (spent.p50, spent.p95) == (20, 30)
    assert spent.tokens == {"evaluated": 25, "sampled": 5, "forced": 6}


def test_the_interval_is_wilsons() -> None:
    low, high = Figures(10, 8, 0, 0, 0, 0, 0, 0, 0).bounds
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(0, 0, 1), (3, 3, 1), (0, 5, 0.0625), (1, 9, 22 / 1024), (9, 1, 22 / 1024)],
)
def test_mcnemar_is_exact(first: int, second: int, p: float) -> None:
    assert mcnemar(first, second) == pytest.approx(p)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cases that name their home, and predictions of two models."""
    (tmp_path / "homes.json").write_text(json.dumps({"den": HOME}))
    states = {SOFA: {"state": "on", "attributes": {"brightness": 9}}}
    cases = [
        _case([_call("light.turn_on", SOFA)], home={"base": "den", "states": {}}),
        _case([], id="b", category="chat", home={"base": "den", "states": states}),
    ]
    right = [
        {"id": "a", "calls": [_call("light.turn_on", SOFA)]},
        {"id": "b", "calls": []},
    ]
    wrong = [{"id": "b", "calls": [_call("light.turn_on", SOFA)]}, {"id": "else"}]
    (tmp_path / "cases").mkdir()
    for name, rows in (("cases/den", cases), ("right", right), ("wrong", wrong)):
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text)
    return tmp_path


def test_expanded_cases_have_their_homes(folder: Path) -> None:
    out, homes = folder / "out.jsonl", str(folder / "homes.json")
    main([str(folder / "cases"), "--homes", homes, "--expand", str(out)])
    first, second = (json.loads(line) for line in out.read_text().splitlines())
    assert first["home"] == HOME
    sofa = second["home"]["entities"][0]
    assert (sofa["state"], sofa["attributes"]) == ("on", {"brightness": 9})
    assert [*read_cases([out])] == [first, second]


def test_the_command_tells_and_compares(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = folder / "report.json"
    arguments = [str(folder / "cases"), str(folder / "wrong.jsonl")]
    arguments += ["--homes", str(folder / "homes.json"), "--failures", "1"]
    arguments += ["--compare", str(folder / "right.jsonl"), "--json", str(report)]
    main(arguments)
    told = capsys.readouterr().out
    assert "strict   0.0 %" in told
    assert "something was done where nothing is wanted: 1 of 1 (100.0 %)" in told
    assert "cases without a prediction, which count as wrong: 1" in told
    assert "nothing -> light.turn_on" in told
    assert told.count("  want ") == 1
    data = json.loads(report.read_text())
    assert data["figures"]["category"]["chat"]["wrong_actions"] == 1
    assert [row["strict"] for row in data["rows"]] == [False, False]
    assert data["compared"] == {
        "both": 0, "first": 0, "second": 2, "neither": 0, "p": 0.5,
    }  # fmt: skip


def test_two_sets_are_compared_case_by_case(folder: Path) -> None:
    cases = read_cases([folder / "cases"], folder / "homes.json")
    right = judge(cases, read_predictions([folder / "right.jsonl"]))
    wrong = judge(cases, read_predictions([folder / "wrong.jsonl"]))
    assert paired(right, wrong).first == 2
    assert paired(right, right).both == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "one JSON object a line"),
        ("[]", "no id"),
        ('{"id": "a"}', "expect, home, utterance missing"),
        ('{"id": "a", "home": {"base": "x"}, "utterance": "", "expect": {}}',
         "no home is called 'x'"),
        ('{"id": "a", "home": {}, "utterance": "", "expect": {}}', "without entities"),
    ],
)  # fmt: skip
def test_a_broken_case_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(TrainingError, match=told) as error:
        read_cases([path])
    assert "cases.jsonl:2" in str(error.value)


def test_what_is_there_twice_or_not_at_all_is_refused(folder: Path) -> None:
    twice = [folder / "right.jsonl", folder / "right.jsonl"]
    with pytest.raises(TrainingError, match="two predictions have the id 'a'"):
        read_predictions(twice)
    with pytest.raises(TrainingError, match="cannot read"):
        read_predictions([folder / "none.jsonl"])
    (folder / "empty").mkdir()
    with pytest.raises(TrainingError, match=r"no \.jsonl file"):
        read_cases([folder / "empty"])
    case = _case([_call("light.turn_on", SOFA, brightness_pct={"near": 3})])
    made = {"id": "a", "calls": [_call("light.turn_on", SOFA, brightness_pct=3)]}
    with pytest.raises(TrainingError, match="bound 'near'"):
        verdict(case, made)
