"""`python -m homellm_edge.phrases [LANGUAGE]`: checks a bank and counts its lines."""

from __future__ import annotations

import sys
from collections import Counter

from ..errors import HomellmEdgeError
from .bank import load


def _main() -> None:
    bank = load(sys.argv[1] if len(sys.argv) > 1 else "en")
    families: Counter[str] = Counter()
    for section in bank.sections:
        family = section.key.partition(":")[0] if "." in section.key else section.kind
        families[family] += len(section.templates)
        sys.stdout.write(f"{len(section.templates):5} [{section.kind} {section.key}]\n")
    for family, count in sorted(families.items()):
        sys.stdout.write(f"{count:6} {family}\n")


if __name__ == "__main__":
    try:
        _main()
    except HomellmEdgeError as error:
        sys.exit(f"phrases: {error}")
