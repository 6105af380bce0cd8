"""The prompt of our own model: the grounded sentence alone, in ChatML.

There are no home lines in it: the matcher has already found what the sentence speaks
of. Some twenty tokens are enough, and no state change has to be read again.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..phrases.labels import Hint, hint_text
from .blocks import Prompt

FORMAT = "grounded"
"""Value of `homellm.prompt_format` in the metadata of a model that reads this."""

HEADER = "<|im_start|>user\n"
TAIL = "<|im_end|>\n<|im_start|>assistant\n"


def grounded_prompt(text: str, hints: Sequence[Hint] = ()) -> Prompt:
    """Prompt for a grounded sentence as `grounding.Grounding.text` holds it.

    The text consists of lower-case words, numbers and placeholders, so it cannot hold
    a control token. `hints` are what the nearest phrases mean, the nearest first.
    """
    return Prompt(header=HEADER, question=f"{hint_text(hints)}{text}{TAIL}")
