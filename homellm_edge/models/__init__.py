"""The embedded default model: a data file of this package."""

from pathlib import Path

DEFAULT_MODEL = Path(__file__).with_name("default.gguf")
"""Path of the default model; its card is `default.md` beside it."""
