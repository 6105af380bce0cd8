"""Questions and commands told apart by their words, where these leave no doubt.

`is the gate open` only asks: whatever a model makes of it, nothing may be done. And
`all lights on` asks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from .lexicon import ATTRIBUTE_NOUNS
from .text import Token

_ASKING = frozenset("is are which has did".split())
_COUNTING = frozenset("much many long warm cold hot bright high loud".split())
_COMPLAINING = (("is", "it", "just", "me"), ("is", "there", "no"))
_FILLERS = frozenset(
    "hey hi hello ok okay um uh erm hmm so and please now just well but al".split()
)
_WISHING = frozenset(
    (
        "you possible able way want please about if chance lets turn switch shut make "
        "bring put set dim give take get change remind add play otherwise again "
        "tick cross"
    ).split()
)
"""With one of these a question may be a polite command: `is it possible to ..`."""

_MARKS = frozenset(
    (
        "is are am was were be isnt arent wasnt werent r any anyone anybody anything "
        "some something somebody someone none what whats which who whos whose how when "
        "where why did do does has have had tell check see look know status state info "
        "update list show name count number whether if yes or left still find wonder "
        "report inform let say confirm sensed presence give read everyone people"
    ).split()
)
"""A question about several devices has one of these."""

_MEASURED = ATTRIBUTE_NOUNS | frozenset(
    (
        "temp temps lux co co2 carbon pm25 dust particulate level levels air voltage "
        "volts current amperage watt watts wattage kwh percent value reading mode "
        "source timer timers countdown remaining info details curious query checking "
        "colour color"
    ).split()
)
_LOOKED_UP = frozenset(
    (
        "weather wether rain rainy forecast umbrella coat outside outdoors wet dry "
        "sunny snow storm wind degrees calendar event events appointment appointments "
        "schedule agenda plan plans planned diary meeting meetings next today todays "
        "tonight tomorrow tomorrows week weeks weekend morning afternoon evening list "
        "lists todo todos item items shopping groceries grocery tasks task chores time "
        "clock date day month year sunrise sunset sun dawn dusk daylight hows wheres "
        "hasnt didnt location whereabouts searching locate yet"
    ).split()
)
_TOGGLING = frozenset(
    (
        "toggle flip flick click tap hit press swap invert reverse opposite over other "
        "otherwise whichever whatever state not off"
    ).split()
)
"""`switch over`, `on off`, `the other way round`: what `toggle` is said with."""


def only_asks(tokens: Sequence[Token]) -> bool:
    """Whether a sentence asks how things are and can be nothing else.

    Cautious: it need not know every question, but must never take a command for one.
    """
    texts = [t.text for t in tokens]
    while texts and texts[0] in _FILLERS:
        del texts[0]
    if len(texts) < 3 or not _WISHING.isdisjoint(texts):
        return False
    if any(tuple(texts[: len(start)]) == start for start in _COMPLAINING):
        return False  # `is it just me or is it cold`
    if texts[0] == "how":
        return texts[1] in _COUNTING
    return texts[0] in _ASKING


def may_ask(tokens: Sequence[Token]) -> bool:
    """Whether a sentence may ask which, how many, any or all of its devices are so."""
    return any(t.text in _MARKS for t in tokens)


def may_measure(tokens: Sequence[Token]) -> bool:
    """Whether a sentence may ask how something is: `humidity in the cellar`."""
    return may_ask(tokens) or any(t.text in _MEASURED for t in tokens)


def may_look_up(tokens: Sequence[Token]) -> bool:
    """Whether a sentence may ask anything at all: `rain tomorrow`, `anna back yet`."""
    return may_measure(tokens) or any(t.text in _LOOKED_UP for t in tokens)


def barred_verbs(tokens: Sequence[Token]) -> frozenset[str]:
    """Services that a sentence without any of their words does not mean."""
    if any(t.text in _TOGGLING for t in tokens):
        return frozenset()
    return frozenset({"toggle"})
