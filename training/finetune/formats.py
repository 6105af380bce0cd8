"""Chat formats: a conversation as text, where the assistant speaks in it, and back.

`render` writes messages and says which characters are the assistant's: what it writes
and the token that ends it, which is what is learned. `spans` finds the same places in
a text, `parse` the messages. A message that spells a part of its format is refused:
nobody could tell its text from the format.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from .. import TrainingError

Role = Literal["system", "user", "assistant"]
Span = tuple[int, int]
EOS = "\0eos"
"""Stands for the end-of-sequence token of the model, whatever that is."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one side says."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as text; `spans` are the assistant's characters, half-open."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and behind a message.

    `lead` is the space before the words that belongs to them: with most tokenizers it
    is part of the first word. `end` is the token that ends the message (learned, if it
    is the assistant's), `gap` what follows it.
    """

    opening: str
    end: str = ""
    gap: str = ""
    lead: str = ""


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How the messages of a conversation are written down.

    Without a frame for the system text it goes in front of the first thing the user
    says, `glue` between them.
    """

    name: str
    user: Frame
    assistant: Frame
    system: Frame | None = None
    glue: str = "\n\n"
    parsable: bool = True

    def render(self, messages: Sequence[Message], eos: str = "</s>") -> Rendered:
        """Write `messages`; raises TrainingError if they make no conversation."""
        text = ""
        spans = []
        for message in self._framed(messages):
            frame = self._frame(message.role)
            self._check(message, eos)
            text += frame.opening
            start = len(text)
            text += frame.lead + message.text + frame.end.replace(EOS, eos)
            if message.role == "assistant":
                spans.append((start, len(text)))
            text += frame.gap
        return Rendered(text, tuple(spans))

    def spans(self, text: str, eos: str = "</s>") -> tuple[Span, ...]:
        """Where the assistant speaks in `text`; everywhere if it cannot be told."""
        if not self.parsable:
            return ((0, len(text)),)
        return tuple(
            (start, closed)
            for role, start, _, closed in self._pieces(text, eos)
            if role == "assistant"
        )

    def parse(self, text: str, eos: str = "</s>") -> tuple[Message, ...]:
        """Read back what `render` wrote (a system text may be in the user's)."""
        if not self.parsable:
            raise TrainingError(
                f"texts in the format {self.name} cannot be taken apart"
            )
        return tuple(
            Message(role, text[start:end].removeprefix(self._frame(role).lead))
            for role, start, end, _ in self._pieces(text, eos)
        )

    def _framed(self, messages: Sequence[Message]) -> list[Message]:
        """The messages that have a frame: a system text without one is merged."""
        framed = list(messages)
        if self.system is not None:
            return framed
        if framed and framed[0].role == "system":
            if len(framed) < 2 or framed[1].role != "user":
                raise TrainingError(f"{self.name}: no user's text behind the system's")
            text = f"{framed[0].text}{self.glue}{framed[1].text}"
            framed[:2] = [Message("user", text)]
        if any(message.role == "system" for message in framed):
            raise TrainingError(f"{self.name}: a system text only at the beginning")
        return framed

    def _frame(self, role: Role) -> Frame:
        return cast("Frame", getattr(self, role))

    def _check(self, message: Message, eos: str) -> None:
        if not self.parsable:
            return
        for part in self._marks(eos):
            if part in message.text:
                raise TrainingError(
                    f"a text of the {message.role} has {part!r}, a part of "
                    f"the format {self.name}",
                    "take it out of the row",
                )

    def _marks(self, eos: str) -> set[str]:
        frames = [f for f in (self.system, self.user, self.assistant) if f]
        marks = {part.strip() for f in frames for part in (f.opening, f.end)}
        return {part.replace(EOS, eos) for part in marks if part}

    def _pieces(self, text: str, eos: str) -> list[tuple[Role, int, int, int]]:
        """Role, where its text begins and ends, and where its end token ends."""
        openings: dict[str, Role] = {}
        roles: tuple[Role, ...] = ("system", "user", "assistant")
        for role in roles:
            frame = getattr(self, role)
            if frame is not None and frame.opening:
                openings[frame.opening] = role
        found = [
            (openings[match[0]], match.start(), match.end())
            for match in re.finditer("|".join(map(re.escape, openings)), text)
        ]
        if self.system is not None and not self.system.opening:
            start = found[0][1] if found else len(text)
            found[:0] = [("system", 0, 0)] if start else []
        if not found:
            return []
        limits = [start for _, start, _ in found[1:]] + [len(text)]
        pieces = []
        for (role, _, start), limit in zip(found, limits, strict=True):
            frame = self._frame(role)
            end = frame.end.replace(EOS, eos)
            at = text.find(end, start, limit) if end else -1
            if at >= 0:
                pieces.append((role, start, at, at + len(end)))
                continue
            stop = limit - len(frame.gap) * text[start:limit].endswith(frame.gap)
            pieces.append((role, start, stop, stop))
        return pieces


def _chatml(role: str) -> Frame:
    return Frame(f"<|im_start|>{role}\n", "<|im_end|>", "\n")


def _llama3(role: str) -> Frame:
    return Frame(f"<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>")


def _phi3(role: str) -> Frame:
    return Frame(f"<|{role}|>\n", "<|end|>", "\n")


def _zephyr(role: str) -> Frame:
    return Frame(f"<|{role}|>\n", EOS, "\n")


def _gemma(role: str) -> Frame:
    return Frame(f"<start_of_turn>{role}\n", "<end_of_turn>", "\n")


FORMATS = {
    one.name: one
    for one in (
        ChatFormat("chatml", _chatml("user"), _chatml("assistant"), _chatml("system")),
        ChatFormat(
            "alpaca",
            Frame("### Instruction:\n", gap="\n\n"),
            Frame("### Response:\n", EOS, "\n\n"),
            Frame("", gap="\n\n"),
        ),
        ChatFormat(
            "vicuna",
            Frame("USER:", gap=" ", lead=" "),
            Frame("ASSISTANT:", EOS, lead=" "),
            Frame("", gap=" "),
        ),
        ChatFormat(
            "mistral",
            Frame("[INST]", lead=" "),
            Frame(" [/INST]", EOS, lead=" "),
        ),
        ChatFormat("zephyr", _zephyr("user"), _zephyr("assistant"), _zephyr("system")),
        ChatFormat("llama-3", _llama3("user"), _llama3("assistant"), _llama3("system")),
        ChatFormat("phi-3", _phi3("user"), _phi3("assistant"), _phi3("system")),
        ChatFormat("gemma", _gemma("user"), _gemma("model")),
        ChatFormat(
            "none",
            Frame("", gap="\n"),
            Frame("", EOS, "\n"),
            Frame("", gap="\n"),
            parsable=False,
        ),
    )
}
