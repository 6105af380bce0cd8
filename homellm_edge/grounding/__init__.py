"""Grounding: which devices, areas, numbers and options does a sentence mention?"""

from .hints import Grounder, Grounding, prepare, render
from .matcher import Candidate, Mention

__all__ = ["Candidate", "Grounder", "Grounding", "Mention", "prepare", "render"]
