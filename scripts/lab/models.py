"""A chat model for the lab: random weights, but all the work of a real one."""

import os
import subprocess
from pathlib import Path

from .problems import LabError

_WRITE = """
import sys
from pathlib import Path
from gguf_factory import write_llama
metadata = {"homellm.attention": "block", "homellm.prompt_format": "chatml"}
write_llama(Path(sys.argv[1]), context=int(sys.argv[2]), metadata=metadata)
"""
TRAINED_CONTEXT = 16384


def write_chat_model(repository: Path, path: Path) -> None:
    """Write it with the tests' own factory, in the environment for tests."""
    made = subprocess.run(
        [repository / "scripts/ensure-venv"], stdout=subprocess.PIPE, text=True
    )
    if made.returncode:
        raise LabError("there is no .venv to write the model with; run make venv")
    written = subprocess.run(
        [made.stdout.strip(), "-c", _WRITE, str(path), str(TRAINED_CONTEXT)],
        env=os.environ | {"PYTHONPATH": str(repository / "tests")},
    )
    if written.returncode:
        raise LabError(f"the model {path} could not be written; see above")
