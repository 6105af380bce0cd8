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
CONF_CONTEXT: Final = "context"
CONF_KV_PLAN: Final = "kv_plan"
CONF_KV_DAILY_MB: Final = "kv_daily_mb"

THREADS_AUTOMATIC: Final = 0
"""Leave it to the engine: one core stays free for Home Assistant."""

CONTEXT_AUTOMATIC: Final = 0
"""Leave it to the engine, which knows what the model was trained for."""

KV_PLAN_AUTOMATIC: Final = "auto"
KV_PLANS: Final = (KV_PLAN_AUTOMATIC, "causal", "block", "prefix")
"""How the home lies in the KV cache; the library's `kv.plans` explains them."""

DEFAULT_KV_DAILY_MB: Final = 50
"""Megabytes (10^6 bytes) of KV cache that are written in a day; 0 writes none."""
