"""Runs the programs of the checkout as a person would."""

import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
BUSY = {"seconds": 12, "baseline": 3, "changes": 20, "entities": 80, "questions": 4}
"""Options of the busy home; so many entities have room in the default context."""

SAFETY_SECONDS = 3000
"""So long may the first set-up take on a slow machine before it counts as stuck."""


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the checkout; its standard error is shown if a test fails."""
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        timeout=SAFETY_SECONDS,
    )
