"""Replies in all languages: their texts are complete, and what is told is clean."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homellm_edge import speech
from homellm_edge.errors import HomellmEdgeError
from homellm_edge.execute import CallResult
from homellm_edge.home import Entity, Home
from homellm_edge.language import (
    ATTRIBUTES,
    DATED_QUERIES,
    ITEM_QUERIES,
    PLAIN_QUERIES,
    QUERIES_OVER_SCOPE,
    REPLIES,
    SCOPES,
    STATES,
    TIMER_ACTIONS,
    WHEN,
)
from homellm_edge.lookups import LOOKED_UP, Records, tell
from homellm_edge.queries import Query, answer
from homellm_edge.services import Argument, ServiceCall, services_for
from homellm_edge.services.domains import DOMAINS
from homellm_edge.speech import (
    LANGUAGES,
    ask_back,
    replies_in,
    said_duration,
    tell_refusal,
    tell_results,
    texts_for,
)
from homellm_edge.speech.template import parse
from homellm_edge.speech.texts import (
    NOUN_SECTIONS,
    TEMPLATE_SECTIONS,
    WORD_SECTIONS,
)

OTHERS = LANGUAGES[1:]
NOW = datetime(2024, 5, 15, 10, 30)  # a Wednesday


def _data(language: str) -> dict[str, Any]:
    from pathlib import Path

    path = Path(speech.__file__).with_name(f"{language}.json")
    return dict(json.loads(path.read_text(encoding="utf-8")))


DATA = {language: _data(language) for language in LANGUAGES}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_all_texts_with_the_same_slots(language: str) -> None:
    english, other = texts_for("en"), texts_for(language)
    assert other.language == language
    assert other.templates.keys() == english.templates.keys()
    for key in english.templates:
        missing = english.slots(key) - other.slots(key)
        assert missing <= ({"minute"} if key == "said.full_hour" else set()), key
        assert other.slots(key) <= english.slots(key), key
    assert other.nouns.keys() == english.nouns.keys()
    assert DATA[language].keys() == DATA["en"].keys()
    assert DATA[language]["grammar"].keys() == DATA["en"]["grammar"].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_language_fit_its_grammar(language: str) -> None:
    texts = texts_for(language)
    categories = len(texts.counted_forms)
    for key, noun in texts.nouns.items():
        assert noun.gender in texts.forms, key
        assert len(noun.words) in (categories, max(2, categories - 1)), key
        for category in range(categories):
            assert 0 <= texts.noun_form(key, category) < len(texts.forms)
    assert {*texts.endings.values()} <= {*texts.forms}
    assert len(texts.months) == 12
    assert all(len(names) == 7 for names in texts.days.values())
    assert {*REPLIES, "failed"} <= replies_in(language).keys()
    assert {f"scopes.{s}" for s in SCOPES} <= texts.nouns.keys()
    assert {f"domains.{d}" for d in DOMAINS} <= texts.nouns.keys()
    assert {f"states.{s}" for s in STATES} <= texts.templates.keys()
    assert {f"attributes.{a}" for a in ATTRIBUTES} <= texts.templates.keys()


@pytest.mark.parametrize(
    ("asked", "found"),
    [("de-AT", "de"), ("de_CH", "de"), ("FR", "fr"), ("pl", "pl"), ("en-GB", "en"),
     ("pt", "en"), ("", "en"), ("-", "en"), ("../de", "en")],
)  # fmt: skip
def test_which_language_is_spoken(asked: str, found: str) -> None:
    assert texts_for(asked).language == found


@given(st.text(alphabet="ab{}()[]| ", max_size=12), st.integers(2, 4))
def test_a_template_is_read_or_refused(text: str, count: int) -> None:
    try:
        template = parse(text, forms=count, categories=count)
    except HomellmEdgeError:
        return
    values = dict.fromkeys(template.slots, "{a}(a|b)")
    told = template.fill(values, form=count - 1, category=count - 1)
    assert told.count("{a}(a|b)") >= len(template.slots)
    plain = template.filled(values).fill({}, form=count - 1, category=count - 1)
    assert plain == told
    if not {*text} & {*"{}()[]|"}:
        assert told == text


@pytest.mark.parametrize("text", ["{a", "a}", "[a|b|c]", "(a|b|c)", "{A}", "a|b"])
def test_a_template_that_is_wrong(text: str) -> None:
    with pytest.raises(HomellmEdgeError):
        parse(text, forms=2, categories=2)


@pytest.mark.parametrize(
    ("language", "seconds", "told"),
    [
        ("de", 90, "1 Minute 30 Sekunden"),
        ("fr", 0, "0 seconde"),
        ("es", 3660, "1 hora 1 minuto"),
        ("pl", 60, "1 minutę"),
        ("pl", 2 * 60, "2 minuty"),
        ("pl", 5 * 60, "5 minut"),
        ("pl", 12 * 60, "12 minut"),
        ("pl", 22 * 60, "22 minuty"),
        ("pl", 25 * 3600 + 4, "25 godzin 4 sekundy"),
    ],
)
def test_plurals(language: str, seconds: int, told: str) -> None:
    assert said_duration(seconds, language) == told


@given(st.integers(0, 10**6) | st.floats(0, 100), st.sampled_from(LANGUAGES))
def test_every_count_has_a_plural(count: float, language: str) -> None:
    texts = texts_for(language)
    assert 0 <= texts.plural(count) < len(texts.counted_forms)


# What was done


def _able(domain: str, name: str = "Qzx", number: int = 0) -> Entity:
    """A device that can do all that its domain can."""
    some = ["vvv", "zz_top"]
    lists = (
        "supported_color_modes effect_list preset_modes source_list sound_mode_list "
        "hvac_modes fan_modes swing_modes swing_horizontal_modes available_modes "
        "operation_list fan_speed_list available_tones activity_list options"
    )
    attributes: dict[str, Any] = dict.fromkeys(lists.split(), some)
    more = {"supported_features": 2**30 - 1, "has_time": True, "mode": "text"}
    return Entity(f"{domain}.x{number}", name, "on", {**attributes, **more})


OFFERED = {
    service.name: service
    for domain in sorted(DOMAINS)
    for entity in (
        _able(domain),
        Entity(f"{domain}.y", "Y", "on", {"supported_color_modes": ["rgb"]}),
    )
    for service in services_for(entity)
}


def _value(rng: random.Random, argument: Argument) -> Any:
    if argument.kind == "choice":
        return rng.choice(argument.choices)
    if argument.kind == "boolean":
        return rng.random() < 0.5
    if argument.kind == "rgb":
        return [255, 0, 0]
    if argument.kind in ("integer", "number"):
        least = argument.minimum
        return int(least) + rng.randrange(9) if rng.random() < 0.5 else least + 0.5
    return "07:30:00" if argument.kind == "time" else "qqq"


def _calls(rng: random.Random) -> Iterator[ServiceCall]:
    for service in OFFERED.values():
        data = {
            a.name: _value(rng, a)
            for a in service.arguments
            if a.required or rng.random() < 0.3
        }
        domain = service.name.partition(".")[0]
        yield ServiceCall(service.name, (f"{domain}.x0",), data)
    for verb in TIMER_ACTIONS:
        for more in ({}, {"name": "Qqq"}, {"command": "qqq"}):
            yield ServiceCall(f"timer.{verb}", (), {"duration_s": 300, **more})
    yield ServiceCall("shopping_list.add_item", (), {"item": "qqq"})


def test_no_service_is_told_by_the_phrase_for_others() -> None:
    assert {name.partition(".")[0] for name in OFFERED} == {*DOMAINS}
    assert len(OFFERED) > 130
    rng = random.Random(1)
    for call in _calls(rng):
        name = call.service.partition(".")[2]
        told = tell_results(_HOME, [CallResult(call)])
        assert not told.startswith("Done"), (name, told)


def test_every_explicit_service_is_asked_back_by_its_own_name() -> None:
    explicit = [s for s in OFFERED.values() if s.explicit]
    assert len(explicit) > 8
    for service in explicit:
        domain = service.name.partition(".")[0]
        told = ask_back(_HOME, [ServiceCall(service.name, (f"{domain}.x0",), {})])
        assert told.startswith("Do you really want me to ")
        assert " do that " not in told, service.name


_HOME = Home(
    entities=(
        *(_able(domain, number=n) for domain in sorted(DOMAINS) for n in range(6)),
        *(
            Entity(f"binary_sensor.{c}{n}", "Qzx", state, {"device_class": c})
            for c in ("door", "window", "motion", "smoke", "battery", "problem", "cold",
                      "update", "tamper", "gas", "charging")
            for n, state in enumerate(("on", "off", "off", "unavailable"))
        ),
        Entity("person.a", "Qzx", "home"),
        Entity("person.b", "Qzx", "not_home"),
        Entity("sensor.t", "Qzx", "20.5", {"device_class": "temperature",
                                           "unit_of_measurement": "°C"}),
        Entity("climate.c", "Qzx", "heat_cool", {"temperature": 21.5,
                                                 "current_humidity": 40}),
        Entity("weather.w", "Qzx", "partlycloudy", {"temperature": 1.5}),
        Entity("calendar.c", "Qzx", "off"),
    )
)  # fmt: skip
"""Its names are in no language."""

_IDS = [e.entity_id for e in _HOME.entities]


def _words(text: str) -> set[str]:
    return {*re.findall(r"[^\W\d_]{2,}", text.casefold())}


def _texts(data: Mapping[str, Any]) -> Iterator[str]:
    for section in (*TEMPLATE_SECTIONS, *WORD_SECTIONS):
        for text in data[section].values():
            bare = re.sub(r"\{[a-z_]+\}", " ", text)
            # A choice stands for whole words, `allumé(|e|s|es)`.
            yield bare
            for match in re.finditer(r"(\w*)[(\[]([^)\]]*)[)\]](\w*)", bare):
                yield " ".join(match[1] + w + match[3] for w in match[2].split("|"))
    for section in NOUN_SECTIONS:
        for text in data[section].values():
            yield text.partition(" ")[2].replace("|", " ")
    for text in data["dates"].values():
        yield str(text).replace("|", " ")


VOCABULARY = {
    language: {word for text in _texts(data) for word in _words(text)}
    for language, data in DATA.items()
}


def _assert_clean(language: str, told: str) -> None:
    assert told.strip() == told != "", told
    assert told[-1] in ".?", told
    assert not {*"{}|[]()"} & {*told}, told
    assert "  " not in told, told
    assert told[0] == "¿" or told[0] == told[0].upper(), told
    foreign = VOCABULARY["en"] - VOCABULARY[language]
    assert not _words(told) & foreign, told


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_of_calls_is_clean(language: str) -> None:
    rng = random.Random(2)
    for call in _calls(rng):
        for count in (1, 2, 5):
            domain = call.service.partition(".")[0]
            targets = tuple(f"{domain}.x{n}" for n in range(count)) * bool(call.targets)
            made = ServiceCall(call.service, targets, call.data)
            for error in ("", "There is no such timer."):
                told = tell_results(_HOME, [CallResult(made, error)], language)
                _assert_clean(language, told)
            if targets:
                _assert_clean(language, ask_back(_HOME, [made], language))


@pytest.mark.parametrize("language", OTHERS)
def test_known_errors_are_told_in_the_language(language: str) -> None:
    for text in DATA["en"]["errors"].values():
        error = text.replace("{what}", "Qzx").replace("{number}", "9") + "."
        call = ServiceCall("timer.cancel", (), {})
        _assert_clean(
            language, tell_results(_HOME, [CallResult(call, error)], language)
        )
        _assert_clean(language, tell_refusal(error, language))
    # What the model did wrong is told in English only.
    _assert_clean(language, tell_refusal("'<E9>' stands for no device", language))
    assert "stands for no device" in tell_refusal("'<E9>' stands for no device")
    for told in replies_in(language).values():
        assert not _words(told) & (VOCABULARY["en"] - VOCABULARY[language])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(LANGUAGES),
    st.sampled_from(["state", "value", *QUERIES_OVER_SCOPE, "time", "date"]),
    st.lists(st.sampled_from(_IDS), min_size=1, max_size=9, unique=True),
    st.sampled_from(SCOPES),
    st.sampled_from(["", *STATES]),
    st.sampled_from(["", "", *ATTRIBUTES]),
    st.integers(0, 10**6),
)
def test_what_is_said_of_states_is_clean(
    language: str, kind: str, targets: list[str], scope: str, state: str,
    attribute: str, minutes: int,
) -> None:  # fmt: skip
    if kind == "value":
        attribute = attribute or "temperature"
    query = Query(kind, tuple(targets), scope, state, attribute)
    told = answer(query, _HOME, NOW + timedelta(minutes=minutes), language)
    _assert_clean(language, told)


def _at(minutes: int) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat()


_CONDITIONS = tuple(DATA["en"]["weather"])
_RECORD = st.builds(
    lambda start, length, condition, degrees, odds, named, paused: {
        "summary": "qqq" if named else "", "start": _at(start),
        "end": _at(start + length), "datetime": _at(abs(start)), "condition": condition,
        "temperature": degrees, "templow": None if paused else degrees,
        "precipitation_probability": odds, "next_rising": _at(start),
        "next_setting": _at(length), "name": "qqq" if named else "", "paused": paused,
        "length_s": length, "left_s": length,
    },
    st.integers(-5000, 20000), st.integers(1, 9000), st.sampled_from(_CONDITIONS),
    st.none() | st.sampled_from([-3, 1, 2, 5, 21.5]), st.sampled_from([0, 20, 90]),
    st.booleans(), st.booleans(),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(LANGUAGES),
    st.sampled_from([*DATED_QUERIES, *ITEM_QUERIES, "sunrise", "sunset", "timer"]),
    st.sampled_from(WHEN),
    st.lists(_RECORD, max_size=7),
)
def test_what_is_looked_up_is_told_cleanly(
    language: str, kind: str, when: str, records: list[dict[str, Any]]
) -> None:
    if kind in ITEM_QUERIES:
        records = [r for r in records if r["summary"]]
    domain = {"events": "calendar.c", "weather": "weather.w", "rain": "weather.w"}
    target = domain.get(kind, "todo.x0")
    found: Records = dict.fromkeys((target, "sun", "timer"), records)
    query = Query(kind, (target,), data={"when": when, "item": "qqq"})
    _assert_clean(language, tell(query, found, _HOME, NOW, language))
    assert kind in LOOKED_UP
    assert kind not in PLAIN_QUERIES or kind.startswith("sun")


# Sentences as they are


def _home(*entities: Entity) -> Home:
    return Home(entities=entities)


def _done(language: str, name: str, service: str, **data: Any) -> str:
    entity = Entity(f"{service.partition('.')[0]}.x", name, "on")
    call = ServiceCall(service, (entity.entity_id,), data)
    return tell_results(_home(entity), [CallResult(call)], language)


@pytest.mark.parametrize(
    ("language", "name", "service", "data", "told"),
    [
        ("de", "Küchenlicht", "light.turn_on", {}, "Küchenlicht eingeschaltet."),
        ("de", "Jalousien im Bad", "cover.open_cover", {},
         "Jalousien im Bad werden geöffnet."),
        ("de", "Heizung", "climate.set_temperature", {"temperature": 21.5},
         "Heizung auf 21,5 Grad gestellt."),
        ("fr", "Lampe du salon", "light.turn_on", {}, "Lampe du salon allumée."),
        ("fr", "Plafonnier", "light.turn_off", {}, "Plafonnier éteint."),
        ("fr", "Volets", "cover.close_cover", {}, "Je ferme Volets."),
        ("fr", "Chauffage", "climate.set_temperature", {"temperature": 1},
         "Chauffage réglé à 1 degré."),
        ("es", "Luz de la cocina", "light.turn_on", {},
         "Luz de la cocina encendida."),
        ("es", "Ventilador", "fan.turn_off", {}, "Ventilador apagado."),
        ("es", "Luces del jardín", "light.turn_off", {}, "Luces del jardín apagadas."),
        ("pl", "Lampa w kuchni", "light.turn_on", {}, "Lampa w kuchni włączona."),
        ("pl", "Światło w salonie", "light.turn_off", {},
         "Światło w salonie wyłączone."),
        ("pl", "Termostat", "climate.set_temperature", {"temperature": 22},
         "Termostat ustawiony na 22 stopnie."),
        ("pl", "Termostat", "climate.set_temperature", {"temperature": 21.5},
         "Termostat ustawiony na 21,5 stopnia."),
    ],
)  # fmt: skip
def test_what_was_done(
    language: str, name: str, service: str, data: dict[str, Any], told: str
) -> None:
    assert _done(language, name, service, **data) == told


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de", "Küchenlicht und Lampe eingeschaltet. Timer auf 5 Minuten gestellt."),
        ("fr", "Küchenlicht et Lampe allumés. Minuteur lancé pour 5 minutes."),
        ("es", "Küchenlicht y Lampe encendidos. Temporizador de 5 minutos en marcha."),
        ("pl", "Küchenlicht i Lampe włączone. Minutnik ustawiony na 5 minut."),
    ],
)
def test_several_things_in_one_reply(language: str, told: str) -> None:
    home = _home(Entity("light.a", "Küchenlicht"), Entity("light.b", "Lampe"))
    results = [
        CallResult(ServiceCall("light.turn_on", ("light.a",), {})),
        CallResult(ServiceCall("timer.start", (), {"duration_s": 300})),
        CallResult(ServiceCall("light.turn_on", ("light.b",), {})),
    ]
    assert tell_results(home, results, language) == told


def _ask(language: str, kind: str, *entities: Entity, **fields: Any) -> str:
    targets = tuple(e.entity_id for e in entities)
    return answer(Query(kind, targets, **fields), _home(*entities), NOW, language)


DOOR = Entity("lock.door", "Qzx", "locked")
WARM = Entity("sensor.t", "Bad", "20.5",
              {"device_class": "temperature", "unit_of_measurement": "°C"})  # fmt: skip


@pytest.mark.parametrize(
    ("language", "state", "value", "time", "date"),
    [
        ("de", "Ja, Qzx ist abgeschlossen.", "Die Temperatur von Bad ist 20,5 °C.",
         "Es ist 10:30 Uhr.", "Heute ist Mittwoch, der 15. Mai 2024."),
        ("fr", "Oui, Qzx est verrouillé.", "Bad : la température est 20,5 °C.",
         "Il est 10 h 30.", "Nous sommes le mercredi 15 mai 2024."),
        ("es", "Sí, Qzx está bloqueado.", "La temperatura de Bad es 20,5 °C.",
         "Son las 10:30.", "Hoy es miércoles, 15 de mayo de 2024."),
        ("pl", "Tak, Qzx jest zamknięty na zamek.", "Bad: temperatura to 20,5 °C.",
         "Jest 10:30.", "Dziś jest środa, 15 maja 2024."),
    ],
)  # fmt: skip
def test_questions(language: str, state: str, value: str, time: str, date: str) -> None:
    assert _ask(language, "state", DOOR, state="locked") == state
    assert _ask(language, "value", WARM, attribute="temperature") == value
    assert _ask(language, "time") == time
    assert _ask(language, "date") == date


@pytest.mark.parametrize(
    ("language", "on", "told"),
    [
        ("de", 0, "0 Lichter sind an."), ("de", 1, "1 Licht ist an."),
        ("fr", 0, "0 lumière est allumée."), ("fr", 2, "2 lumières sont allumées."),
        ("es", 1, "1 luz está encendida."), ("es", 2, "2 luces están encendidas."),
        ("pl", 1, "1 światło jest włączone."), ("pl", 2, "2 światła są włączone."),
        ("pl", 5, "5 świateł jest włączonych."),
    ],
)  # fmt: skip
def test_counts(language: str, on: int, told: str) -> None:
    lights = [Entity(f"light.l{n}", "L", "on" if n < on else "off") for n in range(6)]
    assert _ask(language, "count", *lights, scope="light", state="on") == told


@pytest.mark.parametrize(
    ("language", "none", "every"),
    [
        ("de", "Nein, keine Türen sind offen.", "Ja, alle Türen sind geschlossen."),
        ("fr", "Non, aucune porte n'est ouverte.",
         "Oui, toutes les portes sont fermées."),
        ("es", "No, ninguna puerta está abierta.",
         "Sí, todas las puertas están cerradas."),
        ("pl", "Nie, żadne drzwi nie są otwarte.",
         "Tak, wszystkie drzwi są zamknięte."),
    ],
)  # fmt: skip
def test_all_and_none(language: str, none: str, every: str) -> None:
    door = Entity("binary_sensor.d", "D", "off", {"device_class": "door"})
    assert _ask(language, "any", door, scope="door", state="open") == none
    assert _ask(language, "all", door, scope="door", state="closed") == every


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de", "Soll ich wirklich aufschließen: Haustür?"),
        ("fr", "Faut-il vraiment déverrouiller Haustür ?"),
        ("es", "¿Seguro que quiere desbloquear Haustür?"),
        ("pl", "Czy na pewno odblokować: Haustür?"),
    ],
)
def test_a_call_is_asked_back(language: str, told: str) -> None:
    lock = Entity("lock.door", "Haustür")
    call = ServiceCall("lock.unlock", ("lock.door",), {})
    assert ask_back(_home(lock), [call], language) == told


def test_what_the_speaker_said_is_never_taken_for_a_slot() -> None:
    for item in ("{names}", "(a|b)", "nan", "infinity"):
        home = _home(Entity("todo.x", "L"))
        call = ServiceCall("todo.add_item", ("todo.x",), {"item": item})
        for language in LANGUAGES:
            told = tell_results(home, [CallResult(call)], language)
            assert item in told.casefold()


def test_sensors_say_what_they_are_about() -> None:
    sensor = Entity("binary_sensor.p", "Pump", "on", {"device_class": "problem"})
    told = _ask("en", "any", sensor, scope="problem", state="detected")
    assert told == "Yes, the Pump is reporting a problem."
    told = _ask("de", "count", sensor, scope="problem", state="detected")
    assert told == "1 Gerät ist gestört."
