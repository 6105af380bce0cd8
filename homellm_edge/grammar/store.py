"""A compiled grammar kept in a file: program, states made so far and their masks.

After a restart the masks that were in use are there at once, and the front end need not
run. A file belongs to one grammar and one vocabulary, both named by their digests.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from .._gbnf import Automaton, Masks, TokenTrie
from .flat_file import FileKind, read_flat, unusable, write_flat
from .tokens import trie_digest

MAX_FILE = 128 << 20
"""Bytes of a compiled grammar's file that are still read or written."""

_KIND = FileKind(
    magic=b"homellmG",
    version=1,
    name="a compiled grammar",
    cure="delete it and compile the grammar again",
    largest=MAX_FILE,
)
_KEYS = struct.Struct("=32s32sQ")


def grammar_digest(
    text: str,
    root: str = "root",
    *,
    release: str,
    tags: Mapping[str, int] | None = None,
) -> str:
    """A name for what `compile_grammar` makes of these, 64 hexadecimal digits.

    `release` is this package's, as the next one may compile them differently.
    """
    numbers = [f"{rule} {tag}" for rule, tag in sorted((tags or {}).items())]
    found = hashlib.sha256()
    for part in (release, text, root, *numbers):
        data = part.encode(errors="surrogatepass")
        found.update(len(data).to_bytes(8, "little") + data)
    return found.hexdigest()


def save_compiled(path: Path, masks: Masks, grammar_digest: str) -> bool:
    """Write the masks and their automaton to a file, all at once.

    False, and no file, if it would be larger than `MAX_FILE`. Raises ValueError for a
    digest that is none, OSError where the file cannot be written.
    """
    automaton = masks.grammar.image
    keys = _KEYS.pack(
        _digest(grammar_digest),
        _digest(trie_digest(masks.vocabulary)),
        len(automaton),
    )
    content = b"".join((keys, automaton, masks.image))
    if len(content) > MAX_FILE - 1024:
        return False
    write_flat(path, _KIND, content)
    return True


def load_compiled(
    path: Path,
    grammar_digest: str,
    trie: TokenTrie,
    failure: Callable[[str], Exception],
    *,
    limit: int = 16 << 20,
) -> Masks:
    """The masks of a file, if they are of this grammar and this vocabulary.

    `failure` makes the error of an automaton that becomes too big, `limit` bounds the
    bytes of memory that masks take, about.

    Raises:
        GrammarError: the file is damaged, none of ours, of another version, of another
            grammar or of another vocabulary.
        OSError: it cannot be read.
    """
    content = read_flat(path, _KIND)
    if len(content) < _KEYS.size:
        raise unusable(path, _KIND, "it is damaged (it is too short)")
    grammar, vocabulary, length = _KEYS.unpack_from(content)
    if grammar != _digest(grammar_digest):
        raise unusable(path, _KIND, "it was made of another grammar")
    if vocabulary != _digest(trie_digest(trie)):
        raise unusable(path, _KIND, "it was made for another vocabulary")
    end = _KEYS.size + length
    try:
        automaton = Automaton.from_image(content[_KEYS.size : end], failure)
        return Masks.from_image(automaton, trie, content[end:], limit=limit)
    except ValueError as err:
        raise unusable(path, _KIND, f"it is damaged ({err})") from None


def _digest(text: str) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != 32:
        raise ValueError(f"{text!r} is not a SHA-256 in hexadecimal digits")
    return data


__all__ = ["MAX_FILE", "grammar_digest", "load_compiled", "save_compiled"]
