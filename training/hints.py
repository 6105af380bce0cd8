"""How good are the hints? Their precision on phrasings that they were not made of.

`python -m training.hints`: the layer is trained without the phrasings that are kept
for the test, and sentences made of these are looked up. From the table the bounds in
`homellm_edge/meaning.py` are set, so that `=`, `~` and `?` mean what the model was
trained with (`training/data/hinting.py`): right in 97, 80 and 50 of 100 cases.

`--language de`: what is best for another language, on single phrasings of its bank that
are kept for the test: the encoder on the translated sentence, its layer trained on
English or on all banks, or the nearest phrases of that bank by their words.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from homellm_edge.encoder import Encoder
from homellm_edge.grounding.hints import Grounder
from homellm_edge.meaning import MeaningHints
from homellm_edge.models import ENCODER
from homellm_edge.phrases import load
from homellm_edge.phrases.examples import examples
from homellm_edge.phrases.ngrams import PhraseNgrams
from homellm_edge.translation import LANGUAGES

from .data.banks import BANK, held_out
from .data.homes import random_home
from .data.scene import Scene
from .data.sentences import say
from .foreign import translated_examples
from .meanings import phrases, train_head

_BINS = tuple(n / 100 for n in range(20, 100, 10))


def measure(encoder: Path, count: int, seed: int) -> list[tuple[str, str, float, str]]:
    """(true label, first label, probability, second label) of `count` sentences."""
    model = Encoder(encoder, threads=1)
    pairs = list(phrases(_kept))
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


def compare(encoder: Path, language: str) -> dict[str, tuple[float, float]]:
    """Way to get hints -> share of phrasings whose first, or one of two, is right."""
    found: dict[str, tuple[float, float]] = {}
    test = list(translated_examples(language, held_out))
    with Encoder(encoder, threads=1) as model:
        vectors = model.encode([text for text, _ in test])
        for name, pairs in (
            ("encoder, layer of English", examples(BANK, keep=_kept)),
            ("encoder, layer of all banks", phrases(_kept)),
        ):
            texts, meanings = zip(*pairs, strict=True)
            head = train_head(model.encode(texts), meanings, model.digest)
            shares = [head.probabilities(vector) for vector in vectors]
            found[name] = _right(head.labels, shares, test)
    bank = load(language)
    words = PhraseNgrams(examples(bank, keep=_kept))
    test = list(examples(bank, keep=held_out))
    shares = [words.shares(text) for text, _ in test]
    found["words of the bank"] = _right(words.labels, shares, test)
    return found


def _kept(template: str) -> bool:
    return not held_out(template)


def _right(
    labels: Sequence[str],
    shares: Iterable[npt.NDArray[np.float32]],
    test: Sequence[tuple[str, str]],
) -> tuple[float, float]:
    first = either = 0
    for found, (_, label) in zip(shares, test, strict=True):
        best = [labels[n] for n in np.argsort(-found)[:2]]
        first += best[0] == label
        either += label in best
    return first / len(test), either / len(test)


def _main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m training.hints", description=__doc__)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mistakes", type=int, default=0)
    parser.add_argument("--language", choices=LANGUAGES)
    arguments = parser.parse_args(argv)
    if arguments.language:
        for name, (one, two) in compare(ENCODER, arguments.language).items():
            sys.stdout.write(
                f"{name}: first right {100 * one:.1f} %, "
                f"first or second {100 * two:.1f} %\n"
            )
        return
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
