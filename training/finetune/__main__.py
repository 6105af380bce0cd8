"""`python -m training.finetune --help`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .. import TrainingError
from .settings import parse


def main(argv: Sequence[str]) -> None:
    """Fine-tune as `argv` says."""
    settings = parse(argv)
    from .run import fine_tune  # takes seconds, --help does not need it

    fine_tune(settings)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except TrainingError as error:
        sys.exit(f"finetune: error: {error}")
