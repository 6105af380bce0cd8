"""The token side of a grammar: a model's vocabulary as a trie, kept in a file.

A file (see `flat_file`) holds a trie as it lies in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from .._gbnf import Masks, TokenTrie, vocabulary_image
from .flat_file import FileKind, read_flat, unusable, write_flat

MAX_FILE = 256 << 20
"""Bytes of a trie's file that are still read."""

_KIND = FileKind(
    magic=b"homellmT",
    version=2,
    name="a vocabulary",
    cure="delete it and have it made again from the model",
    largest=MAX_FILE,
)


def vocabulary_digest(
    pieces: Sequence[bytes],
    allowed: Sequence[bool] | bytes | None = None,
    end_tokens: Iterable[int] = (),
) -> str:
    """A name for a vocabulary by its content: `trie_digest` of the trie made of it."""
    return hashlib.sha256(vocabulary_image(pieces, allowed, end_tokens)).hexdigest()


def trie_digest(trie: TokenTrie) -> str:
    """A name for the trie's vocabulary by its content, 64 hexadecimal digits."""
    return hashlib.sha256(trie.vocabulary).hexdigest()


def save_trie(trie: TokenTrie, path: Path) -> None:
    """Write the trie to a file, all at once: no reader sees a half of it.

    Raises OSError where that cannot be written.
    """
    write_flat(path, _KIND, trie.image)


def load_trie(path: Path, digest: str | None = None) -> TokenTrie:
    """The trie in a file; with `digest` only if that is its vocabulary's.

    Raises:
        GrammarError: the file is damaged, none of ours, of another version or of
            another vocabulary.
        OSError: it cannot be read.
    """
    image = read_flat(path, _KIND)
    try:
        trie = TokenTrie.from_image(image)
    except ValueError as err:
        raise unusable(path, _KIND, f"it is damaged ({err})") from None
    if digest is not None and digest != trie_digest(trie):
        raise unusable(path, _KIND, "it was made for another vocabulary")
    return trie


__all__ = [
    "MAX_FILE",
    "Masks",
    "TokenTrie",
    "load_trie",
    "save_trie",
    "trie_digest",
    "vocabulary_digest",
]
