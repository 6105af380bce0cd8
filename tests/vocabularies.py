"""Vocabularies of GGUF files, read and used by llama.cpp without a context."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib

from homellm_edge.grammar.constraint import Vocabulary
from homellm_edge.grammar.tokens import TokenTrie

_SPACE_ADDING = (lib.LLAMA_VOCAB_TYPE_SPM, lib.LLAMA_VOCAB_TYPE_UGM)


@contextmanager
def vocabulary_of(path: Path) -> Iterator[Vocabulary]:
    """The vocabulary of a model's file, with llama.cpp's own tokenizer."""
    params = lib.llama_model_default_params()
    params.vocab_only = True
    model = lib.llama_model_load_from_file(str(path).encode(), params)
    assert model, path
    try:
        yield _vocabulary(lib.llama_model_get_vocab(model))
    finally:
        lib.llama_model_free(model)


def _vocabulary(vocab: Any) -> Vocabulary:
    pieces, allowed, ends = [], [], []
    buffer = ctypes.create_string_buffer(4096)
    for token in range(lib.llama_vocab_n_tokens(vocab)):
        length = lib.llama_token_to_piece(vocab, token, buffer, 4096, 0, False)
        pieces.append(buffer.raw[: max(length, 0)])
        end = bool(lib.llama_vocab_is_eog(vocab, token))
        ends += [token] if end else []
        allowed.append(not end and not lib.llama_vocab_is_control(vocab, token))

    def tokens_of(text: bytes) -> array[int]:
        room = (lib.llama_token * (len(text) + 16))()
        count = lib.llama_tokenize(
            vocab, text, len(text), room, len(room), False, False
        )
        return array("i", room[:count])

    def tokenize(text: bytes) -> array[int]:
        if lib.llama_vocab_type(vocab) not in _SPACE_ADDING:
            return tokens_of(text)
        lead = tokens_of(b"\n")
        return tokens_of(b"\n" + text)[len(lead) :]

    return Vocabulary(TokenTrie(pieces, allowed, ends), tokenize)
