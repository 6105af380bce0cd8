"""Sentences and names of one language in English words, by a table."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._similarity import distance
from ..text import Token, counted, plain, spoken_words
from .folding import in_two_letters, stripped
from .reading import Reading
from .table import Rule

_ELIDED = re.compile(r"(?:l|d|qu|n|s|j|c|m|t|jusqu|lorsqu|puisqu)'(?=.)")
_ELIDING = frozenset(["fr"])
_COMPOUNDING = frozenset(["de"])
_LINKS = ("n", "en", "s", "es", "er", "e", "")
_SHORTEST_PART = 4
_SHORTEST_SLIP = 5
_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a sentence: as it was written, and as the table has it."""

    own: str
    key: str
    pause: bool
    guessed: bool = False


class Translation:
    """Translates from one language; keeps nothing of what it has translated."""

    def __init__(self, language: str, rules: Iterable[Rule]) -> None:
        """Take over the rules of a table."""
        self.language = language
        by_word: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            by_word[rule.words[0]].append(rule)
        self._rules: Mapping[str, Sequence[Rule]] = {
            word: sorted(known, key=lambda r: r.rank) if len(known) > 1 else known
            for word, known in by_word.items()
        }
        listed = [rule for known in by_word.values() for rule in known]
        self._vocabulary = frozenset(w for r in listed for w in (*r.words, *r.particle))
        self._single: Mapping[str, tuple[str, ...]] = {
            r.words[0]: r.meaning
            for r in listed
            if len(r.words) == 1 and not (r.start or r.end or r.particle)
        }
        self._unfolded = self._without_diacritics()
        lengths: defaultdict[int, list[str]] = defaultdict(list)
        for word, meaning in self._single.items():
            if meaning:
                lengths[len(word)].append(word)
        self._by_length: Mapping[int, Sequence[str]] = dict(lengths)
        self._guesses: dict[str, str] = {}

    def tokens(
        self, text: str, is_known: Callable[[str], bool] | None = None
    ) -> list[Token]:
        """The sentence in English words, numbers as numbers.

        With `is_known`, which tells the home's own words, a word that is one slip away
        from a single word of the table takes the meaning of that one.
        """
        said = self._words(text)
        if is_known is not None:
            said = [self._put_right(word, is_known) for word in said]
        return counted(self._translated(said, anchored=True))

    def spellings(self, name: str) -> list[tuple[str, ...]]:
        """The words of a name as sentences have them, in each way to write it.

        What only holds at an end of a clause does not count: a name may stand anywhere.
        """
        said = self._words(name)
        ways = [said]
        umlauts = [
            word
            if word.key in self._vocabulary
            else _Word(word.own, in_two_letters(_key(word.own)), word.pause)
            for word in said
        ]
        if umlauts != said:
            ways.append(umlauts)
        found = [
            tuple(t.text for t in counted(self._translated(way, anchored=False)))
            for way in ways
        ]
        return [way or tuple(w.key for w in said) for way in found]

    def _words(self, text: str) -> list[_Word]:
        found: list[_Word] = []
        for word, pause in spoken_words(plain(text).lower()):
            if self.language in _ELIDING:
                while elided := _ELIDED.match(word):
                    found.append(_Word(elided[0], _key(elided[0]), pause))
                    word, pause = word[elided.end() :], False
            found.append(_Word(word.replace("'", ""), self._known(_key(word)), pause))
        return found

    def _known(self, key: str) -> str:
        """The word of the table that this one is, else the word without diacritics."""
        if key in self._vocabulary:
            return key
        plainer = stripped(key)
        return self._unfolded.get(plainer) or (
            self._unfolded.get(in_two_letters(key), plainer)
            if plainer not in self._vocabulary
            else plainer
        )

    def _without_diacritics(self) -> Mapping[str, str]:
        """Ways to write words without diacritics, where that leaves only one."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for word in self._vocabulary:
            if not word.isascii():
                for way in (stripped(word), in_two_letters(word)):
                    if way not in self._vocabulary:
                        found[way].add(word)
        return {
            way: min(known)
            for way, known in found.items()
            if len(known) == 1 or len({self._single.get(w) for w in known}) == 1
        }

    def _translated(self, said: Sequence[_Word], *, anchored: bool) -> list[Token]:
        keys = tuple(w.key for w in said)
        reading = Reading(self._rules, keys, [w.pause for w in said], anchored)
        out: list[Token] = []
        dropped: list[str] = []
        pause = False
        for start, end, meaning in reading.pieces():
            piece = said[start:end]
            if meaning is None:
                meaning = self._compound(piece[0].key)
            pause = pause or piece[0].pause
            own = " ".join(w.own for w in piece).replace("' ", "'")
            if not meaning:
                dropped.append(own)
                continue
            guessed = any(w.guessed for w in piece)
            out.append(
                Token(
                    meaning[0],
                    written=own,
                    dropped=" ".join(dropped).replace("' ", "'"),
                    pause=pause,
                    guessed=guessed,
                )
            )
            out += [Token(w, written="", guessed=guessed) for w in meaning[1:]]
            dropped, pause = [], False
        return out

    def _compound(self, word: str) -> tuple[str, ...]:
        """What `küchenlicht` is made of; the word itself if it is no compound."""
        if self.language in _COMPOUNDING and word.isalpha():
            for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
                tail = self._single.get(self._known(word[cut:]))
                head = self._head(word[:cut]) if tail else ()
                if tail and head:
                    return (*head, *tail)
        return (word,)

    def _head(self, part: str) -> tuple[str, ...]:
        for link in _LINKS:
            bare = part.removesuffix(link)
            if not part.endswith(link) or len(bare) < _SHORTEST_PART:
                continue
            if found := self._single.get(self._known(bare)):
                return found
        return ()

    def _put_right(self, word: _Word, is_known: Callable[[str], bool]) -> _Word:
        key = word.key
        if (
            len(key) < _SHORTEST_SLIP
            or key in self._vocabulary
            or not key.isalpha()
            or is_known(key)
            or self._compound(key) != (key,)
        ):
            return word
        guess = self._guesses.get(key)
        if guess is None:
            if len(self._guesses) >= _MOST_REMEMBERED:
                self._guesses.clear()
            guess = self._guesses[key] = self._guess(key)
        return _Word(word.own, guess, word.pause, guessed=True) if guess else word

    def _guess(self, key: str) -> str:
        """The only word of the table that is one slip away; "" if there is none.

        Forms of one word that mean the same count as one, and swapped letters are the
        likelier slip.
        """
        near = [
            other
            for length in range(len(key) - 1, len(key) + 2)
            for other in self._by_length.get(length, ())
            if len(other) >= _SHORTEST_PART and distance(key, other, 1) == 1
        ]
        swapped = [other for other in near if sorted(other) == sorted(key)]
        for chosen in (swapped, near):
            if len({self._single[other] for other in chosen}) == 1:
                return min(chosen)
        return ""


def _key(word: str) -> str:
    return word.replace("'", "").casefold()
