"""llama.cpp's own masks: which tokens its grammar sampler lets through."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib

from homellm_edge.grammar.tokens import Masks
from token_oracle import set_bits


class Vocabulary:
    """llama.cpp's vocabulary of a model file, and its own masks."""

    def __init__(self, path: Path) -> None:
        params = lib.llama_model_default_params()
        params.vocab_only = True
        self._model = lib.llama_model_load_from_file(str(path).encode(), params)
        assert self._model
        self._vocab: Any = lib.llama_model_get_vocab(self._model)
        self.size = lib.llama_vocab_n_tokens(self._vocab)
        tokens = range(self.size)
        self.ends = [t for t in tokens if lib.llama_vocab_is_eog(self._vocab, t)]
        marks = [lib.llama_vocab_get_attr(self._vocab, t) for t in tokens]
        # unknown, unused, control
        self.allowed = [not mark & 0b1011 for mark in marks]
        buffer = ctypes.create_string_buffer(1024)
        self.pieces = []
        for token in tokens:
            length = lib.llama_token_to_piece(self._vocab, token, buffer, 1024, 0, True)
            assert length >= 0
            self.pieces.append(buffer.raw[:length])

    def close(self) -> None:
        lib.llama_model_free(self._model)

    def masks(self, grammar: str, tokens: Sequence[int]) -> Iterator[set[int]]:
        """llama.cpp's mask at the start and after each of the tokens."""
        sampler = lib.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
        assert sampler
        kind = lib.llama_token_data * self.size
        minus = float("-inf")
        try:
            for token in [*tokens, None]:
                data = kind(*((t, 1.0, 0.0) for t in range(self.size)))
                array = lib.llama_token_data_array(
                    ctypes.cast(data, ctypes.POINTER(lib.llama_token_data)),
                    self.size,
                    -1,
                    False,
                )
                lib.llama_sampler_apply(sampler, ctypes.byref(array))
                yield {item.id for item in data if item.logit > minus}
                if token is not None:
                    lib.llama_sampler_accept(sampler, token)
        finally:
            lib.llama_sampler_free(sampler)

    def differences(
        self, grammar: str, masks: Masks, start: int, tokens: Sequence[int]
    ) -> list[tuple[int, set[int], set[int]]]:
        """Of each step, its number, what only llama.cpp allows, what only we do."""
        state = start
        found = []
        for number, theirs in enumerate(self.masks(grammar, tokens)):
            ours = set(set_bits(masks.mask(state)))
            if ours != theirs:
                found.append((number, theirs - ours, ours - theirs))
            if number < len(tokens):
                state = masks.next_state(state, tokens[number])
        return found


def whole_tokens(vocabulary: Vocabulary) -> set[int]:
    return {
        token
        for token, piece in enumerate(vocabulary.pieces)
        if vocabulary.allowed[token]
        and token not in vocabulary.ends
        and piece
        and piece.decode(errors="replace").encode() == piece
    }
