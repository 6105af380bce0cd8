"""One booted Home Assistant for all sentences; needs no preparation by hand."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from programs import run
from sentences import CASES


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What Home Assistant saw of all the sentences, asked in one go, and its states."""
    made = run("scripts/stage-wheels")
    assert made.returncode == 0, "the wheels could not be built; see above"
    python = run("scripts/ensure-ha", "run").stdout.strip()
    file = tmp_path_factory.mktemp("end_to_end") / "record.json"
    sentences = ";;".join(case.text for case in CASES)
    done = run(python, "scripts/run_ha.py", "ask", "--json", str(file), "--", sentences)
    assert done.returncode == 0, done.stdout
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
