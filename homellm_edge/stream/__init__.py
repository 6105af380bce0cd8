"""Model output -> events."""

from .events import Malformed, Object, Speech, StreamEvent
from .parser import StreamParser

__all__ = ["Malformed", "Object", "Speech", "StreamEvent", "StreamParser"]
