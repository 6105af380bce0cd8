"""A line on the terminal that tells how far a training run is; nothing in a file."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDTH = 30
_EVERY = 0.5  # seconds


class Progress:
    """Shows one line, written anew; `done` clears it for other output."""

    def __init__(self, out: TextIO | None = None) -> None:
        """Write to `out` (the standard output) if that is a terminal."""
        self._out = out or sys.stdout
        self._shown = self._out.isatty()
        self._last = -_EVERY
        self._length = 0

    def show(self, share: float, loss: float, accuracy: float | None) -> None:
        """Show the share of the budget used (0 to 1), the loss and the accuracy."""
        now = time.monotonic()
        if not self._shown or now - self._last < _EVERY:
            return
        self._last = now
        full = round(_WIDTH * min(max(share, 0.0), 1.0))
        text = f"[{'#' * full}{'.' * (_WIDTH - full)}] {share:4.0%}  loss {loss:.3f}"
        if accuracy is not None:
            text += f"  held out {accuracy:.1%}"
        self._out.write(f"\r{text.ljust(self._length)}")
        self._out.flush()
        self._length = len(text)

    def done(self) -> None:
        """Clear the line."""
        if self._length:
            self._out.write(f"\r{' ' * self._length}\r")
            self._out.flush()
            self._length = 0
