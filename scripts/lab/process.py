"""The `hass` process: its port, its start, its end, what it logged."""

import asyncio
import ctypes
import fcntl
import hashlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from .problems import LabError
from .settings import Settings, write_settings

BOOT_SECONDS = 300
STOP_SECONDS = 40
_PR_SET_PDEATHSIG = 1
_NOISE = ("[haffmpeg.core]", "[homeassistant.components.camera.img_util]")
"""They miss ffmpeg and libturbojpeg, which nothing here needs."""


def free_port(host: str) -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def check_port(host: str, port: int) -> None:
    """Raise LabError if somebody listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise LabError(
                f"port {port} is reserved for root; take one above 1023: PORT=8124"
            ) from None
        except OSError as err:
            raise LabError(
                f"port {port} of {host} cannot be used ({err.strerror}); "
                f"take another one: PORT={port + 1}"
            ) from None


def check_unused(folder: Path) -> None:
    """Raise LabError if a Home Assistant runs on this configuration folder."""
    lock = folder / ".ha_run.lock"  # Home Assistant's own
    if not lock.exists():
        return
    with lock.open("rb+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(
                f"a Home Assistant runs on {folder} already; "
                "end it with Ctrl-C where it was started"
            ) from None


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[float]:
    """Home Assistant, answering on its port; gives the seconds it took to get there."""
    check_port(settings.host, settings.port)
    check_unused(settings.folder)
    write_settings(settings)
    await asyncio.to_thread(_forget_other_wheels, settings)
    # -P and cwd: the checkout has a folder custom_components of its own.
    command = [sys.executable, "-P", "-m", "homeassistant", "--log-no-color"]
    command += ["--config", str(settings.folder)]
    with settings.log.open("wb") as log:
        begin = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=settings.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C is for this program, which then ends Home Assistant in order.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
    try:
        await _answering(settings, process)
        yield time.monotonic() - begin
    finally:
        await asyncio.shield(_stop(process))


def logged_errors(settings: Settings) -> list[str]:
    """First lines of what Home Assistant has logged at level ERROR or worse."""
    text = settings.log.read_text(encoding="utf-8", errors="replace")
    return [
        line
        for line in text.splitlines()
        if (" ERROR (" in line or " CRITICAL (" in line)
        and not any(logger in line for logger in _NOISE)
    ]


async def _answering(settings: Settings, process: asyncio.subprocess.Process) -> None:
    end = time.monotonic() + BOOT_SECONDS
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        while time.monotonic() < end:
            if process.returncode is not None:
                raise LabError(
                    f"Home Assistant ended with {process.returncode} while it booted; "
                    f"read the end of {settings.log}"
                )
            try:
                async with http.get(f"{settings.url}/manifest.json") as reply:
                    await reply.read()
                    return
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.1)
    raise LabError(
        f"Home Assistant did not answer within {BOOT_SECONDS} s; "
        f"read the end of {settings.log}"
    )


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _end_with_parent() -> None:
    """Have the kernel end `hass` if this program dies without ending it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _forget_other_wheels(settings: Settings) -> None:
    """Uninstall a library that an earlier run installed from other wheels.

    The version number does not change while somebody works on the library, so the
    component would take the one that is there for the right one.
    """
    digest = hashlib.sha256()
    for wheel in sorted(settings.folder.glob("custom_components/*/wheels/*.whl")):
        digest.update(wheel.name.encode() + hashlib.sha256(wheel.read_bytes()).digest())
    stamp = Path(sys.prefix, ".installed-wheels")
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    uninstall = [sys.executable, "-m", "uv", "pip", "uninstall", "--quiet"]
    uninstall += ["--python", sys.executable, "homellm-edge", "llama-cpp-python"]
    subprocess.run(uninstall, check=True, stderr=subprocess.DEVNULL)
    stamp.write_text(digest.hexdigest())
