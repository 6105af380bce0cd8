"""Engines and vocabularies, made once per run; the table of targets at the end."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from changing_home import write_model
from engines import Engine
from peers import engine as make_engine
from peers import missing
from targets import judge, table
from vocabulary import GgufVocabulary
from workloads import vocabulary_path


@pytest.fixture(scope="session")
def engine_of() -> Callable[[str, str], Engine]:
    """A function (name, vocabulary) -> engine that skips what is not here."""

    @cache
    def vocabulary(name: str) -> GgufVocabulary:
        return GgufVocabulary.load(vocabulary_path(name))

    @cache
    def made(name: str, vocab: str) -> Engine:
        return make_engine(name, vocabulary(vocab))

    def found(name: str, vocab: str) -> Engine:
        if reason := missing(name):
            pytest.skip(reason)
        path = vocabulary_path(vocab)
        if not path.exists():
            pytest.skip(f"{path.name} is not here: run scripts/vocabularies")
        return made(name, vocab)

    return found


@pytest.fixture(scope="session")
def home_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights for the benchmarks of the KV cache."""
    return write_model(tmp_path_factory.mktemp("models") / "home.gguf")


def _rows(config: pytest.Config) -> list[dict[str, Any]]:
    session = getattr(config, "_benchmarksession", None)
    return [
        {
            "group": found.group or "",
            "params": dict(found.params or {}),
            "extra_info": dict(found.extra_info),
        }
        for found in (session.benchmarks if session else [])
    ]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print each target beside what was reached."""
    judged = judge(_rows(config))
    if judged:
        terminalreporter.section("targets")
        terminalreporter.write_line(table(judged))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With --benchmark-targets, fail where one is missed."""
    wanted = session.config.getoption("--benchmark-targets")
    if (
        wanted
        and not exitstatus
        and any(not t.met for t in judge(_rows(session.config)))
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
