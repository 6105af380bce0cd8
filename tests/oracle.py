"""Llama.cpp used in the plainest way: clear, evaluate everything, mask everything."""

from __future__ import annotations

import ctypes
import math
from pathlib import Path

import numpy as np

from homellm_edge.engine.library import load_library


class Oracle:
    """One context of llama.cpp, driven by ctypes without any of our own decoding."""

    def __init__(self, path: Path, n_ctx: int = 1024) -> None:
        self.calls = calls = load_library().calls
        params = calls.llama_model_default_params()
        params.n_gpu_layers = 0
        self.model = calls.llama_model_load_from_file(str(path).encode(), params)
        assert self.model
        settings = calls.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = n_ctx
        settings.n_threads = settings.n_threads_batch = 1
        settings.type_k = settings.type_v = 0
        settings.flash_attn_type = 0
        self.context = calls.llama_init_from_model(self.model, settings)
        assert self.context
        self.vocab = calls.llama_model_get_vocab(self.model)
        self.n_vocab = calls.llama_vocab_n_tokens(self.vocab)

    def close(self) -> None:
        self.calls.llama_free(self.context)
        self.calls.llama_model_free(self.model)

    def logits(self, tokens: list[int]) -> np.ndarray:
        """Logits after `tokens`, evaluated from nothing."""
        calls = self.calls
        calls.llama_memory_clear(calls.llama_get_memory(self.context), True)
        data = (ctypes.c_int32 * len(tokens))(*tokens)
        batch = calls.llama_batch_get_one(data, len(tokens))
        assert calls.llama_decode(self.context, batch) == 0
        pointer = calls.llama_get_logits_ith(self.context, -1)
        return np.ctypeslib.as_array(pointer, (self.n_vocab,)).copy()

    def greedy(
        self, tokens: list[int], count: int, grammar: str | None = None
    ) -> list[int]:
        """The best tokens that continue `tokens`; the grammar masks all of them."""
        sampler = None
        if grammar is not None:
            sampler = self.calls.llama_sampler_init_grammar(
                self.vocab, grammar.encode(), b"root"
            )
            assert sampler
        chosen: list[int] = []
        for _ in range(count):
            token = self._best(self.logits(tokens + chosen), sampler)
            if token is None or self.calls.llama_vocab_is_eog(self.vocab, token):
                break
            if sampler:
                self.calls.llama_sampler_accept(sampler, token)
            chosen.append(token)
        if sampler:
            self.calls.llama_sampler_free(sampler)
        return chosen

    def _best(self, logits: np.ndarray, sampler: int | None) -> int | None:
        calls = self.calls
        data = (calls.llama_token_data * self.n_vocab)()
        for token, logit in enumerate(logits):
            data[token].id = token
            data[token].logit = logit
        if sampler:
            many = calls.llama_token_data_array(data, self.n_vocab, -1, False)
            calls.llama_sampler_apply(sampler, ctypes.byref(many))
            for token in range(self.n_vocab):
                if calls.llama_vocab_is_control(
                    self.vocab, token
                ) and not calls.llama_vocab_is_eog(self.vocab, token):
                    data[token].logit = -math.inf
        best = max(range(self.n_vocab), key=lambda token: data[token].logit)
        return None if data[best].logit == -math.inf else best
