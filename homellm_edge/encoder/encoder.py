"""A sentence encoder (BERT, mean pooling) in llama.cpp: texts to vectors of length 1.

Texts like in meaning get like vectors. The model comes with this package; its notice is
`homellm_edge/models/encoder.md`.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from homellm_edge.engine.library import Library, load_library
from homellm_edge.engine.model import (
    ModelInfo,
    check_memory,
    estimate_memory,
    inspect_model,
)
from homellm_edge.errors import EngineError, ModelError

Vectors = npt.NDArray[np.float32]

MOST_TOKENS = 64
"""Tokens of a text that are read, its two marks included; the rest is cut off."""

# Tokens that are run together. llama.cpp reserves (and clears) room for a score of
# every word of the vocabulary for each, 120 kB, though nobody asks for scores here.
# Larger batches are no faster.
_BATCH = 64
_MOST_CHARACTERS = 2048  # 64 tokens are far fewer, unless the words are no words
_MEAN = 1  # pooling type
_MARKED = (True, False)  # add [CLS] and [SEP]; a text that spells such a mark is text


class Encoder:
    """The model in `path` with a context of its own, running on `threads` threads.

    Any thread may call it; calls wait for one another, between batches only. Raises
    ModelError, NotEnoughMemoryError or EngineError.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 1) -> None:
        if threads < 1:
            raise EngineError(f"{threads} threads are not possible", "use 1 or more")
        self.info = _inspect(path)
        self._lock = threading.Lock()
        self._model: Any = None
        self._context: Any = None
        self._batch: Any = None
        library = load_library()
        self._calls = library.calls
        try:
            self._model = _load_model(library, self.info)
            self._vocab = self._calls.llama_model_get_vocab(self._model)
            self._context = _make_context(library, self._model, threads)
            self._batch = self._calls.llama_batch_init(_BATCH, 0, 1)
        except BaseException:
            self.close()
            raise

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return self.info.n_embd

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the model file, which vectors that are kept depend on."""
        return self.info.sha256()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One vector of length 1 for each text, as rows; no texts, no rows."""
        if isinstance(texts, str):
            raise TypeError("encode takes several texts; put the one into a list")
        vectors = np.empty((len(texts), self.width), np.float32)
        done = 0
        for batch in _batches(self.tokenize(text) for text in texts):
            with self._lock:
                vectors[done : done + len(batch)] = self._encode(batch)
            done += len(batch)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise ModelError(
                f"{self.info.path} gives vectors that are no numbers",
                "the file is damaged: get it again",
            )
        vectors /= lengths
        return vectors

    def tokenize(self, text: str) -> list[int]:
        """The tokens that the model reads of a text, its marks included."""
        data = text[:_MOST_CHARACTERS].encode(errors="replace")
        room = (ctypes.c_int * (len(data) + 2))()
        with self._lock:
            self._check_open()
            count = self._calls.llama_tokenize(
                self._vocab, data, len(data), room, len(room), *_MARKED
            )
        if count < 2:
            raise EngineError(f"llama.cpp cannot tokenize {text[:40]!r}")
        tokens: list[int] = room[:count]
        if count > MOST_TOKENS:
            tokens[MOST_TOKENS - 1 : -1] = []  # the mark at the end stays
        return tokens

    def close(self) -> None:
        """Free context and model; safe to call twice."""
        with self._lock:
            if self._batch is not None:
                self._calls.llama_batch_free(self._batch)
                self._batch = None
            if self._context:
                self._calls.llama_free(self._context)
                self._context = None
            if self._model:
                self._calls.llama_model_free(self._model)
                self._model = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _encode(self, texts: Sequence[Sequence[int]]) -> Vectors:
        """The vectors of one batch, each text a sequence; holds the lock."""
        self._check_open()
        batch = self._batch
        at = 0
        for sequence, tokens in enumerate(texts):
            for position, token in enumerate(tokens):
                batch.token[at] = token
                batch.pos[at] = position
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = sequence
                batch.logits[at] = 1
                at += 1
        batch.n_tokens = at
        code = self._calls.llama_encode(self._context, batch)
        if code != 0:
            raise EngineError(f"llama.cpp could not run the encoder (code {code})")
        rows = np.empty((len(texts), self.width), np.float32)
        for sequence in range(len(texts)):
            row = self._calls.llama_get_embeddings_seq(self._context, sequence)
            rows[sequence] = np.ctypeslib.as_array(row, (self.width,))
        return rows

    def _check_open(self) -> None:
        if not self._context:
            raise EngineError("the encoder is closed", "load it again")


def _batches(texts: Iterable[list[int]]) -> Iterator[list[list[int]]]:
    """Neighbouring texts, as many together as a batch has room for."""
    batch: list[list[int]] = []
    room = _BATCH
    for tokens in texts:
        if len(tokens) > room:
            yield batch
            batch, room = [], _BATCH
        batch.append(tokens)
        room -= len(tokens)
    if batch:
        yield batch


def _inspect(path: str | os.PathLike[str]) -> ModelInfo:
    info = inspect_model(path)
    wanted = {
        "general.architecture": "bert",
        "bert.pooling_type": _MEAN,
        "tokenizer.ggml.model": "bert",
    }
    for key, value in wanted.items():
        found = info.metadata.get(key)
        if found != value:
            raise ModelError(
                f"{info.path} is no sentence encoder of the kind used here ({key} is "
                f"{str(found)[:40]!r}, not {value!r})",
                "use the encoder that comes with this package",
            )
    if info.n_ctx_train < MOST_TOKENS:
        raise ModelError(
            f"{info.path} reads only {info.n_ctx_train} tokens, not {MOST_TOKENS}",
            "use the encoder that comes with this package",
        )
    check_memory(estimate_memory(info, _BATCH, n_batch=_BATCH, n_seq_max=_BATCH))
    return info


def _load_model(library: Library, info: ModelInfo) -> Any:
    params = library.calls.llama_model_default_params()
    params.n_gpu_layers = 0
    library.errors.clear()
    model = library.calls.llama_model_load_from_file(os.fsencode(info.path), params)
    if not model:
        raise ModelError(
            f"llama.cpp cannot load {info.path} ({library.why()})",
            "the file is damaged or made for another version: get it again",
        )
    return model


def _make_context(library: Library, model: Any, threads: int) -> Any:
    params = library.calls.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = _BATCH
    params.n_seq_max = _BATCH // 2  # the shortest text is its two marks
    params.kv_unified = True
    params.n_threads = params.n_threads_batch = threads
    params.embeddings = True
    params.pooling_type = _MEAN
    # From 64 tokens on it adds up in another way, so that a text gets another vector in
    # full batches than alone; it saves nothing for one text and a tenth for many.
    params.flash_attn_type = 0
    params.no_perf = True
    library.errors.clear()
    context = library.calls.llama_init_from_model(model, params)
    if not context:
        raise EngineError(
            f"llama.cpp cannot make a context for the encoder ({library.why()})",
            "free some memory",
        )
    return context
