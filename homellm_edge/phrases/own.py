"""A person's own phrases: a file in the form of the banks, without training."""

from __future__ import annotations

from pathlib import Path

from .bank import PhraseError, read
from .examples import examples

_MOST_BYTES = 1 << 20


def own_phrases(path: Path) -> list[tuple[str, str]]:
    """(sentence, label) of the phrases in a file.

    Raises PhraseError for a file that cannot be read, naming the line.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PhraseError(f"{path.name} is larger than a megabyte", "shorten it")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise PhraseError(f"{path} cannot be read ({err})", "check it") from None
    return [*examples(read("own", [(path.name, text)]))]
