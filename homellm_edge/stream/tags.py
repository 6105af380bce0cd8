"""Which rules of a grammar are speech and which are objects."""

from __future__ import annotations

from dataclasses import dataclass

from .._gbnf import TAGS


@dataclass(frozen=True, slots=True)
class StreamTags:
    """The names of the rules; what a grammar does not have may be named all the same.

    None of them may be inside of another.
    """

    speech: str = "speech"
    call: str = "call"
    query: str = "query"
    reply: str = "reply"

    @property
    def rules(self) -> dict[str, int]:
        """Rule to number, as `compile_grammar` takes it for its `tags`."""
        return {getattr(self, kind): number for kind, number in TAGS.items()}
