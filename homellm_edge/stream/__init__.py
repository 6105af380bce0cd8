"""Model output -> events.

`StreamParser` understands what any model writes; `GrammarParser` what a grammar allows,
whose rules are tagged as `StreamTags` says:

    grammar = TaggedGrammar(compile_grammar(text, tags=StreamTags().rules))
    parser = GrammarParser(grammar)

The first is shared by all replies, a parser is for one of them.
"""

from .._gbnf import GrammarParser, StreamParser, TaggedGrammar
from .events import Done, Malformed, Object, ObjectStarted, Speech, StreamEvent
from .tags import StreamTags

__all__ = [
    "Done",
    "GrammarParser",
    "Malformed",
    "Object",
    "ObjectStarted",
    "Speech",
    "StreamEvent",
    "StreamParser",
    "StreamTags",
    "TaggedGrammar",
]
