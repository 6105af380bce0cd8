"""The phrase banks as training reads them: some phrasings are kept for the test."""

from __future__ import annotations

import random
import zlib
from functools import lru_cache

from homellm_edge.phrases import load
from homellm_edge.phrases.labels import label_of

BANK = load()
_SKEW = 2.1


def held_out(template: str) -> bool:
    """Whether a phrasing occurs in the `phrasings` split only."""
    return zlib.crc32(f"phrase:{template}".encode()) % 12 == 0


@lru_cache(maxsize=16384)
def templates(
    kind: str, key: str, split: str, language: str = BANK.language
) -> tuple[str, ...]:
    """The phrasings of a section that the split may use; () if there is no section."""
    lines = load(language).lines(kind, key)
    if split == "phrasings":
        return tuple(t for t in lines if held_out(t)) or lines
    return tuple(t for t in lines if not held_out(t)) or lines


@lru_cache(maxsize=64)
def keys(kind: str, domain: str = "") -> tuple[str, ...]:
    """The keys of the sections of a kind, of one domain if it is given."""
    return tuple(
        s.key
        for s in BANK.sections
        if s.kind == kind and (not domain or s.key.partition(".")[0] == domain)
    )


@lru_cache(maxsize=1)
def _labels() -> dict[tuple[str, str], str | None]:
    return {(s.kind, s.key): label_of(s) for s in BANK.sections}


def label(kind: str, key: str = "") -> str | None:
    """The label of a section's meaning."""
    return _labels().get((kind, key))


def pick(
    rng: random.Random,
    kind: str,
    key: str,
    split: str,
    language: str = BANK.language,
) -> str:
    """A phrasing of a section that is there; the usual ones stand first in it.

    People mostly say things in the few usual ways: the first tenth of a section makes a
    third of the sentences.
    """
    known = templates(kind, key, split, language)
    return known[int(len(known) * rng.random() ** _SKEW)]
