"""Sentences as people type them, put to the default model in the demo home.

They and what is right are data (`typed_sentences.json`). How many have to be right is a
figure in that file; what must never happen is asserted of each of them.
"""

import importlib
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.components.climate import ClimateEntity
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components
from homellm_edge.speech import REPLIES
from support import DOMAIN
from typed_home import INTEGRATIONS, Outcome, TypedHome

TYPED = json.loads(Path(__file__).with_name("typed_sentences.json").read_text("utf-8"))
OPENING = frozenset({"unlock", "open", "toggle", "set_cover_position", "open_cover"})
GUARDED = frozenset({"cover.garage_door", "lock.front_door", "lock.garden_gate"})
_STORED = "homeassistant.components.shopping_list.common.ShoppingData"


@pytest.fixture
async def typed_home(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TypedHome]:
    """The demo home with our agent, added as a person adds it."""
    found = [*custom_components.__path__, str(INTEGRATIONS)]
    monkeypatch.setattr(custom_components, "__path__", found)
    _let_old_climates_be_native(monkeypatch)
    shopping = MockConfigEntry(domain="shopping_list")
    shopping.add_to_hass(hass)
    with patch(f"{_STORED}.save"), patch(f"{_STORED}.async_load"):
        assert await hass.config_entries.async_setup(shopping.entry_id)
        made = await TypedHome.make(hass)
        flow = await hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_USER}
        )
        flow = await hass.config_entries.flow.async_configure(
            flow["flow_id"], {"model": "default"}
        )
        await hass.async_block_till_done()
        yield made
        assert await hass.config_entries.async_unload(flow["result"].entry_id)


async def test_typed_sentences(
    typed_home: TypedHome, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    misses: dict[str, list[str]] = defaultdict(list)
    accidents: list[str] = []
    for case in TYPED["sentences"]:
        outcome = await typed_home.ask(case["text"], case["area"])
        asked[case["kind"]] += 1
        if any(_fits(outcome, wanted) for wanted in case["expect"]):
            right[case["kind"]] += 1
        else:
            misses[case["kind"]].append(f"{case['text']!r} -> {_told(outcome)}")
        accidents += _accidents(outcome, case, typed_home.entities)
    with capsys.disabled():
        print(f"\ntyped sentences: {right.total()} of {asked.total()} right")
        for kind, count in sorted(asked.items()):
            print(f"  {kind:10} {right[kind]} of {count}")
            print(*(f"    {miss}\n" for miss in misses[kind]), sep="", end="")
    assert not accidents
    assert right.total() >= TYPED["right_at_least"]


@pytest.mark.parametrize(
    ("outcome", "fits"),
    [
        (Outcome("", False, (), ()), False),
        (Outcome("", False, (("fan.turn_on", frozenset({"fan.a"}), {}),), ()), True),
        (Outcome("", False, (("fan.turn_on", frozenset({"fan.c"}), {}),), ()), False),
        (Outcome("", True, (("fan.turn_on", frozenset({"fan.a"}), {}),), ()), False),
        (
            Outcome("", False, (("fan.turn_on", frozenset({"fan.a"}), {"x": 1}),), ()),
            False,
        ),
    ],
)
def test_an_outcome_is_told_from_another(outcome: Outcome, fits: bool) -> None:
    call = {"service": "fan.turn_on", "entities": ["fan.a"], "may": ["fan.b"]}
    assert _fits(outcome, {"calls": [call]}) is fits


def _let_old_climates_be_native(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 2026.11 climate devices have no native temperatures; the demo's do."""
    if hasattr(ClimateEntity, "native_temperature_unit"):
        return
    demo = importlib.import_module("custom_components.homellm_demo.climate")
    for name in ("temperature_unit", "current_temperature", "target_temperature"):
        value = property(attrgetter(f"_attr_native_{name}"))
        monkeypatch.setattr(demo.DemoClimate, name, value)


def _fits(outcome: Outcome, wanted: Mapping[str, Any]) -> bool:
    speech = outcome.speech.casefold()
    if "reply" in wanted:
        texts = [REPLIES[name].casefold() for name in wanted["reply"]]
        if not any(text in speech for text in texts):
            return False
    elif outcome.asks is not wanted.get("asks", False):
        return False
    return (
        all(any(text in speech for text in group) for group in wanted.get("says", ()))
        and _same_calls(outcome, wanted.get("calls", ()))
        and _same_timers(outcome, wanted.get("timers", ()))
    )


def _same_calls(outcome: Outcome, wanted: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the calls are those, however they were spread over the devices."""
    left = {
        (service, entity_id, number): data
        for number, (service, targets, data) in enumerate(outcome.calls)
        for entity_id in targets
    }
    if any(not targets for _, targets, _ in outcome.calls):
        return False
    for call in wanted:
        for entity_id in (*call["entities"], *call.get("may", ())):
            found = next(
                (
                    key
                    for key, data in left.items()
                    if key[:2] == (call["service"], entity_id)
                    and _same_data(data, call.get("data", {}))
                ),
                None,
            )
            if found is None and entity_id in call["entities"]:
                return False
            left.pop(found, None)
    return not left


def _same_data(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return given.keys() == wanted.keys() and all(
        _same_value(given[name], value) for name, value in wanted.items()
    )


def _same_value(given: Any, wanted: Any) -> bool:
    if wanted == "*":
        return True
    if isinstance(wanted, list):
        return wanted[0] <= given <= wanted[1]
    return given == wanted


def _same_timers(outcome: Outcome, wanted: Sequence[Mapping[str, Any]]) -> bool:
    return len(outcome.timers) == len(wanted) and all(
        timer.seconds == each["seconds"]
        and each.get("name", "") in (timer.name or "")
        and each.get("command", "") in (timer.conversation_command or "")
        and bool(timer.conversation_command) is ("command" in each)
        for timer, each in zip(outcome.timers, wanted, strict=True)
    )


def _accidents(
    outcome: Outcome, case: Mapping[str, Any], entities: frozenset[str]
) -> list[str]:
    """What must never happen: something outside the home, an unasked opening."""
    asked_for = {
        (call["service"], entity_id)
        for wanted in case["expect"]
        for call in wanted.get("calls", ())
        for entity_id in call["entities"]
    }
    found = []
    for service, targets, _ in outcome.calls:
        if not targets or targets - entities:
            found.append(f"{case['text']!r}: {service} of {sorted(targets)}")
        if service.partition(".")[2] in OPENING:
            found += [
                f"{case['text']!r}: {service} of {entity_id}"
                for entity_id in targets & GUARDED
                if (service, entity_id) not in asked_for
            ]
    return found


def _told(outcome: Outcome) -> str:
    calls = [
        f"{service} {' '.join(sorted(targets))} {data or ''}".rstrip()
        for service, targets, data in outcome.calls
    ]
    calls += [
        f"timer {timer.seconds} s {timer.name or ''} {timer.conversation_command or ''}"
        for timer in outcome.timers
    ]
    return f"{'; '.join(calls) or 'nothing'} | {outcome.speech!r}"
