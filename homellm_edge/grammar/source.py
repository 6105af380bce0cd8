"""Places in a GBNF text: turns an offset into a GrammarError that a person can use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import GrammarError

_SHOWN = 60
"""So many characters of a long line are shown."""


class FaultError(Exception):
    """Something is wrong at an offset of the text; the parser adds the place."""

    def __init__(self, position: int, cause: str, cure: str) -> None:
        self.position = position
        self.cause = cause
        self.cure = cure
        super().__init__(cause)


@dataclass(frozen=True, slots=True)
class Source:
    """A GBNF text."""

    text: str

    def error(self, fault: FaultError) -> GrammarError:
        """The error with line and column (both from 1) and the line itself."""
        position = min(fault.position, len(self.text))
        start, number = 0, 1
        for end in re.finditer(r"\r\n|\r|\n", self.text):
            if end.end() > position:
                break
            start, number = end.end(), number + 1
        line = re.split(r"[\r\n]", self.text[start:], maxsplit=1)[0]
        column = position - start + 1
        return GrammarError(
            f"{fault.cause}, in {_around(line, column - 1)!r}",
            fault.cure,
            line=number,
            column=column,
        )


def _around(line: str, offset: int) -> str:
    if len(line) <= _SHOWN:
        return line
    start = max(0, min(offset - _SHOWN // 2, len(line) - _SHOWN))
    return line[start : start + _SHOWN]
