"""Sentences of each language in a home with names in that language."""

from __future__ import annotations

import json
from typing import Any

import pytest

from foreign_homes import home_in
from homellm_edge.agent import Agent, Question, TurnDone
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.grounding import Grounder, prepare
from homellm_edge.grounding.kept import Grounders
from homellm_edge.home import Home
from homellm_edge.policy import needs_confirmation
from homellm_edge.services import ServiceCall
from homellm_edge.simulate import SimulatedHome
from homellm_edge.timers import Timers

UNLOCK = ServiceCall("lock.unlock", ("lock.front_door",), {})
OPEN = ServiceCall("cover.open_cover", ("cover.garage",), {})


@pytest.mark.parametrize(
    ("language", "sentence", "entities", "place"),
    [
        ("de", "mach das Licht in der Küche auf fünfzig Prozent", "light.kitchen", 1),
        ("de", "schalte das kuechenlicht ein", "light.kitchen", 1),
        ("de", "ist die Kuchenlicht an", "light.kitchen", 1),
        ("de", "Jörgs Funzel aus", "light.own", 0),
        ("de", "joergs funzel aus", "light.own", 0),
        ("de", "mach die stelampe an", "light.lamp", 0),
        ("de-CH", "ist die haustür abgeschlossen", "lock.front_door", 0),
        ("fr", "éteins la lumière de la cuisine", "light.kitchen", 1),
        ("fr", "allume la lampe de zoe", "light.own", 0),
        ("fr", "la porte d'entrée est verrouillée", "lock.front_door", 0),
        ("es", "apaga la luz de la cocina", "light.kitchen", 1),
        ("es", "enciende la lampara de begona", "light.own", 0),
        ("pl", "wyłącz światło w kuchni", "light.kitchen", 1),
        ("pl", "wlacz lampke jozia", "light.own", 0),
    ],
)
def test_a_device_is_found(
    language: str, sentence: str, entities: str, place: int
) -> None:
    found = Grounder(home_in(language[:2]), language).ground(sentence)
    assert found.entities == (entities,)
    assert found.places == ("kitchen",) * place


@pytest.mark.parametrize(
    ("language", "sentence", "seconds"),
    [
        ("de", "stell einen Timer auf eine halbe Stunde", 1800),
        ("fr", "mets un minuteur de cinq minutes", 300),
        ("es", "pon un temporizador de diez minutos", 600),
        ("pl", "ustaw minutnik na dwadzieścia minut", 1200),
    ],
)
def test_a_duration(language: str, sentence: str, seconds: int) -> None:
    [found] = Grounder(home_in(language), language).ground(sentence).durations
    assert found.seconds == seconds


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "mach die stehlampe rot"),
        ("fr", "mets le lampadaire en rouge"),
        ("es", "pon la lámpara de pie en rojo"),
        ("pl", "ustaw lampę stojącą na czerwono"),
    ],
)
def test_a_colour(language: str, sentence: str) -> None:
    found = Grounder(home_in(language), language).ground(sentence)
    assert found.colors == ({"rgb_color": [255, 0, 0]},)
    assert found.entities == ("light.lamp",)


@pytest.mark.parametrize(
    ("language", "sentence", "items"),
    [
        ("de", "setz Rote Beete und Weißbrot auf die Einkaufsliste",
         ["rote beete", "weißbrot"]),
        ("fr", "ajoute du fromage blanc à la liste de courses", ["fromage blanc"]),
        ("es", "añade leche a la lista de la compra", ["leche"]),
        ("pl", "dodaj czerwone buraki do listy zakupów", ["czerwone buraki"]),
    ],
)  # fmt: skip
def test_an_item_keeps_the_speakers_words(
    language: str, sentence: str, items: list[str]
) -> None:
    found = Grounder(home_in(language), language).ground(sentence)
    assert [found.written(n, n) for n in range(len(found.texts))] == items


def test_an_item_may_be_of_a_colour() -> None:
    found = Grounder(home_in("fr"), "fr").ground("ajoute du jus d'orange à la liste")
    assert found.written(0, 1) == "jus d'orange"
    assert not found.colors


async def _turn(
    language: str, sentence: str, *outputs: dict[str, Any]
) -> tuple[list[str], list[ServiceCall], ScriptedEngine]:
    """What the agent asks its model, and what it does."""
    home = SimulatedHome(home_in(language), Timers())
    engine = ScriptedEngine(
        [f"```homeassistant\n{json.dumps(out)}\n```" for out in outputs],
        prompt_format="grounded",
    )
    agent = Agent(engine, home)
    done: list[ServiceCall] = []
    for said in sentence.split("|"):
        question = Question(said, language=language, conversation_id="c")
        async for event in agent.turn(question):
            if isinstance(event, TurnDone):
                done += event.calls
    asked = [r.prompt.question.partition("<|im_end|>")[0] for r in engine.requests]
    return asked, done, engine


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Mach das Licht in der Küche an und schließ das Rollo."),
        ("fr", "Allume la lumière de la cuisine, et ferme le volet."),
        ("es", "Enciende la luz de la cocina y cierra la persiana."),
        ("pl", "Włącz światło w kuchni i zamknij roletę."),
    ],
)
async def test_two_commands_are_asked_one_by_one(language: str, sentence: str) -> None:
    first = {"service": "light.turn_on", "target_device": "<E1>"}
    second = {"service": "cover.close_cover", "target_device": "<E1>"}
    asked, done, _ = await _turn(language, sentence, first, second)
    assert len(asked) == 2
    assert [c.targets for c in done] == [("light.kitchen",), ("cover.blind",)]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "mach alle Lichter aus außer der Stehlampe"),
        ("fr", "éteins toutes les lumières sauf le lampadaire"),
        ("es", "apaga todas las luces excepto la lámpara de pie"),
        ("pl", "wyłącz wszystkie światła oprócz lampy stojącej"),
    ],
)
async def test_what_is_excluded_is_spared(language: str, sentence: str) -> None:
    off = {"service": "light.turn_off", "target_area": "all"}
    _, done, _ = await _turn(language, sentence, off)
    assert {t for c in done for t in c.targets} == {"light.kitchen", "light.own"}


async def test_a_command_for_later_keeps_the_speakers_words() -> None:
    start = {
        "service": "timer.start", "target_timer": "later", "duration": "<D1>",
    }  # fmt: skip
    said = "schalte in fünf Minuten das Küchenlicht aus"
    _, [call], _ = await _turn("de", said, start)
    assert call.data["command"] == "schalte das küchenlicht aus"


@pytest.mark.parametrize(
    ("language", "call", "sentence", "asks"),
    [
        ("de", UNLOCK, "schließ die Haustür auf", False),
        ("de", UNLOCK, "schließ die Haustür ab", True),
        ("de", UNLOCK, "schließ die Haustür", True),
        ("de", UNLOCK, "schließ die Haustür nicht auf", True),
        ("de", OPEN, "öffne das Garagentor", False),
        ("de", OPEN, "öfne das Garagentor", True),
        ("de", OPEN, "schließ das Garagentor", True),
        ("de", OPEN, "mach das Garagentor zu", True),
        ("de", OPEN, "öffne das Garagentor nicht", True),
        ("fr", UNLOCK, "déverrouille la porte d'entrée", False),
        ("fr", UNLOCK, "verrouille la porte d'entrée", True),
        ("fr", OPEN, "ouvre la porte de garage", False),
        ("fr", OPEN, "ferme la porte de garage", True),
        ("fr", OPEN, "n'ouvre pas la porte de garage", True),
        ("es", UNLOCK, "desbloquea la puerta principal", False),
        ("es", UNLOCK, "cierra la puerta principal", True),
        ("es", OPEN, "abre la puerta del garaje", False),
        ("es", OPEN, "no abras la puerta del garaje", True),
        ("es", OPEN, "cierra la puerta del garaje", True),
        ("pl", UNLOCK, "otwórz drzwi wejściowe", False),
        ("pl", UNLOCK, "zamknij drzwi wejściowe", True),
        ("pl", OPEN, "otwórz bramę garażową", False),
        ("pl", OPEN, "nie otwieraj bramy garażowej", True),
        ("pl", OPEN, "zamknij bramę garażową", True),
    ],
)
def test_what_opens_the_house_is_asked_back_unless_the_words_say_just_that(
    language: str, call: ServiceCall, sentence: str, asks: bool
) -> None:
    home = home_in(language)
    found = Grounder(home, language).ground(sentence)
    assert needs_confirmation(home, call, found) is asks


@pytest.mark.parametrize(
    ("language", "yes"),
    [("de", "ja bitte"), ("fr", "oui"), ("es", "sí"), ("pl", "tak")],
)
async def test_a_yes_in_the_speakers_language(language: str, yes: str) -> None:
    call = {"service": "lock.unlock", "target_device": "<E1>"}
    name = home_in(language).entity("lock.front_door")
    assert name is not None
    sentence = f"{name.name}|{yes}"
    _, done, engine = await _turn(language, sentence, call)
    assert [c.service for c in done] == ["lock.unlock"]
    assert len(engine.requests) == 1


def test_a_home_is_prepared_once_for_each_language() -> None:
    prepare()
    made, home = Grounders(), home_in("de")
    german = made.of(home, "de-DE")
    assert made.of(home, "de") is german
    assert made.of(home, "en") is made.of(home, "xx") is not german
    again = home_in("de")
    assert made.of(again, "de") is german  # nothing is called differently
    other = Home(entities=again.entities[1:], areas=again.areas)
    assert made.of(other, "de") is not german
