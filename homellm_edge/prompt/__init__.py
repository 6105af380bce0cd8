"""Home and sentence -> the text a model reads."""

from .chatml import chatml_prompt
from .grounded import grounded_prompt

__all__ = ["chatml_prompt", "grounded_prompt"]
