"""Live home -> GBNF: what the model may write is what the home offers."""

from .grounded import grounded_grammar
from .home import HomeGrammar, home_grammar

__all__ = ["HomeGrammar", "grounded_grammar", "home_grammar"]
