"""What does a sentence probably mean? The sentence encoder with a layer on it.

The sentence is looked at with its own names replaced by the kind of thing they name, so
that only what is wanted counts. The layer was trained on the phrase bank; a person's
own phrases are compared directly. What no device of the home could do is left out.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Self

from .encoder import Encoder, MeaningHead, PhraseIndex, PhraseIndexError
from .grounding import Grounding
from .home import Home
from .language import ACTIONS
from .phrases import PhraseError
from .phrases.examples import spoken_kind
from .phrases.labels import LIKELY, MOST_HINTS, PERHAPS, SURE, Hint, labels
from .text import own_words

_SURE, _LIKELY, _PERHAPS = 0.9, 0.7, 0.35
"""Probabilities from which a hint counts so: `python -m training.hints`."""

_OWN = 0.85
"""Cosine from which a person's own phrase decides alone."""

_ALWAYS = frozenset(["timer", "todo", "homeassistant"])

Meaning = tuple[str, float]
"""(label, probability)."""


class MeaningHints:
    """A `dialects.HintSource`: the sentence encoder and what was trained on it."""

    def __init__(self, encoder: Encoder, head: MeaningHead) -> None:
        """Take over the encoder."""
        self._encoder = encoder
        self._head = head
        self._own: PhraseIndex | None = None
        self._lock = threading.Lock()
        self._known = _known()

    @classmethod
    def load(
        cls,
        encoder: Path,
        head: Path,
        *,
        threads: int = 1,
        own: Iterable[tuple[str, str]] = (),
    ) -> Self:
        """Load both files. `own` are a person's own (sentence, label).

        Raises ModelError, EngineError, PhraseIndexError or PhraseError.
        """
        model = Encoder(encoder, threads)
        try:
            layer = MeaningHead.load(head, model.digest)
            if layer.weights.shape[1] != model.width:
                raise PhraseIndexError(
                    f"{head.name} is for vectors of {layer.weights.shape[1]} numbers, "
                    f"not {model.width}",
                    "install the package again",
                )
            made = cls(model, layer)
            made.learn(own)
        except BaseException:
            model.close()
            raise
        return made

    def hints(self, found: Grounding, home: Home) -> Sequence[Hint]:
        """The likeliest meanings that this home could carry out."""
        chosen = self.meanings(found, home)[:MOST_HINTS]
        return [(label, q) for label, share in chosen if (q := _quality(share))]

    def meanings(self, found: Grounding, home: Home) -> list[Meaning]:
        """Labels that are possible here with their probabilities, likeliest first."""
        texts = [plain_text(found, home)]
        if self._own is not None:  # its phrases stand there as they are said
            texts.append(own_words(found.tokens))
        with self._lock:
            vectors = self._encoder.encode(texts)
        if self._own is not None:
            nearest = [self._own.nearest(vector, 1)[0] for vector in vectors]
            number, cosine = max(nearest, key=lambda pair: pair[1])
            if cosine >= _OWN:
                return [(self._own.meanings[number], 1.0)]
        shares = self._head.probabilities(vectors[0])
        return possible(zip(self._head.labels, shares, strict=True), found, home)

    def learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Know these phrases of a person's own from now on; raises PhraseError."""
        known = [*pairs]
        for _, label in known:
            if label not in self._known:
                raise PhraseError(
                    f"no phrase can mean {label!r}",
                    "use a meaning of the banks, such as light.turn_on",
                )
        if not known:
            return
        texts, meanings = zip(*known, strict=True)
        with self._lock:
            more = PhraseIndex.build(self._encoder, texts, meanings)
            self._own = self._own.joined(more) if self._own else more

    def close(self) -> None:
        """Free the encoder."""
        self._encoder.close()


def plain_text(found: Grounding, home: Home) -> str:
    """The sentence with each mention as `light`, `speaker`, `kitchen`."""
    starts = {m.positions[0]: m for m in found.mentions}
    inside = {p for m in found.mentions for p in m.positions}
    out: list[str] = []
    for at, token in enumerate(found.tokens):
        mention = starts.get(at)
        if mention is not None and mention.candidates:
            entity = home.entity(found.first_of(mention))
            out.append(spoken_kind(entity) if entity else token.text)
        elif mention is not None:
            out.append("kitchen")
        elif at not in inside:
            out.append(token.text)
    return " ".join(out)


def possible(shares: Iterable[Meaning], found: Grounding, home: Home) -> list[Meaning]:
    """The meanings that are possible here, the likeliest first; together 1."""
    known = _known()
    whole: dict[str, float] = defaultdict(float)
    for label, share in shares:
        meant = _possible(label, found, home)
        if meant in known:
            whole[meant] += float(share)
    total = sum(whole.values()) or 1.0
    ranked = sorted(whole.items(), key=lambda item: -item[1])
    return [(label, share / total) for label, share in ranked[:8]]


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(labels())


def _quality(share: float) -> str:
    if share >= _SURE:
        return SURE
    if share >= _LIKELY:
        return LIKELY
    return PERHAPS if share >= _PERHAPS else ""


def _possible(label: str, found: Grounding, home: Home) -> str:
    """The label, or what it means for the devices mentioned; "" if it cannot be."""
    domain, dot, verb = label.partition(".")
    if not dot or domain in _ALWAYS:
        return label
    mentioned = dict.fromkeys(e.partition(".")[0] for e in found.entities)
    if not mentioned or domain in mentioned:
        present = any(e.domain == domain for e in home.entities)
        return label if present else ""
    service = verb.partition(":")[0]
    for other in mentioned:
        if service in ACTIONS.get(other, {}):
            return f"{other}.{verb}"
    return ""
