"""pytest's option --benchmark: run the benchmarks and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "bench"
"""The benchmarks, in a checkout."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register --benchmark and --benchmark-targets."""
    group = parser.getgroup("homellm_edge")
    group.addoption(
        "--benchmark", action="store_true", help="run bench/ and nothing else"
    )
    group.addoption(
        "--benchmark-targets",
        action="store_true",
        help="fail where bench/expectations.toml is missed",
    )


def pytest_configure(config: pytest.Config) -> None:
    """With --benchmark, collect the benchmarks instead of the tests."""
    if not config.getoption("--benchmark"):
        return
    if not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError(
            "pytest-benchmark is not installed: pip install pytest-benchmark"
        )
    if not FOLDER.is_dir():
        raise pytest.UsageError(f"{FOLDER} is missing: run this in a checkout")
    chosen = [a for a in config.args if _inside(a.partition("::")[0])]
    config.args = chosen or [str(FOLDER)]


def _inside(path: str) -> bool:
    return Path(path).absolute().is_relative_to(FOLDER)
