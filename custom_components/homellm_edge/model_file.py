"""The model file of an entry: where it is, and what is wrong with it.

The library is imported only inside the functions: this module is loaded together with
the config flow, before the library is installed.
"""

import logging
import os
from pathlib import Path

from homeassistant.core import HomeAssistant

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)


class ModelFileError(Exception):
    """A model that cannot be used; `key` is an error's translation key."""

    def __init__(self, key: str, details: str) -> None:
        self.key = key
        super().__init__(details)


def default_model() -> Path:
    """The embedded default model, which lies in the library's package."""
    from homellm_edge.models import DEFAULT_MODEL

    return DEFAULT_MODEL


def cache_folder(hass: HomeAssistant) -> Path | None:
    """The folder for what the engine remembers, the KV cache of the home among it.

    None, with a warning, where Home Assistant would serve it over HTTP. Blocks.
    """
    folder = Path(hass.config.cache_path(DOMAIN))
    real = Path(os.path.realpath(folder))
    for served in (hass.config.path("www"), *hass.config.media_dirs.values()):
        if real.is_relative_to(os.path.realpath(served)):
            _LOGGER.warning(
                "Nothing is kept in %s, because Home Assistant serves %s over HTTP",
                folder,
                served,
            )
            return None
    return folder


async def async_check_model(hass: HomeAssistant, path: str | None) -> Path:
    """The real path of a usable model (None: the embedded one).

    Loads the file in a child process. Raises ModelFileError.
    """
    return await hass.async_add_executor_job(_check, hass, path)


def _check(hass: HomeAssistant, text: str | None) -> Path:
    try:
        return _usable_model(text, cache_folder(hass))
    except ImportError as err:
        raise ModelFileError("import_failed", str(err)) from err


def _usable_model(text: str | None, cache: Path | None) -> Path:
    import homellm_edge.engine.llama  # noqa: F401  (the compiled parts must load, too)
    from homellm_edge.engine.model import check_memory, estimate_memory, inspect_model
    from homellm_edge.engine.probe import probe_model
    from homellm_edge.errors import EngineError, NotEnoughMemoryError

    path = default_model() if text is None else Path(text.strip())
    if not path.is_absolute():
        raise ModelFileError("not_absolute", str(path))
    try:
        path = path.resolve()
        with path.open("rb") as file:
            magic = file.read(4)
    except (OSError, ValueError) as err:  # ValueError: a NUL in the path
        raise ModelFileError("missing_file", str(err)) from err
    if magic != b"GGUF":
        raise ModelFileError("not_gguf", str(path))
    try:
        info = inspect_model(path)
        check_memory(estimate_memory(info, info.usual_context))
        probe_model(info, cache_dir=cache)
    except NotEnoughMemoryError as err:
        raise ModelFileError("no_memory", str(err)) from err
    except EngineError as err:
        key = "truncated" if "cut off" in err.cause else "unsupported"
        raise ModelFileError(key, str(err)) from err
    return path
