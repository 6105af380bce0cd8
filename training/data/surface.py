"""How people really say it: politeness, hesitation, speech recognition, typing."""

from __future__ import annotations

import random

from .templates import expand

_BEFORE = (
    "",
    "",
    "",
    "",
    "",
    "",
    "(please|pls)",
    "(can|could|would|will) you (please|)",
    "hey",
    "(i want you to|i need you to|i would like you to|id like you to)",
    "(go ahead and|just|now)",
    "(okay|ok|alright|so)",
    "(um|uh|erm|hmm)",
    "al",
    "(can|could) you (just|maybe|quickly|)",
    "(do me a favor and|be so kind and)",
    "i was wondering if you could",
    "(its time to|time to)",
    "(lets|let us)",
    "(how about you|why dont you)",
    "(can|could) (you|we) (please|)",
    "(i need you to|you need to|you should)",
)
_AFTER = (
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "please",
    "for me",
    "now",
    "right now",
    "thanks",
    "(would|will|could) you",
    "(if you can|if possible)",
    "(right away|immediately)",
    "(thank you|thx)",
    "again",
    "when you get a (second|chance|moment)",
    "al",
)
_QUESTION_BEFORE = (
    "",
    "",
    "",
    "",
    "",
    "hey",
    "(um|uh)",
    "(please|) tell me",
    "(do|would) you know",
    "(can|could) you (tell me|check)",
    "i (want|would like|need) to know",
    "quick question",
)
_QUESTION_AFTER = (
    "",
    "",
    "",
    "",
    "please",
    "right now",
    "at the moment",
    "(currently|now)",
)


_ANY_BEFORE = (
    "",
    "",
    "",
    "",
    "hey",
    "(um|uh|erm|hmm)",
    "(okay|ok|alright|so)",
    "al",
    "(please|pls)",
)
_ANY_AFTER = ("", "", "", "", "please", "now", "thanks", "al")
_VERBS = frozenset(
    (
        "turn switch shut put make open close set start stop play pause skip mute "
        "unmute lock unlock dim brighten raise lower increase decrease reduce "
        "change adjust bring get give move run send press activate deactivate "
        "enable disable power light add remove delete cancel mark check cross take "
        "keep leave let crank pull push roll draw resume continue go fire kill cut "
        "toggle flip warm cool heat secure bolt show clean vacuum mow dock find "
        "locate arm disarm select choose trigger execute launch speed slow spin "
        "extinguish illuminate color paint tone soften double halve drop lift tilt "
        "seal release restart rewind shuffle repeat wake remind count extend "
        "shorten hold freeze finish end clear empty water fill boil brew plug "
        "unplug swap reverse"
    ).split()
)


def polite(rng: random.Random, text: str) -> str:
    """A command as somebody might frame it."""
    if text.split(" ", 1)[0] not in _VERBS:
        # `could you the lamp is too bright` says nobody
        before, after = rng.choice(_ANY_BEFORE), rng.choice(_ANY_AFTER)
    else:
        before, after = rng.choice(_BEFORE), rng.choice(_AFTER)
    return expand(rng, f"{before} {text} {after}")


def asked(rng: random.Random, text: str) -> str:
    """A question as somebody might frame it."""
    before, after = rng.choice(_QUESTION_BEFORE), rng.choice(_QUESTION_AFTER)
    return expand(rng, f"{before} {text} {after}")


def noisy(rng: random.Random, text: str) -> str:
    """Speech recognition and typing errors in some sentences."""
    roll = rng.random()
    words = text.split()
    if roll < 0.05 and len(words) > 3:
        at = rng.randrange(len(words))
        if words[at] in ("the", "my", "please", "to", "a", "of", "in"):
            del words[at]
    elif roll < 0.09:
        at = rng.randrange(len(words))
        words[at] = typo(rng, words[at])
    elif roll < 0.11:
        words.insert(rng.randrange(len(words) + 1), rng.choice(("um", "uh", "like")))
    return " ".join(words)


def typo(rng: random.Random, word: str) -> str:
    """One slip of the finger in words of five letters or more."""
    if len(word) < 5 or not word.isalpha():
        return word
    at = rng.randrange(1, len(word) - 2)
    roll = rng.random()
    if roll < 0.4:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if roll < 0.8:
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at] + word[at:]
