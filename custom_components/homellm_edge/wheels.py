"""Finds the wheels in this folder's `wheels/` and installs them with HA's installer.

Nothing is fetched when the needed wheels are there. Home Assistant has no setting for
"do not ask the package index", and without a network uv fails on the first index it
cannot reach. So its installer runs in a child process whose environment says so:
the environment of Home Assistant, which installs other things at the same time, must
not change.
"""

import asyncio
import importlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers.singleton import singleton
from packaging.tags import Tag, sys_tags
from packaging.utils import (
    InvalidWheelFilename,
    canonicalize_name,
    parse_wheel_filename,
)

from .const import DOMAIN, ENGINE_VERSION, LIBRARY_VERSION
from .ha_api import installer_options

_LOGGER = logging.getLogger(__name__)

WHEELS = Path(__file__).parent / "wheels"

INSTALL_TIMEOUT = 600
"""Seconds; a safety net, unpacking takes a few seconds on a Raspberry Pi."""

_MAX_ERROR = 400
"""Characters of an error of the installer that are shown."""

_CHILD = """
import json, sys
from homeassistant.util.package import install_package
requirements, options = json.loads(sys.argv[1])
sys.exit(not all(install_package(r, upgrade=False, **options) for r in requirements))
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A package in exactly the version that is needed, and the module it brings."""

    name: str
    version: str
    module: str

    @property
    def requirement(self) -> str:
        """The form that installers read."""
        return f"{self.name}=={self.version}"


PACKAGES = (
    Package("llama-cpp-python", ENGINE_VERSION, "llama_cpp"),
    Package("homellm_edge", LIBRARY_VERSION, "homellm_edge"),
)


class InstallError(Exception):
    """The library cannot be installed; `key` is the translation key of the reason."""

    def __init__(self, key: str, **placeholders: str) -> None:
        self.key = key
        self.placeholders = {
            "platform": next(sys_tags()).platform,
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "folder": f"custom_components/{DOMAIN}/{WHEELS.name}",
            **placeholders,
        }
        details = ", ".join(f"{k}: {v}" for k, v in self.placeholders.items())
        super().__init__(f"{key} ({details})")


async def async_ensure_installed(hass: HomeAssistant) -> None:
    """Install what is missing; returns at once when nothing is.

    Raises InstallError.
    """
    async with _lock(hass):
        if not (missing := await hass.async_add_executor_job(_missing)):
            return
        if hass.config.skip_pip:
            raise InstallError("skip_pip", package=missing[0].requirement)
        await hass.async_add_executor_job(_check_wheels, missing)
        _LOGGER.info("Installing %s", ", ".join(p.requirement for p in missing))
        options = installer_options(hass)
        if error := await _install(missing, options, index=False):
            # A wheel of somebody else (diskcache) may be missing in the folder.
            _LOGGER.debug("Not installable from the folder alone: %s", error)
            error = await _install(missing, options, index=True)
        await hass.async_add_executor_job(importlib.invalidate_caches)
        if error:
            raise InstallError("install_failed", error=error)
        if still := await hass.async_add_executor_job(_missing):
            raise InstallError("restart_required", package=still[0].requirement)


def choose_wheel(
    names: Iterable[str], package: Package, tags: Sequence[Tag]
) -> str | None:
    """The best of these file names for the package on a platform with these tags.

    Raises InstallError `wheel_wrong_version` or `wheel_wrong_platform` if there are
    only others; returns None if no name is a wheel of this package.
    """
    rank = {tag: number for number, tag in enumerate(tags)}
    best: tuple[int, str] | None = None
    others: dict[str, str] = {}
    for name in sorted(names):
        try:
            project, version, _, wheel_tags = parse_wheel_filename(name)
        except InvalidWheelFilename:
            continue
        if project != canonicalize_name(package.name):
            continue
        if str(version) != package.version:
            others.setdefault("wheel_wrong_version", name)
            continue
        ranks = [rank[tag] for tag in wheel_tags if tag in rank]
        if not ranks:
            others["wheel_wrong_platform"] = name  # the nearer miss of the two
            continue
        if best is None or min(ranks) < best[0]:
            best = (min(ranks), name)
    if best:
        return best[1]
    for key in ("wheel_wrong_platform", "wheel_wrong_version"):
        if key in others:
            raise InstallError(key, package=package.requirement, found=others[key])
    return None


@singleton(f"{DOMAIN}_install_lock")
def _lock(hass: HomeAssistant) -> asyncio.Lock:
    return asyncio.Lock()


def _missing() -> list[Package]:
    return [p for p in PACKAGES if _installed_version(p) != p.version]


def _installed_version(package: Package) -> str | None:
    """The version that `import` would give; None if there is none."""
    if loaded := sys.modules.get(package.module):
        return str(getattr(loaded, "__version__", None))
    try:
        return importlib.metadata.version(package.name)
    except importlib.metadata.PackageNotFoundError:
        pass
    if package.module == DOMAIN and importlib.util.find_spec(package.module):
        # A source tree on the path. The engine is never imported here: a library
        # built for another processor would take Home Assistant down with it.
        return str(importlib.import_module(package.module).__version__)
    return None


def _check_wheels(packages: Iterable[Package]) -> None:
    names = [p.name for p in WHEELS.glob("*.whl") if p.is_file()]
    tags = list(sys_tags())
    for package in packages:
        if choose_wheel(names, package, tags) is None:
            raise InstallError("wheel_missing", package=package.requirement)


async def _install(
    packages: Iterable[Package], options: dict[str, object], *, index: bool
) -> str:
    """Run HA's installer in a child process; returns why it failed, or ""."""
    environment = os.environ | {
        "UV_FIND_LINKS": str(WHEELS),
        # uv knows a cached wheel by its file name; a replaced one must count.
        "UV_NO_CACHE": "1",
    }
    if not index:
        environment["UV_OFFLINE"] = "1"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # the current folder must not be searched for modules
        "-c",
        _CHILD,
        json.dumps([[package.requirement for package in packages], options]),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        close_fds=False,  # lets Python use posix_spawn, as Home Assistant does
    )
    try:
        async with asyncio.timeout(INSTALL_TIMEOUT):
            _, output = await process.communicate()
    except TimeoutError:
        return f"the installer did not end within {INSTALL_TIMEOUT} seconds"
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode == 0:
        return ""
    text = " ".join(output.decode(errors="replace").split())
    return text[:_MAX_ERROR] or f"the installer ended with {process.returncode}"
