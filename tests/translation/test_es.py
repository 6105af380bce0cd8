"""Spanish sentences in the English words that the dictionary gives them."""

from __future__ import annotations

import pytest

from homellm_edge.translation import translation_of

_PAIRS = (
    ("Enciende la luz de la cocina", "turn on the light of the kitchen"),
    ("apaga todo en el salón", "turn off everything in the living room"),
    (
        "pon la lámpara de noche al veintiuno por ciento",
        "put the bedside lamp to 21 percent",
    ),
    ("Atenúa el plafón al 30 %", "dim the ceiling light to 30 percent"),
    ("enciende la bombilla en rojo", "turn on the bulb in red"),
    (
        "apaga todas las luces excepto la lámpara de pie",
        "turn off all the lights except the floor lamp",
    ),
    ("las persianas del dormitorio a la mitad", "the blinds of the bedroom halfway"),
    ("cierra las persianas arriba", "close the blinds upstairs"),
    ("abre el portón", "open the gate"),
    ("cierra la puerta del garaje", "close the garage door"),
    ("bloquea la puerta de entrada", "lock the front door"),
    ("cierra la puerta de entrada con llave", "lock the front door"),
    ("desbloquea la puerta de entrada", "unlock the front door"),
    ("no desbloquees la puerta", "dont unlock the door"),
    ("no abras el garaje", "dont open the garage"),
    ("nunca abras el portón", "never open the gate"),
    ("¿está bloqueada la cerradura?", "is locked the lock"),
    ("qué ventanas siguen abiertas", "what windows are still open"),
    ("cuántas luces están encendidas", "how many lights are on"),
    (
        "¿qué temperatura hace en el dormitorio?",
        "what is the temperature in the bedroom",
    ),
    ("hace demasiado calor aquí", "it is too hot here"),
    ("tengo frío", "i am cold"),
    ("sube la calefacción dos grados", "raise the heating 2 degrees"),
    ("pon el termostato a noventa y cinco", "put the thermostat to 95"),
    ("pon un temporizador de media hora", "put a timer of half an hour"),
    ("un temporizador de una hora y media", "a timer of 90 minutes"),
    ("cuánto queda del temporizador", "how much time is left of the timer"),
    ("añade leche a la lista de la compra", "add leche to the shopping list"),
    ("tacha la pasta de mi lista", "cross off the pasta of my list"),
    ("pon música en el salón", "play music in the living room"),
    ("pausa la tele", "pause the tv"),
    ("sube el volumen", "raise the volume"),
    ("siguiente canción", "next track"),
    ("quita el sonido de la tele", "mute the tv"),
    ("pasa la aspiradora en la cocina", "vacuum in the kitchen"),
    ("corta el césped", "mow the lawn"),
    ("arma la alarma", "arm the alarm"),
    ("desarma la alarma", "disarm the alarm"),
    ("va a llover mañana", "will it rain tomorrow"),
    ("qué hora es", "what time is it"),
    ("la lámpara está encendida, apágala", "the lamp is on turn it off"),
    ("nos hemos quedado sin leche", "out of leche"),
    ("enciéndelas en azul", "turn them on in blue"),
    (
        "prendé el ventilador en esta habitación, por favor",
        "turn on the fan in this room",
    ),
    ("apaga la luz y cierra las cortinas", "turn off the light and close the curtains"),
    ("sí", "yes"),
    ("muchas gracias", "thanks"),
)
_NEVER_UNLOCKED = (
    "bloquea la puerta de entrada",
    "cierra la puerta de entrada con llave",
    "echa la llave",
    "echa el cerrojo",
    "abre el portón",
    "deja la puerta bloqueada",
    "activa la alarma",
)
_FORBIDDEN = (
    "no desbloquees la puerta",
    "no abras el garaje",
    "no la abras",
    "nunca abras el portón",
    "evita abrir la puerta",
    "no quiero que abras el portón",
    "no desarmes la alarma",
)
_DONE_AT_ONCE = frozenset("unlock unlocked unlatch disarm disarmed".split())
_NEGATED = frozenset("not dont never no".split())


def _english(sentence: str) -> str:
    translation = translation_of("es")
    assert translation is not None
    return " ".join(t.text for t in translation.tokens(sentence))


@pytest.mark.parametrize(("sentence", "english"), _PAIRS)
def test_says_in_english_what_is_wanted(sentence: str, english: str) -> None:
    assert _english(sentence) == english


@pytest.mark.parametrize("sentence", _NEVER_UNLOCKED)
def test_what_locks_never_unlocks(sentence: str) -> None:
    assert _DONE_AT_ONCE.isdisjoint(_english(sentence).split())


@pytest.mark.parametrize("sentence", _FORBIDDEN)
def test_what_is_forbidden_stays_forbidden(sentence: str) -> None:
    assert not _NEGATED.isdisjoint(_english(sentence).split())
