"""A grammar over a model's vocabulary, and one generation's way through it.

Bytes that the grammar forces need no sampling: they become the tokens that the model's
own tokenizer gives for the same text, as the model has learnt to read it.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .automaton import Automaton, Compiler, Tokens
from .keeping import Keeping
from .tokens import Masks, TokenTrie

Tokenize = Callable[[bytes], Sequence[int]]
"""Text -> tokens as in the middle of an output; control tokens are not looked for."""

_LONGEST_RUN = 1024
"""Bytes that are forced at once."""

_MEMORY = 48 << 20
"""Bytes that the grammars that are kept may take together."""

_MOST = 32
"""Grammars that are kept: those of sentences differ, and are made anew in no time."""

_WORTH_KEEPING = 1 << 18
"""Bytes of memory from which on a grammar is written to a file."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a constraint needs to know of a model."""

    trie: TokenTrie
    tokenize: Tokenize
    named: Tokens | None = None
    """The token that a token terminal names by its text; None: these are refused."""

    def bytes_of(self, tokens: Sequence[int]) -> bytes:
        """The text of these tokens; of those that are no text, nothing."""
        return b"".join(map(self.trie.piece, tokens))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A grammar's automaton and its masks over a vocabulary; both grow with use."""

    automaton: Automaton
    masks: Masks
    kept: int = 0
    """States whose masks are in a file."""

    @property
    def memory(self) -> int:
        """Bytes that it takes, about."""
        return self.automaton.memory + self.masks.memory


class Constraint:
    """One generation under a grammar: which tokens may follow what was written."""

    def __init__(self, compiled: Compiled, vocabulary: Vocabulary) -> None:
        self._automaton = compiled.automaton
        self._masks = compiled.masks
        self._vocabulary = vocabulary
        self._state = compiled.automaton.start

    def allows(self, token: int) -> bool:
        """Whether the token may follow; an end token may where the text may end."""
        return self._masks.allows(self._state, token)

    def candidates(self) -> tuple[int, ...] | bytes:
        """The tokens that may follow, or, when they are many, a bit for each token."""
        few = self._masks.allowed(self._state)
        return self._masks.mask(self._state) if few is None else few

    def accept(self, token: int) -> None:
        """Note a token that was chosen; it must be one that is allowed."""
        self._state = self._masks.next_state(self._state, token)

    @property
    def finished(self) -> bool:
        """Whether the text is complete and nothing can follow."""
        return self._automaton.final(self._state)

    def forced(self, written: Sequence[int], settled: int) -> array[int]:
        """The tokens that come without a choice, after the tokens `written`.

        They take the place of `written[settled:]`, whose text they begin with: a token
        just chosen can be part of a longer one now. Empty when nothing is forced.
        """
        automaton, vocabulary = self._automaton, self._vocabulary
        run = self._masks.forced(self._state, _LONGEST_RUN)
        if not run:
            return array("i")
        kept = array("i")
        if not all(map(vocabulary.trie.piece, written[settled:])):
            # a token without text, which a token terminal named, is never replaced
            kept.extend(written[settled:])
            settled = len(written)
        chosen = vocabulary.bytes_of(written[settled:])
        tokens = self._tokens(written[:settled], chosen + run)
        state = automaton.feed(self._state, run)
        if not automaton.final(state):
            tokens = self._without_unsettled(tokens, state)
        # with fewer bytes than were chosen nothing would be won
        gained = len(vocabulary.bytes_of(tokens)) - len(chosen)
        if gained <= 0:
            return array("i")
        self._state = automaton.feed(self._state, run[:gained])
        return kept + tokens

    def _tokens(self, before: Sequence[int], text: bytes) -> array[int]:
        """The tokenizer's tokens for the text; empty where it cannot write it."""
        vocabulary = self._vocabulary
        whole = vocabulary.bytes_of(before)
        for context, kept in ((whole, list(before)), (b"", [])):
            tokens = array("i", vocabulary.tokenize(context + text))
            if tokens[: len(kept)].tolist() != kept:
                continue  # the model had written something the tokenizer would not
            tokens = tokens[len(kept) :]
            if vocabulary.bytes_of(tokens) == text:
                return tokens
        return array("i")

    def _without_unsettled(self, tokens: array[int], state: int) -> array[int]:
        """Without what a token could be part of that goes on behind the run."""
        safe = self._masks.settled(state, self._vocabulary.bytes_of(tokens))
        end = 0
        for place, token in enumerate(tokens):
            end += len(self._vocabulary.trie.piece(token))
            if end > safe:
                return tokens[:place]
        return tokens


class Constraints:
    """Compiled grammars over one vocabulary; those used last are kept."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        memory: int = _MEMORY,
        keeping: Keeping | None = None,
    ) -> None:
        self._vocabulary = vocabulary
        self._keeping = keeping
        self._compiler = Compiler(vocabulary.named)
        self._kept: OrderedDict[str, Compiled] = OrderedDict()
        self._memory = memory

    def begin(self, grammar: str) -> Constraint:
        """The start of a generation under a GBNF text; raises GrammarError."""
        found = self._kept.pop(grammar, None)
        if found is None:
            found = self._loaded(grammar) or self._compiled(grammar)
        self._kept[grammar] = found
        self._trim()
        return Constraint(found, self._vocabulary)

    def save(self) -> None:
        """Keep what took long to make, for the next start."""
        for grammar, compiled in self._kept.items():
            large = compiled.memory >= _WORTH_KEEPING
            grown = compiled.masks.states > compiled.kept
            if self._keeping is not None and large and grown:
                self._keeping.save(grammar, compiled.masks)

    def _loaded(self, grammar: str) -> Compiled | None:
        if self._keeping is None:
            return None
        masks = self._keeping.load(grammar, self._vocabulary.trie)
        if masks is None:
            return None
        return Compiled(masks.grammar, masks, masks.states)

    def _compiled(self, grammar: str) -> Compiled:
        automaton = self._compiler.compile(grammar)
        return Compiled(automaton, Masks(automaton, self._vocabulary.trie))

    def _trim(self) -> None:
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        used = sum(compiled.memory for compiled in self._kept.values())
        while used > self._memory and len(self._kept) > 1:
            used -= self._kept.popitem(last=False)[1].memory


__all__ = ["Compiled", "Constraint", "Constraints", "Tokenize", "Vocabulary"]
