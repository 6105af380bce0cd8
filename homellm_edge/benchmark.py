"""Starts the benchmarks of a checkout, for the command line."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from .errors import HomellmEdgeError

_ROOT = Path(__file__).parents[1]


def run(figures: Path | None = None) -> int:
    """Run `pytest --benchmark`; its exit code. `figures` gets them as JSON.

    Raises:
        HomellmEdgeError: without the benchmarks, or what they need, they cannot run.
    """
    for module in ("pytest", "pytest_benchmark"):
        if importlib.util.find_spec(module) is None:
            raise HomellmEdgeError(
                f"{module} is not installed", "pip install pytest-benchmark"
            )
    if not (_ROOT / "bench").is_dir():
        raise HomellmEdgeError(
            "the benchmarks are not part of a wheel",
            "install a checkout of the project: pip install --editable CHECKOUT",
        )
    command = [sys.executable, "-m", "pytest", "--benchmark"]
    if figures is not None:
        command.append(f"--benchmark-json={figures.absolute()}")
    return subprocess.run(command, cwd=_ROOT, check=False).returncode  # noqa: S603
