"""French sentences in the English words that the dictionary gives them."""

from __future__ import annotations

import pytest

from homellm_edge.translation import translation_of

_PAIRS = (
    ("Allume la lumière de la cuisine", "turn on the light of the kitchen"),
    ("Éteins tout dans le salon", "turn off everything in the living room"),
    (
        "mets la lampe de chevet à vingt et un pour cent",
        "put the bedside lamp to 21 percent",
    ),
    ("Tamise le plafonnier à 30 %", "dim the ceiling light to 30 percent"),
    ("allume l'ampoule en rouge", "turn on the bulb in red"),
    (
        "éteins toutes les lampes sauf le lampadaire",
        "turn off all the lamps except the floor lamp",
    ),
    ("les volets de la chambre à moitié", "the shutters of the bedroom halfway"),
    ("ferme les volets à l'étage", "close the shutters upstairs"),
    ("ouvre le portail", "open the gate"),
    ("ferme la porte de garage", "close the garage door"),
    ("verrouille la porte d'entrée", "lock the front door"),
    ("ferme la porte d'entrée à clé", "lock the front door"),
    ("déverrouille la porte d'entrée", "unlock the front door"),
    ("ne déverrouille surtout pas la porte", "dont unlock the door"),
    ("n'ouvre pas le garage", "dont open the garage"),
    ("n'ouvre jamais le portail", "open never the gate"),
    ("est-ce que la serrure est verrouillée ?", "is it that the lock is locked"),
    ("quelles fenêtres sont encore ouvertes", "which windows are still open"),
    ("combien de lampes sont allumées", "how many lamps are on"),
    (
        "quelle température fait-il dans la chambre",
        "what is the temperature in the bedroom",
    ),
    ("il fait trop chaud ici", "it is too hot here"),
    ("j'ai froid", "i am cold"),
    ("monte le chauffage de deux degrés", "raise the heating of 2 degrees"),
    ("règle la clim sur quatre-vingt-dix pour cent", "set the ac on 90 percent"),
    ("mets un minuteur d'une demi-heure", "put a timer of half an hour"),
    ("un minuteur d'une heure et demie", "a timer of 90 minutes"),
    ("combien de temps il reste sur le minuteur", "how much time is left on the timer"),
    ("ajoute du lait à la liste de courses", "add some lait to the shopping list"),
    ("coche les pâtes sur ma liste", "tick the pates on my list"),
    ("mets de la musique dans le salon", "play music in the living room"),
    ("mets la télé en pause", "pause the tv"),
    ("monte le son", "raise the volume"),
    ("chanson suivante", "next track"),
    ("coupe le son de la télé", "mute the tv"),
    ("passe l'aspirateur dans la cuisine", "vacuum in the kitchen"),
    ("tonds la pelouse", "mow the lawn"),
    ("arme l'alarme", "arm the alarm"),
    ("désarme l'alarme", "disarm the alarm"),
    ("va-t-il pleuvoir demain", "will it rain tomorrow"),
    ("quelle heure est-il", "what time is it"),
    ("la lampe est allumée, éteins-la", "the lamp is on turn it off"),
    ("on n'a plus de lait", "we are out of lait"),
    (
        "s'il te plaît allume le ventilateur dans cette pièce",
        "turn on the fan in this room",
    ),
    (
        "éteins la lumière et ferme les rideaux",
        "turn off the light and close the curtains",
    ),
    ("oui", "yes"),
    ("merci beaucoup", "thanks"),
)
_NEVER_UNLOCKED = (
    "verrouille la porte d'entrée",
    "ferme la porte d'entrée à clé",
    "ferme à clé le portail",
    "boucle la porte",
    "barre la porte d'entrée",
    "ouvre le portail",
    "laisse la porte verrouillée",
    "active l'alarme",
)
_FORBIDDEN = (
    "ne déverrouille pas la porte",
    "n'ouvre pas le garage",
    "n'ouvre jamais le portail",
    "évite d'ouvrir la porte",
    "ne déverrouille plus la porte",
    "il ne faut pas ouvrir le portail",
    "ne désarme pas l'alarme",
)
_DONE_AT_ONCE = frozenset("unlock unlocked unlatch disarm disarmed".split())
_NEGATED = frozenset("not dont never no".split())


def _english(sentence: str) -> str:
    translation = translation_of("fr")
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
