"""Grammar engines behind one interface, and ours; the peers are in peers.py.

Every engine gets the same vocabulary (bytes of each token, one end token) and the same
grammar, in the nearest form that it takes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from homellm_edge.grammar.automaton import Automaton, compile_grammar
from homellm_edge.grammar.tokens import Masks
from homellm_edge.stream import GrammarParser, StreamTags, TaggedGrammar
from vocabulary import GgufVocabulary
from workloads import grammar_text


class Run(ABC):
    """One output under a grammar: where it stands, what may follow."""

    def before(self) -> None:
        """Get ready for `mask`: what a caller does for other reasons, not timed."""

    @abstractmethod
    def mask(self) -> object:
        """Find the tokens that may follow, in the engine's own form."""

    @abstractmethod
    def accept(self, token: int) -> object:
        """Go on behind a token; not for the end token."""

    @abstractmethod
    def bits(self) -> NDArray[np.bool_]:
        """What `mask` found: for each token, whether it may follow."""


class Engine(ABC):
    """A grammar engine over one vocabulary."""

    name: ClassVar[str]
    keeps: ClassVar[bool] = True
    """Whether a step is quicker where the same grammar has stood before."""

    def __init__(self, vocabulary: GgufVocabulary) -> None:
        self.vocabulary = vocabulary

    def form(self, grammar: str) -> str:
        """The text that `compile` gets for a grammar of the workloads."""
        return grammar_text(grammar)

    @abstractmethod
    def compile(self, form: str) -> Any:
        """Compile from nothing: no cache of earlier grammars is used."""

    @abstractmethod
    def start(self, compiled: Any) -> Run:
        """The start of an output; compiled grammars keep what they have learnt."""

    @abstractmethod
    def read_whole(self, compiled: Any, data: bytes, tokens: list[int]) -> object:
        """Take a whole output, as bytes or as tokens, whichever is quicker."""

    def read_tokens(self, compiled: Any, tokens: list[int]) -> object:
        """Take an output token by token."""
        accept = self.start(compiled).accept
        for token in tokens:
            accept(token)
        return None


class OursRun(Run):
    """Ours."""

    def __init__(self, automaton: Automaton, masks: Masks, size: int) -> None:
        self._masks = masks
        self._size = size
        self._state = automaton.start

    def mask(self) -> object:
        """The ids, or a bit for each where they are many: what our decoder takes."""
        few = self._masks.allowed(self._state)
        return self._masks.mask(self._state) if few is None else few

    def accept(self, token: int) -> object:
        """Go on behind a token."""
        self._state = self._masks.next_state(self._state, token)
        return None

    def bits(self) -> NDArray[np.bool_]:
        """The whole mask."""
        words = np.frombuffer(self._masks.mask(self._state), dtype=np.uint8)
        bits = np.unpackbits(words, bitorder="little")[: self._size]
        return bits.astype(np.bool_)


class Compiled:
    """A grammar of ours; the table of the stream parser is made when it is wanted."""

    def __init__(self, automaton: Automaton, masks: Masks) -> None:
        self.automaton = automaton
        self.masks = masks

    @cached_property
    def tagged(self) -> TaggedGrammar:
        """The automaton with the meaning of its tags."""
        return TaggedGrammar(self.automaton)


class Ours(Engine):
    """homellm_edge: masks of the byte automaton; streaming with all its events."""

    name = "ours"

    def compile(self, form: str) -> Compiled:
        automaton = compile_grammar(form, tags=StreamTags().rules)
        return Compiled(automaton, Masks(automaton, self.vocabulary.trie))

    def start(self, compiled: Compiled) -> Run:
        return OursRun(compiled.automaton, compiled.masks, self.vocabulary.size)

    def read_whole(self, compiled: Compiled, data: bytes, tokens: list[int]) -> object:
        """Checked by the grammar, with all events, the objects' JSON not parsed."""
        parser = GrammarParser(compiled.tagged)
        return parser.feed(data) + parser.finish()

    def read_tokens(self, compiled: Compiled, tokens: list[int]) -> object:
        parser = GrammarParser(compiled.tagged)
        pieces = self.vocabulary.pieces
        events = []
        for token in tokens:
            events += parser.feed(pieces[token])
        return events + parser.finish()
