"""Refuses an engine wheel with anything but the package and one copy of each library.

Headers, CMake files and programs would land in the root of a user's environment, and a
library packed three times (as link names are in a wheel) would triple the download.
"""

import sys
import zipfile
from collections import Counter
from pathlib import Path

LIBRARIES = {"libggml-base.so", "libggml-cpu.so", "libggml.so", "libllama.so"}


def problems(wheel: Path) -> list[str]:
    """What is wrong with the wheel, one line each; empty if nothing is."""
    found: list[str] = []
    with zipfile.ZipFile(wheel) as archive:
        if damaged := archive.testzip():
            return [f"{damaged} is damaged"]
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    found += [
        f"{name} lies outside of llama_cpp/"
        for name in names
        if not name.startswith("llama_cpp/") and ".dist-info/" not in name
    ]
    libraries = Counter(
        name.rpartition("/")[2] for name in names if ".so" in name.rpartition("/")[2]
    )
    if set(libraries) != LIBRARIES or set(libraries.values()) != {1}:
        found.append(
            f"it holds the libraries {sorted(libraries.elements())} "
            f"instead of {sorted(LIBRARIES)}"
        )
    return found


def main() -> int:
    """Print the problems of the wheel named on the command line; 1 if there are any."""
    wheel = Path(sys.argv[1])
    found = problems(wheel)
    for line in found:
        print(f"{wheel.name}: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
