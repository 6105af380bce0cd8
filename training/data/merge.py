"""Instructions of another data set among the rows, so that a model stays able to talk.

The file has the form of Alpaca's: a JSON list, or one object a line, with
`instruction`, `input` and `output`. Each becomes a conversation of one turn in a random
home, without a call. Files are read and written a record at a time; what is shuffled is
where the lines stand.
"""

from __future__ import annotations

import json
import random
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from homellm_edge.agent import LONGEST_SENTENCE
from homellm_edge.dialects import Situation
from homellm_edge.grounding import Grounding
from homellm_edge.grounding.text import words

from .. import TrainingError
from .rows import WRAPPED, Conversation, Turn, line, sized_home, some_time, split_of

TEST_SHARE = 0.1
"""Of the usable records, for the merged test file."""

_CHUNK = 1 << 16
_UNSPEAKABLE = {c: None for c in range(32) if c not in (9, 10)} | {127: None}


@dataclass(frozen=True, slots=True)
class Record:
    """An instruction with what it is about, and the answer."""

    instruction: str
    about: str
    output: str

    @property
    def sentence(self) -> str:
        """All that the user says."""
        return f"{self.instruction}\n{self.about}" if self.about else self.instruction

    @property
    def unfit(self) -> str:
        """Why a model cannot be asked this or may not answer so; "" if it may."""
        if not words(self.sentence) or not self.output:
            return "empty"
        if len(self.sentence) > LONGEST_SENTENCE:
            return f"of more than {LONGEST_SENTENCE} characters"
        # It opens a block of calls, and cannot be spoken.
        return "answered with a backtick" if "`" in self.output else ""


def records(path: Path) -> Iterator[Record]:
    """The records of a file; raises TrainingError naming what is wrong."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            start = file.read(1)
            while start and start.isspace():
                start = file.read(1)
            objects = _listed(file) if start == "[" else _lines(file, start)
            for number, one in enumerate(objects, 1):
                yield _record(one, f"{path}: record {number}")
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise TrainingError(
            f"{path} is neither JSON nor JSONL: {error}",
            "give a list of objects, or one object a line",
        ) from None


def _lines(file: TextIO, start: str) -> Iterator[object]:
    for text in file:
        text, start = start + text, ""
        if text.strip():
            yield json.loads(text)


def _listed(file: TextIO) -> Iterator[object]:
    """The items of a JSON list whose bracket has been read."""
    decode = json.JSONDecoder().raw_decode
    text, more = "", True
    while True:
        text = text.lstrip(" \t\r\n,")
        if text.startswith("]"):
            return
        try:
            one, end = decode(text)
            # A number or a word at the end of what was read may go on.
            if end == len(text) and more and not text.endswith("}"):
                raise json.JSONDecodeError("cut off", text, end)
        except json.JSONDecodeError:
            if not more:
                raise
            chunk = file.read(max(_CHUNK, len(text)))
            more = bool(chunk)
            text += chunk
            continue
        yield one
        text = text[end:]


def _record(one: object, where: str) -> Record:
    given: Mapping[str, object] = one if isinstance(one, Mapping) else {}
    about = given.get("input") or ""
    texts = []
    for key, value in (
        ("instruction", given.get("instruction")),
        ("input", about),
        ("output", given.get("output")),
    ):
        if not isinstance(value, str):
            raise TrainingError(
                f"{where} has no text as {key}",
                "each has instruction, output and, where it needs one, input",
            )
        whole = value.encode(errors="ignore").decode()  # half of a character pair
        texts.append(whole.replace("\r\n", "\n").translate(_UNSPEAKABLE).strip())
    return Record(*texts)


def wrapped(record: Record, rng: random.Random, size: str, split: str) -> str:
    """The record as a conversation with somebody who lives in a random home."""
    home, now = sized_home(rng, size, split), some_time(rng)
    situation = Situation(home, record.sentence, Grounding(record.sentence), now=now)
    return Conversation((Turn(situation, record.output),), "merged").text


@dataclass(frozen=True, slots=True)
class Merged:
    """The rows of each file, and how many records were left out, by the reason."""

    rows: Mapping[str, int]
    unfit: Mapping[str, int]


def merge(
    source: Path,
    folder: Path,
    form: str,
    seed: int,
    size: str,
    progress: Callable[[int], None] = lambda done: None,
) -> Merged:
    """Write `merged_train.jsonl` and `merged_test.jsonl` from the rows in `folder`.

    A tenth of the records is for the test; the rest, never seen there, for training.
    `progress` is told how many are done.
    """
    for name in ("train", "test"):
        _check_rows(folder / f"{name}.jsonl", name, form)
    unfit: dict[str, int] = {}
    usable = 0
    for record in records(source):
        if record.unfit:
            unfit[record.unfit] = unfit.get(record.unfit, 0) + 1
        else:
            usable += 1
    if not usable:
        raise TrainingError(f"{source} has no usable record", "give one that has")
    count = max(round(usable * TEST_SHARE), 1)
    tested = set(random.Random(f"{seed}/merge").sample(range(usable), count))
    parts = {n: folder / f"merged_{n}.jsonl.records" for n in ("train", "test")}
    try:
        with ExitStack() as stack:
            files = {
                name: stack.enter_context(path.open("w", encoding="utf-8", newline=""))
                for name, path in parts.items()
            }
            fit = (record for record in records(source) if not record.unfit)
            for index, record in enumerate(fit):
                name = "test" if index in tested else "train"
                rng = random.Random(f"{seed}/merge/{index}")
                text = wrapped(record, rng, size, split_of(name, index))
                files[name].write(line(WRAPPED[form](text)))
                progress(index + 1)
        rows = {}
        for name, path in parts.items():
            both = (folder / f"{name}.jsonl", path)
            target = folder / f"merged_{name}.jsonl"
            rows[name] = shuffled(both, target, random.Random(f"{seed}/order/{name}"))
    finally:
        for path in parts.values():
            path.unlink(missing_ok=True)
    return Merged(rows, unfit)


def shuffled(sources: Sequence[Path], target: Path, rng: random.Random) -> int:
    """Write the lines of all sources to `target` in random order; how many it were."""
    places = array("q")
    half_done = target.with_name(f"{target.name}.part")
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in sources]
        for number, file in enumerate(files):
            at = 0
            for text in file:
                places.append(at * len(files) + number)
                at += len(text)
        rng.shuffle(places)
        with half_done.open("wb") as out:
            for place in places:
                at, number = divmod(place, len(files))
                files[number].seek(at)
                out.write(files[number].readline().rstrip(b"\n") + b"\n")
    half_done.replace(target)
    return len(places)


def _check_rows(path: Path, name: str, form: str) -> None:
    """That there are rows to merge with, of the same format."""
    try:
        with path.open(encoding="utf-8") as file:
            first: Any = json.loads(file.readline() or "null")
    except OSError:
        raise TrainingError(f"there is no {path}", f"add --{name}") from None
    except ValueError:
        first = None
    key = {"chatml": "text", "messages": "messages"}[form]
    if not isinstance(first, dict) or key not in first:
        raise TrainingError(f"{path} has no rows of the format {form}", f"add --{name}")
