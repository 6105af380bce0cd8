"""Models that come with the package: data files, each with its card beside it."""

from pathlib import Path

DEFAULT_MODEL = Path(__file__).with_name("default.gguf")
"""Path of the default model; its card is `default.md` beside it."""

ENCODER = Path(__file__).with_name("encoder.gguf")
"""Path of the sentence encoder, whose notice is `encoder.md`."""

MEANINGS = Path(__file__).with_name("meanings.npz")
"""Path of the linear layer on the encoder, made by `python -m training.meanings`."""
