"""Exact match of whole answers on unseen homes, through llama.cpp, by kind.

Greedy and free: no grammar, no matcher, no repair; what the file itself has learned.
`python -m training.evaluate --gguf homellm_edge/models/default.gguf`
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import llama_cpp
import numpy as np
import numpy.typing as npt

from . import TrainingError
from .batches import Example, load_data, make_example
from .model import CONTEXT_LENGTH
from .tokenizer import END

_MOST_TOKENS = 160


@dataclass(frozen=True, slots=True)
class Figure:
    """Answers that were exactly right, out of how many."""

    right: int
    asked: int

    @property
    def share(self) -> float:
        """Share of right answers, 0 to 1."""
        return self.right / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class Mistake:
    """An answer that was not the wanted one."""

    kind: str
    prompt: str
    wanted: str
    given: str


class Runner:
    """A GGUF file in llama.cpp, one sequence, greedy. A context manager.

    `exact`: KV cache in F32 and no flash attention, for comparisons to the last digit.
    """

    def __init__(self, path: Path, *, exact: bool = False, threads: int = 1) -> None:
        if not path.is_file():
            raise TrainingError(f"no file {path}", "train or export a model first")
        llama_cpp.llama_log_set(_silent, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        options = llama_cpp.llama_model_default_params()
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), options)
        if not self._model:
            raise TrainingError(f"llama.cpp cannot load {path}")
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = CONTEXT_LENGTH
        settings.n_threads = settings.n_threads_batch = threads
        if exact:
            settings.type_k = settings.type_v = llama_cpp.GGML_TYPE_F32
            settings.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        if not self._context:
            raise TrainingError(f"llama.cpp cannot make a context for {path}")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._batch = llama_cpp.llama_batch_init(CONTEXT_LENGTH, 0, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)

    def tokenize(self, text: str) -> list[int]:
        """Return the ids of `text`, special tokens included."""
        data = text.encode()
        room = (llama_cpp.llama_token * (len(data) + 1))()
        count = llama_cpp.llama_tokenize(
            self._vocab, data, len(data), room, len(room), False, True
        )
        return list(room[:count])

    def text(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`; control tokens have none."""
        piece = ctypes.create_string_buffer(512)
        parts = []
        for token in ids:
            size = llama_cpp.llama_token_to_piece(
                self._vocab, token, piece, len(piece), 0, False
            )
            parts.append(piece.raw[: max(0, size)])
        return b"".join(parts).decode("utf-8", "replace")

    def ends(self) -> list[int]:
        """Ids of the tokens at which generation ends."""
        return [
            token
            for token in range(self.size)
            if llama_cpp.llama_vocab_is_eog(self._vocab, token)
        ]

    def scores(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Return the logits (len(ids), vocabulary) after each of `ids`."""
        self._forget()
        self._decode(ids, 0, every=True)
        return np.stack([self._logits(i).copy() for i in range(len(ids))])

    def greedy(self, ids: Sequence[int], most: int) -> list[int]:
        """Return the best continuation of `ids`, its end token included."""
        self._forget()
        self._decode(ids, 0)
        made: list[int] = []
        last = len(ids) - 1
        while len(made) < most:
            made.append(int(self._logits(last).argmax()))
            if llama_cpp.llama_vocab_is_eog(self._vocab, made[-1]):
                break
            self._decode(made[-1:], len(ids) + len(made) - 1)
            last = 0
        return made

    def _forget(self) -> None:
        memory = llama_cpp.llama_get_memory(self._context)
        llama_cpp.llama_memory_clear(memory, False)

    def _decode(self, ids: Sequence[int], first: int, *, every: bool = False) -> None:
        if first + len(ids) > CONTEXT_LENGTH:
            raise TrainingError(f"a prompt has more than {CONTEXT_LENGTH} tokens")
        batch = self._batch
        batch.n_tokens = len(ids)
        for i, token in enumerate(ids):
            batch.token[i] = token
            batch.pos[i] = first + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = every or i == len(ids) - 1
        code = llama_cpp.llama_decode(self._context, batch)
        if code:
            raise TrainingError(f"llama_decode failed with code {code}")

    def _logits(self, place: int) -> npt.NDArray[np.float32]:
        row = llama_cpp.llama_get_logits_ith(self._context, place)
        return np.ctypeslib.as_array(row, (self.size,))


def evaluate(
    path: Path, examples: Sequence[Example], threads: int = 1
) -> tuple[dict[str, Figure], list[Mistake]]:
    """Answer `examples` with the model in `path`; figures by kind (and `all`)."""
    right: dict[str, int] = defaultdict(int)
    asked: dict[str, int] = defaultdict(int)
    mistakes = []
    with Runner(path, threads=threads) as runner:
        for example in examples:
            made = runner.greedy(runner.tokenize(example.prompt), _MOST_TOKENS)
            given = runner.text(made)
            if made[-1] not in runner.tokenize(END):
                given += " ..."
            for kind in ("all", example.kind):
                asked[kind] += 1
                right[kind] += given == example.answer
            if given != example.answer:
                mistakes.append(
                    Mistake(example.kind, example.prompt, example.answer, given)
                )
    return {kind: Figure(right[kind], asked[kind]) for kind in sorted(asked)}, mistakes


def held_out(data_name: str, seed: int, count: int) -> list[Example]:
    """Return the first `count` examples of the held-out split."""
    data = load_data(data_name)
    return [make_example(data, seed, index, "held_out") for index in range(count)]


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _silent(level: int, text: bytes, data: ctypes.c_void_p) -> None:
    """Swallow llama.cpp's messages; failures come back as return values."""


def _main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m training.evaluate", description=__doc__)
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--count", type=int, default=2000, help="questions to ask")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", default="training.data")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--mistakes", type=int, default=0, help="print so many of them")
    arguments = parser.parse_args(argv)
    examples = held_out(arguments.data, arguments.seed, arguments.count)
    figures, mistakes = evaluate(arguments.gguf, examples, arguments.threads)
    for kind, figure in figures.items():
        sys.stdout.write(
            f"{kind:20} {100 * figure.share:6.1f} %  ({figure.right}/{figure.asked})\n"
        )
    for mistake in mistakes[: arguments.mistakes]:
        sys.stdout.write(json.dumps(asdict(mistake)) + "\n")
    if arguments.json:
        data = {kind: asdict(figure) for kind, figure in figures.items()}
        arguments.json.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    try:
        _main()
    except TrainingError as error:
        sys.exit(f"evaluate: {error}")
