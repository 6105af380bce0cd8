"""Endless training batches: examples made in worker processes, laid out for the model.

Example number `i` of a seed is always the same one, whatever the number of workers, so
that a run can be resumed or repeated.
"""

from __future__ import annotations

import importlib
import multiprocessing
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from multiprocessing.pool import AsyncResult
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import Tensor

from homellm_edge.prompt.blocks import Prompt

from . import TrainingError
from .layout import PLAIN, Layout, Segments
from .model import CONTEXT_LENGTH, TOKEN_LIMIT
from .tokenizer import Tokenizer

ATTENTION_GROUPS = 4
"""Runs of similar length in a batch; measured best on CPU (1 and 8 are slower)."""
CHUNK = 128
"""Examples that a worker makes at a time."""
ATTENTIONS = ("causal", "block")
"""What a data module can declare; `homellm_edge.prompt.blocks` defines both."""


class Example(Protocol):
    """What a data module makes.

    It may have a `parts` besides, the `Prompt` whose text is `prompt`: then that is
    read, each part tokenized alone.
    """

    @property
    def prompt(self) -> str:
        """All that the model reads, up to the start of its answer."""
        ...

    @property
    def answer(self) -> str:
        """What it shall write, without the end token."""
        ...

    @property
    def kind(self) -> str:
        """Class of the example, for figures by class."""
        ...


class Data(Protocol):
    """A module that makes examples: `training.data` or a test's own.

    It may declare `ATTENTION`, one of ATTENTIONS, and `PROMPT_FORMAT`, the name of its
    prompts' format in the exported file.
    """

    VERSION: str
    SPECIALS: tuple[str, ...]
    MACROS: tuple[str, ...]

    def example(self, rng: random.Random, split: str = "train") -> Example:
        """Make one example; `split` is `train` or `held_out`."""
        ...

    def CORPUS(  # noqa: N802 - the data module's name
        self, rng: random.Random, n: int
    ) -> Iterator[str]:
        """Yield about `n` texts for the tokenizer."""
        ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example as token ids; `sentence` and `answer` are where these parts begin.

    `segments`: what the sentence is read with; none of them under causal attention.
    """

    ids: tuple[int, ...]
    sentence: int
    answer: int
    kind: str = ""
    segments: Segments = PLAIN


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences in one flat row, with the tokens whose prediction counts.

    `ids` (N,); `source` (M,): places whose next token is predicted; `target` (M,): that
    token; `weight` (M,): its weight in the loss; `answers`: number of answer tokens;
    `owner` (M,): index of its sequence.
    """

    ids: Tensor
    layout: Layout
    source: Tensor
    target: Tensor
    weight: Tensor
    owner: Tensor
    answers: int


class Languages(Protocol):
    """What a data module of several languages can do besides."""

    def example(self, rng: random.Random, split: str, language: str) -> Example:
        """Make one example of a language."""
        ...


def load_data(name: str) -> Data:
    """Import the data module `name`."""
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise TrainingError(f"no data module {name} ({error})") from error
    return cast("Data", module)


def make_example(
    data: Data,
    seed: int,
    index: int,
    split: str = "train",
    language: str | None = None,
) -> Example:
    """Make example number `index` of `seed`; the same arguments give the same one."""
    rng = random.Random(f"{seed}/{split}/{index}")
    if language is None:
        return data.example(rng, split)
    return cast("Languages", data).example(rng, split, language)


def attention_of(data: Data) -> str:
    """Return the attention that `data` declares. Raises TrainingError on any other."""
    attention = str(getattr(data, "ATTENTION", "causal"))
    if attention not in ATTENTIONS:
        raise TrainingError(
            f"no attention {attention!r}", f"one of {', '.join(ATTENTIONS)}"
        )
    return attention


def prompt_format_of(data: Data) -> str:
    """Return the prompt format that `data` declares; grounded sentences without."""
    return str(getattr(data, "PROMPT_FORMAT", "grounded"))


def prompt_of(example: Example) -> str | Prompt:
    """Return what the model reads: the parts of `example`, or its text without."""
    parts: Prompt | None = getattr(example, "parts", None)
    if parts is None:
        return example.prompt
    if parts.text != example.prompt:
        raise TrainingError(
            f"the parts of an example of kind {example.kind} are not its prompt",
            "make the prompt from them: prompt=parts.text",
        )
    return parts


def tokenize(
    encode_text: Callable[[str], list[int]], prompt: str | Prompt, attention: str
) -> tuple[list[int], Segments]:
    """Return the ids of `prompt` in flat order, and its segments for `attention`."""
    if isinstance(prompt, str):
        return encode_text(prompt), PLAIN
    header = encode_text(prompt.header)
    blocks = [encode_text(block.text) for block in prompt.blocks]
    turns = [i for turn in prompt.turns for text in turn for i in encode_text(text)]
    question = encode_text(prompt.question)
    ids = [*header, *chain.from_iterable(blocks), *turns, *question]
    if attention != "block":
        return ids, PLAIN
    if not question:  # the answer would go on from one of the blocks
        raise TrainingError("a prompt in blocks has no question", "let it have one")
    return ids, Segments(len(header), tuple(map(len, blocks)), len(turns))


def encode(
    tokenizer: Tokenizer, example: Example, attention: str = "causal"
) -> Encoded:
    """Tokenize prompt and answer apart, as at run time, and add the end token."""
    prompt, segments = tokenize(tokenizer.encode, prompt_of(example), attention)
    ids = (*prompt, *tokenizer.encode(example.answer), tokenizer.end)
    positions = segments.positions(len(ids))
    if positions > CONTEXT_LENGTH or len(ids) > TOKEN_LIMIT:
        raise TrainingError(
            f"an example of kind {example.kind} has {len(ids)} tokens"
            f" at {positions} positions",
            f"keep it within {TOKEN_LIMIT} tokens at {CONTEXT_LENGTH} positions",
        )
    # The sentence stands in the last message before the one that the model writes.
    starts = [i for i, token in enumerate(prompt) if token == tokenizer.start]
    sentence = starts[-2] + 1 if len(starts) > 1 else 0
    if segments.tokens:
        # The token before the question in flat order does not lead to its first one.
        sentence = max(sentence, segments.tokens + 1)
    return Encoded(ids, sentence, len(prompt), example.kind, segments)


def collate(
    examples: Sequence[Encoded], sentence_weight: float, device: str = "cpu"
) -> Batch:
    """Lay out `examples`, shortest first (their order changes the loss by nothing)."""
    examples = sorted(examples, key=lambda e: len(e.ids))
    ids: list[int] = []
    source: list[int] = []
    weight: list[float] = []
    owner: list[int] = []
    for number, example in enumerate(examples):
        last = len(ids) - 1
        ids.extend(example.ids)
        first = example.sentence if sentence_weight else example.answer
        for place in range(max(1, first), len(example.ids)):
            source.append(last + place)
            weight.append(1.0 if place >= example.answer else sentence_weight)
            owner.append(number)
    flat = torch.tensor(ids)
    places = torch.tensor(source)
    return Batch(
        flat.to(device),
        Layout.of(
            [len(e.ids) for e in examples],
            device,
            ATTENTION_GROUPS,
            [e.segments for e in examples],
        ),
        places.to(device),
        flat[places + 1].to(device),
        torch.tensor(weight).to(device),
        torch.tensor(owner).to(device),
        sum(len(e.ids) - e.answer for e in examples),
    )


class Stream:
    """Encoded examples in order from number `first`; close it to end the workers.

    With `workers` 0 they are made in this process.
    """

    def __init__(
        self, data: str, tokenizer: Path, seed: int, first: int = 0, workers: int = 0
    ) -> None:
        self._args = (data, str(tokenizer), seed)
        self._first = first
        self._workers = workers
        self._pool = (
            multiprocessing.get_context("spawn").Pool(workers) if workers else None
        )

    def __iter__(self) -> Iterator[Encoded]:
        chunk, skip = divmod(self._first, CHUNK)
        for made in self._chunks(chunk):
            yield from made[skip:]
            skip = 0

    def close(self) -> None:
        """Stop the worker processes."""
        if self._pool:
            self._pool.terminate()
            self._pool.join()

    def _chunks(self, chunk: int) -> Iterator[list[Encoded]]:
        if not self._pool:
            maker = _Maker(*self._args)
            while True:
                yield maker.chunk(chunk)
                chunk += 1
        waiting: deque[AsyncResult[list[Encoded]]] = deque()
        while True:
            while len(waiting) < 3 * self._workers:
                waiting.append(self._pool.apply_async(_work, (self._args, chunk)))
                chunk += 1
            yield waiting.popleft().get()


def shards(
    examples: Iterator[Encoded], tokens: int, count: int
) -> Iterator[list[list[Encoded]]]:
    """Group examples into steps of at least `tokens` tokens, each in `count` shares."""
    while True:
        step: list[list[Encoded]] = []
        for share in range(count):
            group: list[Encoded] = []
            size = 0
            while size < tokens * (share + 1) // count - tokens * share // count:
                group.append(next(examples))
                size += len(group[-1].ids)
            step.append(group)
        yield step


class _Maker:
    """Makes and encodes examples of one seed."""

    def __init__(self, data: str, tokenizer: str, seed: int) -> None:
        self._data = load_data(data)
        self._attention = attention_of(self._data)
        self._tokenizer = Tokenizer.load(Path(tokenizer))
        self._seed = seed

    def chunk(self, number: int) -> list[Encoded]:
        first = number * CHUNK
        examples = (
            make_example(self._data, self._seed, index)
            for index in range(first, first + CHUNK)
        )
        return [encode(self._tokenizer, made, self._attention) for made in examples]


@lru_cache(maxsize=1)  # one per worker process
def _maker(data: str, tokenizer: str, seed: int) -> _Maker:
    return _Maker(data, tokenizer, seed)


def _work(args: tuple[str, str, int], number: int) -> list[Encoded]:
    return _maker(*args).chunk(number)
