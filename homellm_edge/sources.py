"""What a model is helped with: hints if it was trained with them, else examples."""

from __future__ import annotations

from collections.abc import Iterable

from .dialects import DIALECTS
from .engine.model import ModelInfo
from .meaning import MeaningHints
from .models import ENCODER, MEANINGS
from .models.catalogue import usual_examples
from .word_hints import WordHints

MOST_EXAMPLES = 4


def examples_for(info: ModelInfo, wanted: int | None = None) -> int:
    """How many example exchanges the model is shown: `wanted`, else what suits it."""
    if not DIALECTS[info.prompt_format or "chatml"].exemplified:
        return 0
    if wanted is not None:
        return min(max(wanted, 0), MOST_EXAMPLES)
    return usual_examples(info.name, trained_here=bool(info.prompt_format))


def hint_source(
    info: ModelInfo,
    examples: int,
    *,
    encoder: bool = True,
    own: Iterable[tuple[str, str]] = (),
) -> MeaningHints | WordHints | None:
    """Where hints and meanings come from, None if the model is told neither.

    Without the encoder hints are left out, and examples are found by their words.
    `own` are a person's own (phrase, label). Raises as `MeaningHints.load` does.
    """
    hinted = DIALECTS[info.prompt_format or "chatml"].hinted
    if encoder and (hinted or examples):
        return MeaningHints.load(ENCODER, MEANINGS, own=own)
    return WordHints.load() if examples and not encoder else None
