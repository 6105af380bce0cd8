"""Which rules of a table read a sentence, from left to right, the longest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .table import Rule

_JOINTS = frozenset(
    (
        "and or but then also plus except apart besides excluding if when because "
        "before after until while unless"
    ).split()
)
"""What means one of these ends a clause, and starts the next one."""

Piece = tuple[int, int, tuple[str, ...] | None]
"""(start, end, meaning) of some words; None if no rule reads them."""


class Reading:
    """The words of one sentence beside the rules."""

    def __init__(
        self,
        rules: Mapping[str, Sequence[Rule]],
        keys: tuple[str, ...],
        pauses: Sequence[bool],
        anchored: bool,
    ) -> None:
        """Without `anchored` only rules count that hold anywhere."""
        self._rules = rules
        self._keys = keys
        self._pauses = pauses
        self._anchored = anchored
        self._particles: dict[int, int] = {}
        """Start -> end of particles whose verbs have been read."""

    def pieces(self) -> Iterator[Piece]:
        """The sentence cut into what rules read, in order."""
        at = 0
        first = True
        while at < len(self._keys):
            first = first or self._pauses[at]
            end = self._particles.get(at)
            if end is not None:
                yield at, end, ()
                at = end
                continue
            rule = self._rule(at, first)
            if rule is None:
                yield at, at + 1, None
                at, first = at + 1, False
                continue
            end = at + len(rule.words)
            yield at, end, rule.meaning
            at = end
            if rule.meaning:
                first = rule.meaning[0] in _JOINTS

    def _rule(self, at: int, first: bool) -> Rule | None:
        for rule in self._rules.get(self._keys[at], ()):
            if len(rule.words) > 1 and not self._stands(rule.words, at):
                continue
            if not (rule.start or rule.end or rule.particle):
                return rule
            if not self._anchored or (rule.start and not first):
                continue
            end = at + len(rule.words)
            if rule.particle:
                found = self._particle(rule, end)
                if found:
                    self._particles[found] = found + len(rule.particle)
                    return rule
            elif not rule.end or self._ends(end):
                return rule
        return None

    def _particle(self, rule: Rule, at: int) -> int:
        """Where the particle stands in the rest of the clause; 0 if nowhere."""
        length = len(rule.particle)
        while at < len(self._keys) and not self._pauses[at]:
            there = at not in self._particles and self._stands(rule.particle, at)
            if there and (not rule.end or self._ends(at + length)):
                return at
            at += 1
        return 0

    def _ends(self, at: int) -> bool:
        """Whether a clause ends before that word: what is dropped does not count."""
        while at < len(self._keys) and not self._pauses[at]:
            end = self._particles.get(at)
            if end is None:
                rule = self._anywhere(at)
                if rule is None:
                    return False
                if rule.meaning:
                    return rule.meaning[0] in _JOINTS
                end = at + len(rule.words)
            at = end
        return True

    def _anywhere(self, at: int) -> Rule | None:
        for rule in self._rules.get(self._keys[at], ()):
            if not (rule.start or rule.end or rule.particle) and self._stands(
                rule.words, at
            ):
                return rule
        return None

    def _stands(self, words: tuple[str, ...], at: int) -> bool:
        end = at + len(words)
        return self._keys[at:end] == words and not any(self._pauses[at + 1 : end])
