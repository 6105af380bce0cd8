"""Live home -> GBNF and JSON Schema: a model may write what the home offers."""

from .grounded import grounded_grammar
from .home import HomeGrammar, home_grammar
from .schema import home_schema, reply_text

__all__ = [
    "HomeGrammar",
    "grounded_grammar",
    "home_grammar",
    "home_schema",
    "reply_text",
]
