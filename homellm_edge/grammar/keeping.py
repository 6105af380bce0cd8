"""A folder for what was made of grammars and vocabularies, so that a restart finds it.

All in it can be made again: what is missing, damaged or of another release is not used,
and what cannot be written is not kept.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ..errors import GrammarError
from .automaton import too_costly
from .store import grammar_digest, load_compiled, save_compiled
from .tokens import Masks, TokenTrie, load_trie, save_trie, vocabulary_digest

_T = TypeVar("_T")

_LOGGER = logging.getLogger(__name__)

_MOST = 4
"""So many compiled grammars are kept; those written first go first."""


class Keeping:
    """Tries and compiled grammars in a folder, which is made when it is needed.

    `release` is this package's: files of another one are not used.
    """

    def __init__(self, folder: Path, release: str) -> None:
        self._folder = folder
        self._release = release

    def trie(
        self, pieces: Sequence[bytes], allowed: bytes, end_tokens: Sequence[int]
    ) -> TokenTrie:
        """The trie of a vocabulary, from its file if there is one."""
        digest = vocabulary_digest(pieces, allowed, end_tokens)
        path = self._folder / f"vocabulary-{digest[:16]}.trie"
        found = self._read(lambda: load_trie(path, digest))
        if found is None:
            found = TokenTrie(pieces, allowed, end_tokens)
            made = found
            self._write(lambda: save_trie(made, path))
        return found

    def load(self, grammar: str, trie: TokenTrie) -> Masks | None:
        """The masks of a grammar with its automaton, if they were kept."""
        digest = grammar_digest(grammar, release=self._release)
        path = self._path(digest)
        return self._read(lambda: load_compiled(path, digest, trie, too_costly))

    def save(self, grammar: str, masks: Masks) -> None:
        """Keep the masks of a grammar; the oldest of too many files are removed."""
        digest = grammar_digest(grammar, release=self._release)
        self._write(lambda: save_compiled(self._path(digest), masks, digest))
        self._write(self._trim)

    def _path(self, digest: str) -> Path:
        return self._folder / f"grammar-{digest[:16]}.masks"

    def _trim(self) -> None:
        files = sorted(
            self._folder.glob("grammar-*.masks"), key=lambda path: path.stat().st_mtime
        )
        for path in files[:-_MOST]:
            path.unlink()

    def _read(self, read: Callable[[], _T]) -> _T | None:
        with contextlib.suppress(FileNotFoundError):
            try:
                return read()
            except (GrammarError, OSError) as err:
                _LOGGER.debug("not used: %s", err)
        return None

    def _write(self, write: Callable[[], object]) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write()
        except OSError as err:
            _LOGGER.debug("not kept: %s", err)


__all__ = ["Keeping"]
