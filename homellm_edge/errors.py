"""The error tree. Every error names the cause and, where there is one, the cure."""


class HomellmEdgeError(Exception):
    """Root of all errors of this library; `str()` is one line fit for a user."""

    def __init__(self, cause: str, cure: str = "") -> None:
        self.cause = cause
        self.cure = cure
        super().__init__(f"{cause}; {cure}" if cure else cause)


class HomeError(HomellmEdgeError, ValueError):
    """A home description (file or data) that cannot be used."""


class SentenceError(HomellmEdgeError, ValueError):
    """A sentence that cannot be processed: empty or far too long."""


class CallError(HomellmEdgeError, ValueError):
    """A service call that the home does not allow (unknown device, bad argument)."""


class GrammarError(HomellmEdgeError, ValueError):
    """A GBNF text that cannot be used."""

    def __init__(
        self, cause: str, cure: str = "", *, line: int = 0, column: int = 0
    ) -> None:
        self.line = line
        self.column = column
        super().__init__(cause, cure)


class EngineError(HomellmEdgeError, RuntimeError):
    """The inference engine (libllama) failed or is missing."""


class ModelError(EngineError):
    """A model file that is missing, damaged or not supported."""


class NotEnoughMemoryError(EngineError):
    """Model and KV cache do not fit into the memory that is free."""


class CpuError(EngineError):
    """This processor lacks instructions that the engine was built for."""


class ContextFullError(EngineError):
    """The prompt does not fit into the model's context."""


class TurnCancelledError(HomellmEdgeError):
    """The turn was cancelled (barge-in, timeout, unload)."""
