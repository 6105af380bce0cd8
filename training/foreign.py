"""The phrase banks of other languages as the run time sees them: in English words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from homellm_edge.phrases import load
from homellm_edge.phrases.examples import sentence_of
from homellm_edge.phrases.labels import label_of
from homellm_edge.translation import Translation, translation_of

_SLOT = re.compile(r"\{([a-z])\}")
_KEPT = re.compile(r"slot([a-z])slot")


def translated_examples(
    language: str, keep: Callable[[str], bool] = lambda template: True
) -> Iterator[tuple[str, str]]:
    """(sentence in English words, label) of every template that is kept."""
    translation = translation_of(language)
    if translation is None:
        return
    for section in load(language).sections:
        label = label_of(section)
        for template in section.templates if label else ():
            if keep(template):
                yield _translated(translation, template, str(label)), str(label)


def _translated(translation: Translation, template: str, label: str) -> str:
    """The slots are filled afterwards: what is in them has been replaced by then."""
    said = sentence_of(_SLOT.sub(r"slot\1slot", template), label)
    english = " ".join(t.text for t in translation.tokens(said))
    return sentence_of(_KEPT.sub(r"{\1}", english), label)
