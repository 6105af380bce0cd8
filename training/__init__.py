"""Makes the embedded default model from nothing: data, tokenizer, training, export.

Never imported by the library; needs the packages of `training/requirements.txt`.
"""

from homellm_edge.errors import HomellmEdgeError


class TrainingError(HomellmEdgeError):
    """Training, export or evaluation cannot go on."""
