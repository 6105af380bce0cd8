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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import llama_cpp
import numpy as np
import numpy.typing as npt

from . import TrainingError
from .batches import Example, load_data, make_example, prompt_of, tokenize
from .layout import PLAIN, Segments
from .model import CONTEXT_LENGTH, TOKEN_LIMIT
from .tokenizer import END

_MOST_TOKENS = 160
_MAIN = 0
"""The sequence that the question reads; blocks are made in those numbered after it."""
_SCRATCH = 16


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


class _Run(NamedTuple):
    """Neighbouring tokens of one of llama.cpp's sequences, from `position` on."""

    ids: Sequence[int]
    position: int
    sequence: int = _MAIN


class Runner:
    """A GGUF file in llama.cpp, one prompt at a time, greedy. A context manager.

    `attention`: how the file says that its prompts are read; `exact`: KV cache in F32
    and no flash attention, for comparisons to the last digit.
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
        settings.n_ctx = TOKEN_LIMIT + CONTEXT_LENGTH  # cells; the answer's, too
        settings.n_batch = settings.n_ubatch = CONTEXT_LENGTH
        settings.n_seq_max = 1 + _SCRATCH
        settings.kv_unified = True  # copying a sequence costs no cells
        settings.n_threads = settings.n_threads_batch = threads
        if exact:
            settings.type_k = settings.type_v = llama_cpp.GGML_TYPE_F32
            settings.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        if not self._context:
            raise TrainingError(f"llama.cpp cannot make a context for {path}")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(CONTEXT_LENGTH, 0, 1)
        self.attention = self._metadata("homellm.attention") or "causal"

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

    def scores(
        self, ids: Sequence[int], segments: Segments = PLAIN
    ) -> npt.NDArray[np.float32]:
        """Return the logits (len(ids), vocabulary) after each of `ids`."""
        rows = []
        for tokens in self._read(ids, segments, every=True):
            rows += [self._logits(i).copy() for i in range(tokens)]
        return np.stack(rows)

    def greedy(
        self, ids: Sequence[int], most: int, segments: Segments = PLAIN
    ) -> list[int]:
        """Return the best continuation of `ids`, its end token included."""
        *_, tokens = self._read(ids, segments)
        made: list[int] = []
        last, position = tokens - 1, segments.positions(len(ids))
        while len(made) < most:
            made.append(int(self._logits(last).argmax()))
            if llama_cpp.llama_vocab_is_eog(self._vocab, made[-1]):
                break
            self._decode([_Run(made[-1:], position)])
            last, position = 0, position + 1
        return made

    def _metadata(self, key: str) -> str:
        room = ctypes.create_string_buffer(256)
        llama_cpp.llama_model_meta_val_str(self._model, key.encode(), room, len(room))
        return room.value.decode("utf-8", "replace")

    def _read(
        self, ids: Sequence[int], segments: Segments, *, every: bool = False
    ) -> Iterator[int]:
        """Decode a prompt in flat order; yield the tokens of each batch after it.

        Each block is decoded behind a copy of the header in a sequence of its own, and
        then copied to where the question reads it.
        """
        if len(ids) > TOKEN_LIMIT:
            raise TrainingError(f"a prompt has more than {TOKEN_LIMIT} tokens")
        llama_cpp.llama_memory_clear(self._memory, False)
        header, *side, question = _cut(ids, segments)
        if header.ids:
            yield self._decode([header], every=every)
        if side:
            for scratch in range(1, 1 + _SCRATCH):
                self._copy(_MAIN, scratch, 0)
        for batch in _batches(side):
            yield self._decode(batch, every=every)
            for run in batch:
                self._copy(run.sequence, _MAIN, run.position)
                llama_cpp.llama_memory_seq_rm(
                    self._memory, run.sequence, run.position, -1
                )
        yield self._decode([question], every=every)

    def _copy(self, source: int, target: int, first: int) -> None:
        """Let `target` have the cells of `source` from position `first` on."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, first, -1)

    def _decode(self, runs: Sequence[_Run], *, every: bool = False) -> int:
        """Decode `runs` in one batch; return how many tokens they have."""
        batch, place = self._batch, 0
        for run in runs:
            if run.position + len(run.ids) > CONTEXT_LENGTH:
                raise TrainingError(
                    f"a prompt has more than {CONTEXT_LENGTH} positions"
                )
            for position, token in enumerate(run.ids, run.position):
                batch.token[place] = token
                batch.pos[place] = position
                batch.n_seq_id[place] = 1
                batch.seq_id[place][0] = run.sequence
                batch.logits[place] = every
                place += 1
        batch.n_tokens = place
        batch.logits[place - 1] = True
        code = llama_cpp.llama_decode(self._context, batch)
        if code:
            raise TrainingError(f"llama_decode failed with code {code}")
        return place

    def _logits(self, place: int) -> npt.NDArray[np.float32]:
        row = llama_cpp.llama_get_logits_ith(self._context, place)
        return np.ctypeslib.as_array(row, (self.size,))


def _cut(ids: Sequence[int], segments: Segments) -> list[_Run]:
    """Header, what stands side by side behind it (no empty ones), and question."""
    runs, start = [], 0
    for tokens, position, _ in segments.runs(len(ids)):
        runs.append(_Run(ids[start : start + tokens], position))
        start += tokens
    return [runs[0], *(run for run in runs[1:-1] if run.ids), runs[-1]]


def _batches(runs: Iterable[_Run]) -> Iterator[list[_Run]]:
    """Give the runs sequences of their own, as many at a time as there are."""
    batch: list[_Run] = []
    room = CONTEXT_LENGTH
    for run in runs:
        if batch and (len(batch) == _SCRATCH or len(run.ids) > room):
            yield batch
            batch, room = [], CONTEXT_LENGTH
        batch.append(run._replace(sequence=len(batch) + 1))
        room -= len(run.ids)
    if batch:
        yield batch


def evaluate(
    path: Path, examples: Sequence[Example], threads: int = 1
) -> tuple[dict[str, Figure], list[Mistake]]:
    """Answer `examples` with the model in `path`; figures by kind (and `all`)."""
    right: dict[str, int] = defaultdict(int)
    asked: dict[str, int] = defaultdict(int)
    mistakes = []
    with Runner(path, threads=threads) as runner:
        for example in examples:
            ids, segments = tokenize(
                runner.tokenize, prompt_of(example), runner.attention
            )
            made = runner.greedy(ids, _MOST_TOKENS, segments)
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


def held_out(
    data_name: str, seed: int, count: int, language: str | None = None
) -> list[Example]:
    """Return the first `count` examples of the held-out split.

    A language is for data modules that have several; without one it is their mixture.
    """
    data = load_data(data_name)
    return [
        make_example(data, seed, index, "held_out", language) for index in range(count)
    ]


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _silent(level: int, text: bytes, data: ctypes.c_void_p) -> None:
    """Swallow llama.cpp's messages; failures come back as return values."""


def _main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m training.evaluate", description=__doc__)
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--count", type=int, default=2000, help="questions to ask")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", default="training.data")
    parser.add_argument("--language", help="only this one of the data's languages")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--mistakes", type=int, default=0, help="print so many of them")
    arguments = parser.parse_args(argv)
    examples = held_out(
        arguments.data, arguments.seed, arguments.count, arguments.language
    )
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
