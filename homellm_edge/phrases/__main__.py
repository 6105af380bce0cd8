"""`python -m homellm_edge.phrases [LANGUAGE]...`: checks banks and counts by family."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..errors import HomellmEdgeError
from .bank import load
from .counting import ACTION_FAMILIES, BOUNDS, count

_COLUMNS = ("templates", "phrasings", "sentences", "at least")


def _main(languages: Sequence[str]) -> None:
    for language in languages:
        _print_row(language, *_COLUMNS)
        for found in count(load(language)):
            least = BOUNDS.get(language, 0) if found.family in ACTION_FAMILIES else 0
            _print_row(
                found.family,
                *map(str, (found.templates, found.phrasings, found.sentences)),
                str(least or ""),
                "short" if found.phrasings < least else "",
            )


def _print_row(name: str, *cells: str) -> None:
    row = f"{name:24}" + "".join(f"{cell:>11}" for cell in cells)
    sys.stdout.write(f"{row.rstrip()}\n")


if __name__ == "__main__":
    try:
        _main(sys.argv[1:] or tuple(BOUNDS))
    except HomellmEdgeError as error:
        sys.exit(f"phrases: {error}")
