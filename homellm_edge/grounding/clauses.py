"""Several commands in one sentence, cut apart: `dim the lamp and close the blinds`.

Only where the next part starts with a verb of its own, and never where a word governs
the whole sentence (a negation, a condition, `in five minutes`): there the parts cannot
be carried out one by one.
"""

from __future__ import annotations

import re

from .lexicon import CLAUSE_VERBS, GOVERNING_WORDS
from .spans import find_durations
from .text import tokens

MOST_CLAUSES = 4
_PAUSE = re.compile(r"[,;.!?]+\s+")
_JOINTS = frozenset(["and", "then", "also", "plus"])
_SKIPPED = frozenset("then also please could can you would after afterwards".split())
_GREETINGS = (
    ("hello",),
    ("hi",),
    ("good", "morning"),
    ("good", "afternoon"),
    ("good", "evening"),
    ("thanks",),
)
_TIMES = frozenset(["in", "after", "within"])


def split_clauses(sentence: str) -> list[str]:
    """The commands of a sentence in order; the sentence itself if it is one."""
    found = tokens(_PAUSE.sub(" and ", sentence))
    texts = [t.text for t in found]
    if not GOVERNING_WORDS.isdisjoint(texts):
        return [sentence]
    if any(d.start and texts[d.start - 1] in _TIMES for d in find_durations(found)):
        return [sentence]
    for greeting in _GREETINGS:
        length = len(greeting)
        if tuple(texts[:length]) == greeting and _starts(texts, length) == length:
            texts = texts[length:]
            sentence = " ".join(texts)
    clauses: list[list[str]] = [[]]
    at = 0
    while at < len(texts):
        if texts[at] in _JOINTS and (start := _starts(texts, at + 1)) and clauses[-1]:
            clauses.append([])
            at = start
            continue
        clauses[-1].append(texts[at])
        at += 1
    if not 1 < len(clauses) <= MOST_CLAUSES or any(len(c) < 2 for c in clauses):
        return [sentence]
    return [" ".join(clause) for clause in clauses]


def _starts(texts: list[str], at: int) -> int:
    """Where the verb is that starts a clause there; 0 if none does."""
    while at < len(texts) and texts[at] in _SKIPPED | _JOINTS:
        at += 1
    return at if at < len(texts) and texts[at] in CLAUSE_VERBS else 0
