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
    "(for a while|for a bit)",
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


def polite(rng: random.Random, text: str) -> str:
    """A command as somebody might frame it."""
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
