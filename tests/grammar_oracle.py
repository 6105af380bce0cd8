"""llama.cpp's own grammar sampler as the judge of whole strings."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib


class GrammarOracle:
    """Does a GBNF text accept a string? Asked byte by byte of llama.cpp itself."""

    def __init__(self, model: Path) -> None:
        params = lib.llama_model_default_params()
        params.vocab_only = True
        self._model = lib.llama_model_load_from_file(str(model).encode(), params)
        assert self._model, model
        self._vocab: Any = lib.llama_model_get_vocab(self._model)
        self._bytes = self._byte_tokens()
        self._end = lib.llama_vocab_eot(self._vocab)
        if self._end < 0:
            self._end = lib.llama_vocab_eos(self._vocab)

    def close(self) -> None:
        lib.llama_model_free(self._model)

    def accepts(self, grammar: str, text: str) -> bool:
        """Whether the root rule matches the whole text."""
        sampler = lib.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
        assert sampler, "llama.cpp refuses the grammar"
        try:
            for byte in text.encode():
                token = self._bytes[byte]
                if not self._allowed(sampler, token):
                    return False
                lib.llama_sampler_accept(sampler, token)
            return self._allowed(sampler, self._end)
        finally:
            lib.llama_sampler_free(sampler)

    def _allowed(self, sampler: Any, token: int) -> bool:
        data = (lib.llama_token_data * 1)(lib.llama_token_data(token, 1.0, 0.0))
        array = lib.llama_token_data_array(
            ctypes.cast(data, ctypes.POINTER(lib.llama_token_data)), 1, -1, False
        )
        lib.llama_sampler_apply(sampler, ctypes.byref(array))
        return bool(data[0].logit > float("-inf"))

    def _byte_tokens(self) -> dict[int, int]:
        found: dict[int, int] = {}
        buffer = ctypes.create_string_buffer(64)
        for token in range(lib.llama_vocab_n_tokens(self._vocab)):
            length = lib.llama_token_to_piece(self._vocab, token, buffer, 64, 0, False)
            if length == 1:
                found.setdefault(buffer.raw[0], token)
        return found
