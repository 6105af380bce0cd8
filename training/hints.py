"""How good are the hints? Their precision on phrasings that they were not made of.

`python -m training.hints`: the layer is trained without the phrasings that are kept
for the test, and sentences made of these are looked up. From the table the bounds in
`homellm_edge/meaning.py` are set, so that `=`, `~` and `?` mean what the model was
trained with (`training/data/hinting.py`): right in 97, 80 and 50 of 100 cases.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from homellm_edge.encoder import Encoder
from homellm_edge.grounding.hints import Grounder
from homellm_edge.meaning import MeaningHints
from homellm_edge.models import ENCODER
from homellm_edge.phrases.examples import examples

from .data.banks import BANK, held_out
from .data.homes import random_home
from .data.scene import Scene
from .data.sentences import say
from .meanings import train_head

_BINS = tuple(n / 100 for n in range(20, 100, 10))


def measure(encoder: Path, count: int, seed: int) -> list[tuple[str, str, float, str]]:
    """(true label, first label, probability, second label) of `count` sentences."""
    model = Encoder(encoder, threads=1)
    pairs = list(examples(BANK, keep=lambda template: not held_out(template)))
    texts, meanings = zip(*pairs, strict=True)
    vectors = model.encode(texts)
    nearest = MeaningHints(model, train_head(vectors, meanings, model.digest))
    found: list[tuple[str, str, float, str]] = []
    rng = random.Random(seed)
    while len(found) < count:
        scene = Scene(rng, random_home(rng, "phrasings"), "phrasings")
        said = say(scene) if scene.home.entities else None
        if said is None or said.label is None or len(said.wanted) > 1:
            continue
        grounding = Grounder(scene.home).ground(said.text, said.here, said.recent)
        hints = nearest.meanings(grounding, scene.home)
        first = hints[0] if hints else ("", 0.0)
        second = hints[1][0] if len(hints) > 1 else ""
        found.append((said.label, first[0], first[1], second))
    nearest.close()
    return found


def _main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m training.hints", description=__doc__)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mistakes", type=int, default=0)
    arguments = parser.parse_args(argv)
    found = measure(ENCODER, arguments.count, arguments.seed)
    right = sum(true == first for true, first, _, _ in found)
    either = sum(true in (first, second) for true, first, _, second in found)
    sys.stdout.write(
        f"first right {100 * right / len(found):.1f} %, "
        f"first or second {100 * either / len(found):.1f} %\n"
    )
    for low in _BINS:
        inside = [f for f in found if low <= f[2] < low + 0.1]
        if inside:
            good = sum(true == first for true, first, _, _ in inside)
            sys.stdout.write(
                f"probability {low:.2f}: {good} of {len(inside)} right "
                f"({100 * good / len(inside):.0f} %)\n"
            )
    wrong = Counter((true, first) for true, first, _, _ in found if true != first)
    for (true, first), times in wrong.most_common(arguments.mistakes):
        sys.stdout.write(f"{times:4} {true} taken for {first or 'nothing'}\n")


if __name__ == "__main__":
    _main()
