"""Several commands in one sentence, cut apart: `dim the lamp and close the blinds`.

Only where the next part starts with a verb of its own, and never where a word governs
the whole sentence (a negation, a condition, `in five minutes`): there the parts cannot
be carried out one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from .lexicon import CLAUSE_VERBS, GOVERNING_WORDS
from .spans import find_durations
from .text import Token

MOST_CLAUSES = 4
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
_ENDS = frozenset("on off up down open closed".split())
"""Words that say alone what is to happen to what stands before them."""
_TIMES = frozenset(["in", "after", "within"])


def split_clauses(sentence: Sequence[Token]) -> list[Sequence[Token]]:
    """The commands of a sentence in order; the sentence itself if it is one."""
    parts = _with_pauses(sentence)
    texts = [t.text for t in parts]
    if not GOVERNING_WORDS.isdisjoint(texts):
        return [sentence]
    if any(d.start and texts[d.start - 1] in _TIMES for d in find_durations(parts)):
        return [sentence]
    for greeting in _GREETINGS:
        length = len(greeting)
        if tuple(texts[:length]) == greeting and _starts(texts, length) == length:
            texts, parts = texts[length:], parts[length:]
            sentence = parts
    clauses: list[list[Token]] = [[]]
    at = 0
    while at < len(texts):
        start = _starts(texts, at + 1) if texts[at] in _JOINTS else 0
        if texts[at] in _JOINTS and not start and _both_end(texts, at):
            start = at + 1
        if start and clauses[-1]:
            clauses.append([])
            at = start
            continue
        clauses[-1].append(parts[at])
        at += 1
    if not 1 < len(clauses) <= MOST_CLAUSES or any(len(c) < 2 for c in clauses):
        return [sentence]
    return [*clauses]


def _both_end(texts: list[str], at: int) -> bool:
    """Whether `and` stands between `the lamp off` and `the fan on`."""
    rest = texts[at + 1 :]
    end = next((n for n, text in enumerate(rest) if text in _JOINTS), len(rest))
    return end > 1 and texts[at - 1] in _ENDS and rest[end - 1] in _ENDS


def _with_pauses(sentence: Sequence[Token]) -> list[Token]:
    """The sentence with an `and` for each pause in it."""
    out: list[Token] = []
    for token in sentence:
        if token.pause:
            out.append(Token("and", written=""))
        out.append(token)
    return out


def _starts(texts: list[str], at: int) -> int:
    """Where the verb is that starts a clause there; 0 if none does."""
    while at < len(texts) and texts[at] in _SKIPPED | _JOINTS:
        at += 1
    return at if at < len(texts) and texts[at] in CLAUSE_VERBS else 0
