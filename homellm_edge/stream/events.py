"""What a stream parser finds in a model's output, in the order in which it arrives.

Positions count bytes from the start of the output. One `Speech` may come in several.
"""

from __future__ import annotations

from typing import TypeAlias

from .._gbnf import Done, Malformed, Object, ObjectStarted, Speech

StreamEvent: TypeAlias = Speech | ObjectStarted | Object | Malformed | Done

__all__ = ["Done", "Malformed", "Object", "ObjectStarted", "Speech", "StreamEvent"]
