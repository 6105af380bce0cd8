"""The line on the terminal."""

from __future__ import annotations

import io

import pytest

from training.progress import Progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0, 1.7])
def test_a_terminal_shows_how_far_it_is(share: float) -> None:
    out = _Terminal()
    progress = Progress(out)
    progress.show(share, 0.25, 0.875)
    text = out.getvalue()
    assert text.count("#") == round(30 * min(share, 1))
    assert "loss 0.250" in text
    assert "held out 87.5%" in text
    progress.done()
    assert out.getvalue().endswith("\r")


def test_no_line_is_written_twice_at_once() -> None:
    out = _Terminal()
    progress = Progress(out)
    progress.show(0.1, 1.0, None)
    first = out.getvalue()
    progress.show(0.2, 1.0, None)
    assert out.getvalue() == first
    assert "held out" not in first


def test_a_file_gets_no_line() -> None:
    out = io.StringIO()
    progress = Progress(out)
    progress.show(0.5, 1.0, 0.5)
    progress.done()
    assert out.getvalue() == ""
