"""One booted Home Assistant for all sentences, one for a busy home.

Needs no preparation by hand.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from programs import BUSY, run
from sentences import CASES


@pytest.fixture(scope="session")
def python() -> str:
    """The python of a Home Assistant for which all wheels are there."""
    made = run("scripts/stage-wheels")
    assert made.returncode == 0, "the wheels could not be built; see above"
    return run("scripts/ensure-ha", "run").stdout.strip()


@pytest.fixture(scope="session")
def record(python: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What Home Assistant saw of all the sentences, asked in one go, and its states."""
    file = tmp_path_factory.mktemp("end_to_end") / "record.json"
    sentences = ";;".join(case.text for case in CASES)
    done = run(python, "scripts/run_ha.py", "ask", "--json", str(file), "--", sentences)
    assert done.returncode == 0, done.stdout
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def busy(python: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What came of a home with 20 changes a second, asked in the middle of them."""
    file = tmp_path_factory.mktemp("busy") / "busy.json"
    command = [python, "scripts/run_ha.py", "busy", "--json", str(file)]
    for option, value in BUSY.items():
        command += [f"--{option}", str(value)]
    done = run(*command)
    assert done.returncode == 0, done.stdout
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
