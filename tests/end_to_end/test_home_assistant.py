"""Sentences put to a real Home Assistant that runs our component with the real model.

Every assertion is about what Home Assistant itself saw: service calls on its bus,
states as it reports them, and the reply of its Assist pipeline.
"""

import socket
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from programs import REPOSITORY, run
from sentences import CASES, Case

pytestmark = pytest.mark.timeout(3600)  # includes the set-up of a fresh machine

NUMBERED = [
    pytest.param(number, case, id=case.text) for number, case in enumerate(CASES)
]


def test_the_home_is_the_one_in_the_home_file(record: Mapping[str, Any]) -> None:
    states = {state["entity_id"]: state for state in record["states"]}
    path = REPOSITORY / "examples/demo_home.yaml"
    for entity in yaml.safe_load(path.read_text(encoding="utf-8"))["entities"]:
        state = states[entity["entity_id"]]
        assert state["state"] == entity["state"], entity["entity_id"]
        expected = {**entity["attributes"], "friendly_name": entity["name"]}
        assert {name: state["attributes"].get(name) for name in expected} == expected


@pytest.mark.parametrize(("number", "case"), NUMBERED)
def test_sentence(record: Mapping[str, Any], number: int, case: Case) -> None:
    answer = record["answers"][number]
    assert answer["text"] == case.text
    assert answer["kind"] != "error", answer["reply"]
    assert answer["reply"].strip()

    assert {call["service"] for call in answer["calls"]} == case.services
    acted_on = {".".join(key.split(".")[:2]) for key in case.states}
    targets = {target for call in answer["calls"] for target in call["targets"]}
    assert targets == acted_on
    after = {change["entity_id"]: change["after"] for change in answer["changes"]}
    assert after.keys() == acted_on, "exactly the devices that were meant"
    for key, expected in case.states.items():
        domain, name, *attribute = key.split(".")
        state = after[f"{domain}.{name}"]
        value = state["attributes"][attribute[0]] if attribute else state["state"]
        if isinstance(expected, range):
            assert value in expected
        else:
            assert value == expected

    reply = answer["reply"].casefold()
    if case.says:
        assert any(text in reply for text in case.says), reply
    assert not any(text in reply for text in case.never_says), reply


def test_nothing_went_wrong_in_home_assistant(record: Mapping[str, Any]) -> None:
    assert record["errors"] == []


def test_make_run_asks_and_ends() -> None:
    done = run("make", "run", ASK="turn on the kitchen light")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert any(line.startswith("reply ") for line in lines), done.stdout
    calls = [line for line in lines if line.startswith("call ")]
    assert len(calls) == 1
    assert calls[0].split()[1:3] == ["light.turn_on", "light.kitchen"]
    changes = [line for line in lines if line.startswith("state ")]
    assert len(changes) == 1
    assert changes[0].split()[1:5] == ["light.kitchen:", "off", "->", "on"]
    assert lines[-1].startswith("time ")


def test_a_port_in_use_ends_with_cause_and_cure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        python = run("scripts/ensure-ha", "run").stdout.strip()
        done = run(
            *("sh", "-c", 'exec "$@" 2>&1', "sh", python, "scripts/run_ha.py"),
            *("--port", str(port), "serve"),
        )
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    assert f"port {port}" in done.stdout
    assert "PORT=" in done.stdout
