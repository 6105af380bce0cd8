"""JSONL rows -> token ids, with a label for every token that the assistant writes.

A row is `{"text": whole conversation}` or `{"messages": [{"role", "content"}, ...]}`. A
text is tokenized as a whole, as a prompt is at run time; a label starts where the
tokens of what stands before end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, cast

import torch

from .. import TrainingError
from .formats import FORMATS, ChatFormat, Message, Rendered, Role

IGNORED = -100
"""The label of a token that is not learned."""
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "gpt": "assistant",
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of a row and their labels."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A data set as the trainer takes it; `cut` rows were too long, `useless` left out.

    Useless is a row in which nothing (any more) is said by the assistant.
    """

    rows: Sequence[Encoded]
    cut: int = 0
    useless: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        row = self.rows[index]
        return {"input_ids": list(row.ids), "labels": list(row.labels)}


@dataclass(frozen=True, slots=True)
class Encoder:
    """Rows as token ids, for one tokenizer and one chat format."""

    tokenizer: Any
    chat_format: ChatFormat
    bos: tuple[int, ...]
    """What the tokenizer puts before every text."""

    @classmethod
    def of(cls, tokenizer: Any, chat_format: str) -> Encoder:
        """Look at what `tokenizer` does to a text."""
        bos = tokenizer.bos_token_id
        begins = bos is not None and tokenizer("a")["input_ids"][:1] == [bos]
        return cls(tokenizer, FORMATS[chat_format], (bos,) if begins else ())

    def encode(self, rendered: Rendered) -> Encoded:
        """Token ids and labels of a conversation."""
        ids = self._ids(rendered.text)
        labels = [IGNORED] * len(ids)
        for span in rendered.spans:
            start, end = (self._tokens_before(rendered.text, at, ids) for at in span)
            labels[start:end] = ids[start:end]
        return Encoded(tuple(ids), tuple(labels))

    def rendered(self, row: Mapping[str, Any]) -> Rendered:
        """A row as text with the assistant's spans."""
        eos = self.tokenizer.eos_token or ""
        if isinstance(text := row.get("text"), str):
            return Rendered(text, self.chat_format.spans(text, eos))
        messages = row.get("messages")
        if not isinstance(messages, list) or not messages:
            raise TrainingError("the row has neither a text nor messages")
        return self.chat_format.render([_message(one) for one in messages], eos)

    def _ids(self, text: str) -> list[int]:
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        doubled = tuple(ids[: len(self.bos)]) == self.bos
        return [*(() if doubled else self.bos), *ids]

    def _tokens_before(self, text: str, at: int, ids: Sequence[int]) -> int:
        if at == len(text):
            return len(ids)
        before = zip(ids, self._ids(text[:at]), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], before))


def read(path: Path, encoder: Encoder, limit: int) -> Rows:
    """Read and encode `path`, at most `limit` tokens a row."""
    rows = []
    cut = useless = 0
    for number, row in _lines(path):
        try:
            encoded = encoder.encode(encoder.rendered(row))
        except TrainingError as error:
            raise TrainingError(f"{path}:{number}: {error.cause}", error.cure) from None
        if len(encoded.ids) > limit:
            cut += 1
            encoded = Encoded(encoded.ids[:limit], encoded.labels[:limit])
        # the first token is never predicted
        if all(label == IGNORED for label in encoded.labels[1:]):
            useless += 1
            continue
        rows.append(encoded)
    if not rows:
        raise TrainingError(
            f"{path}: no row has anything to learn",
            "look at --chat_format: the assistant's turns were looked for in "
            f"{encoder.chat_format.name}",
        )
    return Rows(rows, cut, useless)


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows of a micro batch side by side, padded on the right."""

    padding: int

    def __call__(self, rows: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, Any]:
        """Return `input_ids`, `labels` and `attention_mask`."""
        longest = max(len(row["input_ids"]) for row in rows)

        def padded(name: str, value: int) -> torch.Tensor:
            return torch.tensor(
                [[*row[name], *[value] * (longest - len(row[name]))] for row in rows]
            )

        lengths = torch.tensor([len(row["input_ids"]) for row in rows])
        return {
            "input_ids": padded("input_ids", self.padding),
            "labels": padded("labels", IGNORED),
            "attention_mask": (torch.arange(longest) < lengths[:, None]).long(),
        }


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise TrainingError(f"{path}:{number}: no JSON object")
                yield number, row
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise TrainingError(f"{path} is no JSONL file: {error}") from None


def _message(raw: Any) -> Message:
    if isinstance(raw, dict):
        role = _ROLES.get(str(raw.get("role", raw.get("from"))))
        text = raw.get("content", raw.get("value"))
        if role and isinstance(text, str):
            return Message(role, text)
    raise TrainingError(
        f"{str(raw)[:60]} is no message", "it needs a role and a text as content"
    )


def read_both(
    train: str, test: str, encoder: Encoder, limit: int
) -> tuple[Rows, Rows | None]:
    """Rows to learn and rows to measure; None if there is no file of the latter."""
    learned = read(Path(train), encoder, limit)
    return learned, read(Path(test), encoder, limit) if test else None


def padding_id(tokenizer: Any) -> int:
    """Return the id to pad with; masked, so any will do where there is none."""
    for name in ("pad_token_id", "eos_token_id"):
        if (token := getattr(tokenizer, name)) is not None:
            return cast("int", token)
    return 0
