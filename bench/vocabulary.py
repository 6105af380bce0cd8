"""A GGUF file's vocabulary, read and tokenized by llama.cpp."""

from __future__ import annotations

import ctypes
from array import array
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib

from homellm_edge.grammar.constraint import Vocabulary
from homellm_edge.grammar.tokens import TokenTrie


@dataclass(frozen=True)
class GgufVocabulary:
    """Tokens of a model; all engines get the same bytes and the same end token."""

    handle: Any
    """llama.cpp's `llama_vocab *`; its model is never freed."""
    pieces: tuple[bytes, ...]
    """The bytes of each token; of control and unknown tokens none."""
    end: int
    """The token that ends an output."""

    @classmethod
    def load(cls, path: Path) -> GgufVocabulary:
        """Read a file; tensors are neither needed nor read."""
        lib.llama_log_set(_silent, ctypes.c_void_p(0))
        params = lib.llama_model_default_params()
        params.vocab_only = True
        model = lib.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise OSError(f"llama.cpp cannot read {path}; run scripts/vocabularies")
        handle = lib.llama_model_get_vocab(model)
        pieces = []
        buffer = ctypes.create_string_buffer(4096)
        ends = []
        for token in range(lib.llama_vocab_n_tokens(handle)):
            length = lib.llama_token_to_piece(handle, token, buffer, 4096, 0, False)
            end = lib.llama_vocab_is_eog(handle, token)
            ends += [token] if end else []
            hidden = end or lib.llama_vocab_is_control(handle, token)
            pieces.append(b"" if hidden else buffer.raw[: max(length, 0)])
        favourite = lib.llama_vocab_eos(handle)
        end = favourite if favourite in ends else ends[0]
        return cls(handle, tuple(pieces), end)

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(self.pieces)

    @cached_property
    def trie(self) -> TokenTrie:
        """Our form of the vocabulary."""
        return TokenTrie(self.pieces, None, [self.end])

    @cached_property
    def ours(self) -> Vocabulary:
        """What a constraint of ours needs."""
        return Vocabulary(self.trie, self.tokenize)

    def tokenize(self, text: bytes) -> array[int]:
        """The model's own tokens for a text in the middle of an output."""
        lead = b"\n"  # some vocabularies put a space before what begins a text
        skipped = len(self._tokens(lead))
        tokens = self._tokens(lead + text)[skipped:]
        if b"".join(self.pieces[token] for token in tokens) == text:
            return tokens
        return self._tokens(text)

    def _tokens(self, text: bytes) -> array[int]:
        room = (lib.llama_token * (len(text) + 16))()
        count = lib.llama_tokenize(
            self.handle, text, len(text), room, len(room), False, False
        )
        return array("i", room[:count])


@lib.llama_log_callback
def _silent(_level: int, _text: bytes, _data: Any) -> None:
    """Drop what llama.cpp says while it loads."""
