"""Names and limits that several modules of the integration share."""

from typing import Final

DOMAIN: Final = "homellm_edge"

LIBRARY_VERSION: Final = "0.1.0"
"""The homellm_edge library that this version of the integration was made for."""

ENGINE_VERSION: Final = "0.3.36"
"""The llama-cpp-python whose struct layout that library was compiled against."""

DEFAULT_TITLE: Final = "HomeLLM Edge"

CONF_MODEL: Final = "model"
CONF_MODEL_PATH: Final = "model_path"
MODEL_DEFAULT: Final = "default"
MODEL_FILE: Final = "file"

CONF_PERSONA: Final = "persona"
CONF_MAX_TOKENS: Final = "max_tokens"
CONF_HISTORY: Final = "history"
CONF_THREADS: Final = "threads"

THREADS_AUTOMATIC: Final = 0
"""Leave it to the engine: one core stays free for Home Assistant."""
