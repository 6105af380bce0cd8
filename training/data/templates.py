"""Templates with alternatives: `(turn|switch) on {x} (please|)`; one is picked."""

from __future__ import annotations

import random
import re

_INNERMOST = re.compile(r"\(([^()]*)\)")
_SPACES = re.compile(r"\s+")


def expand(rng: random.Random, template: str) -> str:
    """Pick one alternative of every parenthesis, innermost first."""
    while True:
        found = _INNERMOST.search(template)
        if found is None:
            return _SPACES.sub(" ", template).strip()
        choice = rng.choice(found.group(1).split("|"))
        template = template[: found.start()] + choice + template[found.end() :]


def lines(text: str) -> tuple[str, ...]:
    """The non-empty lines of a bank."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
