"""`python -m training.data.losses --language de`: what the grounding loses, by maker.

A sentence is lost if its grounded form does not show what the answer needs. In other
languages than English that mostly is a word that the dictionary lacks.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from homellm_edge.grounding import Grounder

from .. import TrainingError
from .encoding import LostError, encode
from .homes import random_home
from .scene import Scene
from .sentences import say
from .wording import LANGUAGES, wording_of


@dataclass(slots=True)
class Losses:
    """How many sentences there were and were lost; which words stayed as they were."""

    said: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def losses(language: str, count: int, seed: int) -> Losses:
    """Compose and ground `count` sentences."""
    rng, wording = random.Random(seed), wording_of(language)
    found = Losses()
    while found.said.total() < count:
        home = random_home(rng, "train", wording.homes)
        said = say(Scene(rng, home, "train", wording)) if home.entities else None
        if said is None:
            continue
        found.said[said.kind] += 1
        grounding = Grounder(home, language).ground(said.text, said.here, said.recent)
        try:
            encode(said.wanted, grounding)
        except LostError as error:
            found.lost[said.kind] += 1
            found.reasons[f"{said.kind} {str(error)[:1]}"] += 1
            # The translated text marks nothing of a word that no table knows.
            own = set(said.text.lower().split())
            found.unchanged.update(w for w in grounding.text.split() if w in own)
    return found


def main(argv: Sequence[str]) -> None:
    """Print the shares by maker and the words that were not translated."""
    parser = argparse.ArgumentParser("python -m training.data.losses")
    parser.add_argument("--language", default="en", choices=LANGUAGES)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    settings = parser.parse_args(argv)
    found = losses(settings.language, settings.count, settings.seed)
    for kind, said in found.said.most_common():
        share = 100 * found.lost[kind] / said
        sys.stdout.write(f"{kind:18} {share:5.1f} % of {said}\n")
    share = 100 * found.lost.total() / found.said.total()
    sys.stdout.write(f"{'all':18} {share:5.1f} % of {found.said.total()}\n")
    for reason, times in found.reasons.most_common(12):
        sys.stdout.write(f"lost {reason:22} {times}\n")
    words = ", ".join(f"{w} {n}" for w, n in found.unchanged.most_common(40))
    sys.stdout.write(f"words not translated: {words}\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except TrainingError as error:
        sys.exit(f"losses: {error}")
