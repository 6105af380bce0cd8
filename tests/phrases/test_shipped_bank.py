"""The banks that ship say only what the home language can say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import homellm_edge.phrases as phrases_package
from homellm_edge.language import (
    ACTIONS,
    ATTRIBUTES,
    GROUP_DOMAINS,
    LIST_ACTIONS,
    LITERALS,
    QUERIES_OVER_SCOPE,
    REPLIES,
    STATES,
    TIMER_ACTIONS,
    Slot,
    macros,
)
from homellm_edge.phrases import Section, load
from homellm_edge.phrases.examples import examples, sentence_of, spoken_kind
from homellm_edge.phrases.labels import (
    MOST_HINTS,
    hint_text,
    label_of,
    labels,
    token,
)

_FOLDER = Path(phrases_package.__file__).parent
LANGUAGES = sorted(p.name for p in _FOLDER.iterdir() if len(p.name) == 2)
_GROUP = re.compile(r"\(([^()]*)\)")
_LETTER = {"number": "n", "signed": "n", "color": "c", "option": "v",
           "duration": "d", "text": "t"}  # fmt: skip
_NAME = Slot("name", "text")  # of a timer: it is the target


def _sections(language: str, *kinds: str) -> Iterator[Section]:
    return (s for s in load(language).sections if s.kind in kinds)


def _parts(section: Section) -> tuple[str, list[tuple[str, str]]]:
    """Service, and its slots with the value that the section fixes ("" for none)."""
    service, _, rest = section.key.partition(" ")[0].partition(":")
    found = re.findall(r"([a-z_]+)(?:=([+-]?\w+))?", rest)
    assert "+".join(f"{n}={v}" if v else n for n, v in found) == rest
    return service, found


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_actions_are_of_the_home_language(language: str) -> None:
    tables = {**ACTIONS, "timer": TIMER_ACTIONS, "todo": LIST_ACTIONS}
    for section in _sections(language, "action", "place"):
        service, given = _parts(section)
        domain, _, verb = service.partition(".")
        forms = tables[domain][verb]
        names = {name for name, _ in given}
        if domain == "timer":
            names -= {_NAME.name}
        assert names in [{s.name for s in form} for form in forms], section.key
        slots = {s.name: s for form in forms for s in form} | {_NAME.name: _NAME}
        for name, value in given:
            slot = slots[name]
            if slot.kind == "word":
                assert value in slot.words, section.key
            elif slot.kind == "signed":
                assert value[:1] in ("+", "-"), section.key
                assert value[1:] in ("N", *slot.words), section.key
            elif value:
                assert (slot.kind, value in LITERALS) == ("number", True), section.key
        if section.kind == "place":
            assert domain in GROUP_DOMAINS, section.key


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_have_the_slots_that_their_meaning_needs(language: str) -> None:
    """What is not in the sentence the model could only invent."""
    for section in _sections(language, "action", "place"):
        service, given = _parts(section)
        tables = {**ACTIONS, "timer": TIMER_ACTIONS, "todo": LIST_ACTIONS}
        domain, _, verb = service.partition(".")
        kinds = {s.name: s.kind for form in tables[domain][verb] for s in form}
        kinds[_NAME.name] = _NAME.kind
        wanted = {
            _LETTER[kinds[name]]
            for name, value in given
            if not value or value.endswith("N")
        }
        for template in section.templates:
            there = set(re.findall(r"\{([ncvdt])\}", template))
            assert there == wanted, (section.key, template)


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_keys_are_of_the_home_language(language: str) -> None:
    known = {
        "is": STATES,
        "value": ATTRIBUTES,
        "place_value": ATTRIBUTES,
        "scope": QUERIES_OVER_SCOPE,
        "reply": REPLIES,
    }
    for section in load(language).sections:
        if section.kind in known:
            assert section.key in known[section.kind], section.key


def test_every_section_says_its_meaning_in_several_ways() -> None:
    for section in load("en").sections:
        words_only = section.kind in ("is", "sensor")
        least = 3 if words_only else 5
        assert len(section.templates) >= least, (section.kind, section.key)


def _shortest(template: str) -> str:
    """The template with the shortest choice of each group and no place."""
    text = template.replace("{p}", "")
    while found := _GROUP.search(text):
        choice = min(found[1].split("|"), key=len)
        text = text[: found.start()] + choice + text[found.end() :]
    return " ".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_template_may_be_empty(language: str) -> None:
    for section in load(language).sections:
        for template in section.templates:
            assert _shortest(template), (section.key, template)
            assert "|" not in _shortest(template), (section.key, template)


def test_every_state_of_a_question_has_words() -> None:
    assert {s.key for s in _sections("en", "is")} == set(STATES)


def test_a_label_is_one_meaning() -> None:
    """Only ways to ask for the very same thing share a label."""
    same = {
        frozenset(["action"]), frozenset(["place"]), frozenset(["action", "place"]),
        frozenset(["value", "place_value"]), frozenset(["scope", "noticed"]),
    }  # fmt: skip
    sections: dict[str, list[Section]] = {}
    for section in load("en").sections:
        if (label := label_of(section)) is not None:
            sections.setdefault(label, []).append(section)
    for label, found in sections.items():
        if len(found) > 1 and found[0].kind != "query":  # [query weather_of now]
            assert frozenset(s.kind for s in found) in same, label
    assert labels() == tuple(sorted(sections))


def test_a_label_is_one_token() -> None:
    tokens = [token(label) for label in labels()]
    assert len({*tokens}) == len(tokens)
    assert not {*tokens} & {*macros()}
    for text in tokens:
        assert re.fullmatch(r"<~[a-z0-9_.:+=N -]+>", text)
    hints = [("light.turn_on", "="), ("light.turn_off", "?"), ("reply hello", "?")]
    assert MOST_HINTS == 2
    assert hint_text(hints) == "<~light.turn_on>= <~light.turn_off>? "
    assert hint_text([]) == ""


def test_examples_are_plain_sentences_and_the_same_every_time() -> None:
    bank = load("en")
    made = [*examples(bank)]
    assert made == [*examples(bank)]
    count = sum(len(s.templates) for s in bank.sections if label_of(s))
    assert len(made) == count
    assert {label for _, label in made} == {*labels()}
    for sentence, label in made:
        assert sentence, label
        assert not set("(){}|@<>") & set(sentence), sentence
        assert sentence == " ".join(sentence.split())
    one = bank.lines("reply", "hello")[0]
    some = [*examples(bank, lambda template: template == one)]
    assert [label for _, label in some] == ["reply hello"]


def test_a_scene_and_a_person_have_no_article() -> None:
    assert sentence_of("activate {x}", "scene.turn_on") == "activate movie night"
    assert sentence_of("lock {x}", "lock.lock") in ("lock the door lock",
                                                    "lock the door locks")  # fmt: skip


def test_a_device_is_called_by_its_kind() -> None:
    from homes import sample_home

    home = sample_home()
    kinds = {e.entity_id: spoken_kind(e) for e in home.entities}
    assert kinds["cover.garage_door"] == "blinds"  # as all covers are in the bank
    assert kinds["cover.blinds"] == "blinds"
    assert kinds["sensor.bedroom_temperature"] == "temperature"
    assert kinds["light.zorblatt"] == "light"
