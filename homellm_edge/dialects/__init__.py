"""Dialects: how a model is asked and understood, by name of its prompt format."""

from collections.abc import Mapping

from .base import (
    Dialect,
    HintSource,
    MeaningSource,
    PromptOptions,
    Reply,
    Situation,
    Step,
)
from .chatml import ChatMLDialect
from .grounded import GroundedDialect

DIALECTS: Mapping[str, Dialect] = {
    "chatml": ChatMLDialect(),
    "grounded": GroundedDialect(),
}

__all__ = [
    "DIALECTS",
    "Dialect",
    "HintSource",
    "MeaningSource",
    "PromptOptions",
    "Reply",
    "Situation",
    "Step",
]
