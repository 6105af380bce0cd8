"""Pieces of a KV cache kept in files, so that a restart need not read the prompt again.

A file is a header and one blob: magic, version, a mark of the byte order, the length,
the identity, the name and a SHA-256 of all that; it lies in a folder named after the
identity. All of it can be made again: what does not check out is a miss, what cannot be
written is not kept, and neither is an error.

Cards wear out by being written. So there is a budget of bytes for each day (UTC), and
nothing is synced: after a power cut a torn file fails its checksum and costs one miss.
A file counts in whole blocks of 4 KiB with its header, and so does every write of the
record that the budget needs; what fails half-way counts, too.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import re
import stat
import struct
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from homellm_edge.errors import EngineError

DIGEST_BYTES = 32
"""Bytes of a name and of an identity."""
DAILY_BYTES = 50_000_000
"""Bytes that are written in a day."""
TOTAL_BYTES = 256 << 20
"""Bytes of the blobs' files in the folder, of all identities."""
MOST_FILES = 4096
"""Blobs in the folder, of all identities."""

_LOGGER = logging.getLogger(__name__)

_MAGIC = b"homellmK"
_VERSION = 1
_ORDER = 0x01020304
_FIELDS = struct.Struct("=8sIIQ32s32s")
_HEADER_BYTES = _FIELDS.size + hashlib.sha256().digest_size
_BLOCK = 4096
_DAY = 86_400  # seconds

_FOLDER = re.compile(r"[0-9a-f]{64}")
_BLOB = re.compile(r"[0-9a-f]{64}\.kv")
_LEFTOVER = re.compile(r"([0-9a-f]{64}\.kv|written)\.\w+\.tmp")
_RECORD = "written"
_DAYS = struct.Struct("=qqQ")
_NOBODY = bytes(DIGEST_BYTES)
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe must not make us wait
_SERVED = frozenset({"media", "www"})


def digest(*parts: bytes) -> bytes:
    """A name for these parts, 32 bytes; where one part ends matters."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.digest()


class _DamagedError(OSError):
    """A regular file in the place of one of ours that does not check out."""


@dataclass(frozen=True, slots=True)
class _File:
    charge: int
    """Bytes that it counts."""
    mtime: float
    used: int
    """When this instance used it last, counted in uses; 0 if it has not."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written on a day (days since 1970)."""

    day: int
    behind: int
    """The day of a clock that was found to be behind `day`; without one, `day`."""
    size: int

    def on(self, today: int) -> _Written:
        """The same, looked at on another day: a new one begins with nothing.

        The clock of a Pi may be behind at each start and jump ahead then. So a day in
        the future counts as today until the clock that is behind has reached a new day.
        """
        if today > self.day or self.behind < today < self.day:
            return _Written(today, today, 0)
        return replace(self, behind=min(self.behind, today))


class Store:
    """Blobs by name, in a folder that is made when it is needed. Not thread-safe.

    Several instances, of several processes, too, may have the same folder: a file
    appears all at once. Those that write at the very same moment may exceed the bounds
    by what they are writing.

    Which blobs go first: those of other identities; then those that this instance has
    not used, the oldest mtime first; then those used longest ago. Reading sets the
    mtime, for the next start, but once a day at most: that is a write, too.

    `identity` is a digest of all that must be equal for a blob to be of use; `now`
    gives seconds since 1970. Raises EngineError for a folder that Home Assistant serves
    over HTTP, ValueError for an identity that is no digest.
    """

    def __init__(
        self,
        folder: Path,
        identity: bytes,
        *,
        daily_bytes: int = DAILY_BYTES,
        total_bytes: int = TOTAL_BYTES,
        now: Callable[[], float] = time.time,
    ) -> None:
        if len(identity) != DIGEST_BYTES:
            raise ValueError(f"an identity has {DIGEST_BYTES} bytes")
        self._folder = _checked(folder)
        self._own = self._folder / identity.hex()
        self._identity = identity
        self._daily = daily_bytes
        self._total = total_bytes
        self._now = now
        self._known: dict[Path, _File] | None = None
        self._uses = 0
        self._last: _Written | None = None
        self._hand = 0  # bytes that are in the record, but not written yet
        self._hand_day = 0
        self._said: set[str] = set()

    @property
    def remaining(self) -> int:
        """Bytes that may still be written today, headers and the record included."""
        today = self._today()
        hand = self._hand if self._hand_day == today else 0
        return max(0, self._daily - self._record(today)[0].size + hand)

    def get(self, name: bytes) -> bytes | None:
        """The blob of this name; None if there is none that checks out.

        Never raises. A damaged file is removed.
        """
        if len(name) != DIGEST_BYTES:
            return None
        path = self._path(name)
        try:
            self._check_own()
            content, mtime = _load(path, self._identity, name, self._total)
        except (OSError, MemoryError) as err:
            self._forget(path)
            if not isinstance(err, FileNotFoundError):
                self._trouble("a stored piece is not used", err)
            if isinstance(err, _DamagedError):
                self._remove(path)
            return None
        self._use(path, len(content), mtime)
        return content

    def put(self, name: bytes, content: bytes, *, replace: bool = False) -> bool:
        """Keep a blob under a name; whether it is there now.

        What is there already is not written again, unless to `replace` it. False if it
        is beyond the budget, larger than all may be together, or cannot be written.
        Never raises.
        """
        charge = _charge(len(content))
        if len(name) != DIGEST_BYTES or charge > self._total:
            self._say("a piece is too large to be kept", f"{len(content)} bytes")
            return False
        path = self._path(name)
        if not replace and self._is_there(path, name, len(content)):
            return True
        if self._daily <= 0:
            return False
        try:
            self._check_own()
            if not (self._spend(charge) and self._make_room(charge)):
                return False
            self._make_folders(self._folder, self._own)
            now = self._now()
            _write(path, self._identity, name, content, now)
        except (OSError, MemoryError) as err:
            self._trouble("a piece cannot be kept", err)
            return False
        self._use(path, len(content), now)
        return True

    def has(self, name: bytes) -> bool:
        """Whether the folder had this name when it was looked at; `get` may still miss.

        It is looked at once, and again now and then when blobs are put. Never raises.
        """
        return self._path(name) in self._listing()

    def trim(self) -> None:
        """Look at the folder again and bring it within its bounds. Never raises."""
        self._look()
        self._make_room(0)

    def _path(self, name: bytes) -> Path:
        return self._own / f"{name.hex()}.kv"

    def _check_own(self) -> None:
        if self._own.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, "its folder is a link")

    @staticmethod
    def _make_folders(*folders: Path) -> None:
        for folder in folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _is_there(self, path: Path, name: bytes, length: int) -> bool:
        if path in self._listing():
            with suppress(OSError):
                state = path.lstat()
                if stat.S_ISREG(state.st_mode) and (
                    state.st_size == _HEADER_BYTES + length
                ):
                    self._use(path, length, state.st_mtime)
                    return True
        return self.get(name) is not None  # another instance may have written it

    def _use(self, path: Path, length: int, mtime: float) -> None:
        listing = self._listing()
        if path in listing:
            mtime = listing[path].mtime
        now = self._now()
        if abs(now - mtime) >= _DAY and self._daily > 0:
            _touch(path, now)
            mtime = now
        self._uses += 1
        listing[path] = _File(_charge(length), mtime, self._uses)

    def _forget(self, path: Path) -> None:
        if self._known is not None:
            self._known.pop(path, None)

    def _remove(self, path: Path) -> bool:
        try:
            path.unlink(missing_ok=True)
        except OSError as err:
            self._trouble("a file cannot be removed", err)
            return False
        self._forget(path)
        return True

    # What is in the folder

    def _listing(self) -> dict[Path, _File]:
        return self._look() if self._known is None else self._known

    def _look(self) -> dict[Path, _File]:
        """Look at all that is there; remove leftovers and empty folders."""
        found: dict[Path, _File] = {}
        for at, folders, names in os.walk(self._folder, onerror=self._unlisted):
            folder = Path(at)
            top = folder == self._folder
            folders[:] = [name for name in folders if top and _FOLDER.fullmatch(name)]
            for name in names:
                if _LEFTOVER.fullmatch(name):
                    _remove_leftover(folder / name)
                elif _BLOB.fullmatch(name):
                    with suppress(OSError):  # another instance may have removed it
                        found[folder / name] = self._seen(folder / name)
            if not names and not top and folder != self._own:
                with suppress(OSError):
                    folder.rmdir()
        self._known = found
        return found

    def _seen(self, path: Path) -> _File:
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        before = self._known.get(path) if self._known else None
        used = before.used if before else 0
        return _File(_blocks(state.st_size), state.st_mtime, used)

    def _unlisted(self, err: OSError) -> None:
        if not isinstance(err, FileNotFoundError):
            self._trouble("a folder cannot be listed", err)

    def _make_room(self, need: int) -> bool:
        """Remove what goes first until so many bytes fit; 0: nothing will be added."""
        listing = self._listing()
        size = sum(file.charge for file in listing.values()) + need - self._total
        files = len(listing) + bool(need) - MOST_FILES
        if size > 0 or files > 0:
            for path in sorted(listing, key=self._rank):
                charge = listing[path].charge
                if self._remove(path):
                    size, files = size - charge, files - 1
                if size <= 0 and files <= 0:
                    break
        return size <= 0 and files <= 0

    def _rank(self, path: Path) -> tuple[bool, int, bool, float]:
        file = self._listing()[path]
        believed = file.mtime < self._now() + _DAY  # else the clock was wrong then
        return path.parent == self._own, file.used, believed, file.mtime

    # The budget

    def _today(self) -> int:
        return int(self._now() // _DAY)

    def _spend(self, charge: int) -> bool:
        today = self._today()
        if self._hand_day != today:
            self._hand, self._hand_day = 0, today
        if charge > self._hand and not self._reserve(charge - self._hand, today):
            self._say("the bytes for today are used up", level=logging.INFO)
            return False
        self._hand -= charge
        return True

    def _reserve(self, need: int, today: int) -> bool:
        """Take bytes from the budget, more than needed, so that this is seldom done.

        The record is written before the blob: what is interrupted counts. What a
        process has in hand when it ends is lost for that day. Raises OSError.
        """
        record, changed = self._record(today)
        left = self._daily - record.size - _BLOCK
        taken = min(max(need, self._daily // 50), left) if need <= left else 0
        if taken or changed:
            record = replace(record, size=record.size + taken + _BLOCK)
            content = _DAYS.pack(record.day, record.behind, record.size)
            self._make_folders(self._folder)
            _write(self._folder / _RECORD, _NOBODY, _NOBODY, content, self._now())
            self._last = record
            self._hand += taken
            self._look()  # others may have written, too
        return taken > 0

    def _record(self, today: int) -> tuple[_Written, bool]:
        """What was written today, and whether the file does not say so yet.

        If it cannot be read, it may be everything: nothing is written before tomorrow.
        """
        try:
            content, _ = _load(self._folder / _RECORD, _NOBODY, _NOBODY, _DAYS.size)
            day, behind, size = _DAYS.unpack(content)
            found = _Written(day, behind, min(size, 1 << 60))
        except FileNotFoundError:
            found = self._last or _Written(today, today, 0)
        except (OSError, struct.error) as err:
            self._say("what was written today is not known", str(err))
            return _Written(today, today, self._daily), True
        return found.on(today), found.on(today) != found

    def _trouble(self, what: str, err: OSError | MemoryError) -> None:
        reason = err.strerror if isinstance(err, OSError) else "not enough memory"
        self._say(f"{what}: {reason}", str(err))

    def _say(self, what: str, detail: str = "", level: int = logging.WARNING) -> None:
        if what not in self._said:
            self._said.add(what)
            _LOGGER.log(level, "KV cache on disk: %s (%s)", what, detail)


def _checked(folder: Path) -> Path:
    try:
        real = Path(os.path.realpath(folder))
    except (OSError, ValueError) as err:
        raise EngineError(
            f"the KV cache cannot be kept in {str(folder)!r}: {err}",
            "choose another folder",
        ) from err
    for part in (*folder.absolute().parts, *real.parts):
        if part.casefold() in _SERVED:
            raise EngineError(
                f"the KV cache cannot be kept in {folder}: Home Assistant serves"
                f" folders named {part!r} over HTTP",
                "choose a folder outside of it",
            )
    return real


def _blocks(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _charge(length: int) -> int:
    return _blocks(_HEADER_BYTES + length)


def _touch(target: Path | int, when: float) -> None:
    with suppress(OSError, OverflowError):  # then it seems to be older than it is
        os.utime(target, (when, when))


def _header(identity: bytes, name: bytes, content: bytes) -> bytes:
    fields = _FIELDS.pack(_MAGIC, _VERSION, _ORDER, len(content), identity, name)
    checksum = hashlib.sha256(fields)
    checksum.update(content)
    return fields + checksum.digest()


def _write(
    path: Path, identity: bytes, name: bytes, content: bytes, when: float
) -> None:
    """Write a file all at once, mode 0600. Raises OSError."""
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=path.name + ".", suffix=".tmp"
    )
    try:
        with os.fdopen(handle, "wb") as file:
            with suppress(OSError):  # the lock says that this is no leftover
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(_header(identity, name, content))
            file.write(content)
            file.flush()  # not synced: see the module's docstring
            _touch(handle, when)
            Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _remove_leftover(path: Path) -> None:
    """Remove what an interrupted write left."""
    with suppress(OSError):
        handle = os.open(path, _READ)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(handle)


def _load(
    path: Path, identity: bytes, name: bytes, largest: int
) -> tuple[bytes, float]:
    """The content of a file, and its mtime.

    Raises:
        _DamagedError: it is no file of this identity and name that checks out.
        OSError: it cannot be read.
    """
    handle = os.open(path, _READ)
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        length = state.st_size - _HEADER_BYTES
        if 0 <= length <= largest:
            with os.fdopen(handle, "rb", closefd=False) as file:
                header = file.read(_HEADER_BYTES)
                fields = _FIELDS.pack(_MAGIC, _VERSION, _ORDER, length, identity, name)
                if header.startswith(fields):  # else it need not be read
                    content = file.read(length)
                    if header == _header(identity, name, content):
                        return content, state.st_mtime
    finally:
        os.close(handle)
    raise _DamagedError(
        errno.EBADMSG,
        "damaged, or of another model, release or machine",
        str(path),
    )


__all__ = [
    "DAILY_BYTES",
    "DIGEST_BYTES",
    "MOST_FILES",
    "TOTAL_BYTES",
    "Store",
    "digest",
]
