"""Home and sentence -> the text a model reads."""

from .blocks import Block, Prompt, Turn, Updates
from .chatml import PastTurn, Rendered, chatml_prompt
from .grounded import grounded_prompt

__all__ = [
    "Block",
    "PastTurn",
    "Prompt",
    "Rendered",
    "Turn",
    "Updates",
    "chatml_prompt",
    "grounded_prompt",
]
