"""The store of KV cache pieces: damage, budget, bounds, troubles of the disk."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from homellm_edge.errors import EngineError
from homellm_edge.kv import store as module
from homellm_edge.kv.store import Store, digest

REPOSITORY = Path(__file__).parents[2]
DAY = 86_400
BLOCK = 4096
HEADER = 120
START = 20_000 * DAY + 1000.0  # some day in 2024
OWN = digest(b"identity")
OTHER = digest(b"another")
NAME = digest(b"name")
CONTENT = b"a piece of the cache"
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
"""Most tests write here: thousands of files take long on a busy disk."""


class Clock:
    def __init__(self, seconds: float = START) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


class Meter:
    """Bytes that really went into files, in whole blocks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.size = 0
        replace = Path.replace

        def counted(path: Path, target: Path) -> Path:
            self.size += blocks(path.stat().st_size)
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", counted)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        yield Path(name) / "deep" / "kv"


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """One folder for all examples of a property."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        yield Path(name)


def blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def path_of(folder: Path, name: bytes = NAME, identity: bytes = OWN) -> Path:
    return folder / identity.hex() / f"{name.hex()}.kv"


def blob_file(
    content: bytes = CONTENT,
    *,
    magic: bytes = b"homellmK",
    version: int = 1,
    order: str = "=",
    identity: bytes = OWN,
    name: bytes = NAME,
    length: int | None = None,
) -> bytes:
    """The format, written down a second time; the checksum is right."""
    length = len(content) if length is None else length
    fields = struct.pack(
        f"{order}8sIIQ32s32s", magic, version, 0x01020304, length, identity, name
    )
    return fields + hashlib.sha256(fields + content).digest() + content


def record_file(day: int, behind: int, size: int) -> bytes:
    content = struct.pack("=qqQ", day, behind, size)
    return blob_file(content, identity=bytes(32), name=bytes(32))


def lay(path: Path, data: bytes | bytearray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def on_disk(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*"))


def total(folder: Path) -> int:
    return sum(blocks(path.stat().st_size) for path in on_disk(folder))


def names(count: int, salt: bytes = b"") -> list[bytes]:
    return [digest(salt, bytes([n >> 8, n & 255])) for n in range(count)]


# Round trip


def test_what_was_put_is_there_after_a_restart(folder: Path) -> None:
    store = Store(folder, OWN)
    assert not store.has(NAME)
    assert store.get(NAME) is None
    assert store.put(NAME, CONTENT)
    for again in (store, Store(folder, OWN)):
        assert again.has(NAME)
        assert again.get(NAME) == CONTENT
    assert path_of(folder).read_bytes() == blob_file()


@pytest.mark.parametrize("size", [0, 1, BLOCK - HEADER, BLOCK, 3_000_001])
def test_any_length_comes_back(folder: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    assert Store(folder, OWN).put(NAME, content)
    assert Store(folder, OWN).get(NAME) == content


def test_nothing_is_made_before_the_first_put_and_then_for_the_owner_only(
    folder: Path,
) -> None:
    store = Store(folder, OWN)
    assert store.get(NAME) is None
    assert not store.has(NAME)
    assert store.remaining > 0
    store.trim()
    assert not folder.exists()
    assert store.put(NAME, CONTENT)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / OWN.hex()).stat().st_mode) == 0o700
    for path in (path_of(folder), folder / "written"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {path.name for path in folder.iterdir()} == {OWN.hex(), "written"}


def test_what_is_there_is_not_written_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Store(folder, OWN).put(NAME, CONTENT)
    meter = Meter(monkeypatch)
    one, two = Store(folder, OWN), Store(folder, OWN, daily_bytes=0)
    assert one.put(NAME, CONTENT)
    assert two.put(NAME, CONTENT)
    assert meter.size == 0
    (fresh,) = names(1)
    assert one.put(fresh, b"by another instance")
    assert meter.size
    assert two.put(fresh, b"by another instance")  # not in its listing, and no budget


def test_identities_do_not_see_each_other(folder: Path) -> None:
    assert Store(folder, OWN).put(NAME, CONTENT)
    other = Store(folder, OTHER)
    assert other.get(NAME) is None
    assert not other.has(NAME)
    assert other.put(NAME, b"different")
    assert Store(folder, OWN).get(NAME) == CONTENT


def test_a_name_that_is_no_digest_is_a_miss(folder: Path) -> None:
    store = Store(folder, OWN)
    for name in (b"", b"short", bytes(33)):
        assert not store.put(name, CONTENT)
        assert store.get(name) is None
        assert not store.has(name)
    with pytest.raises(ValueError, match="32 bytes"):
        Store(folder, b"short")


def test_a_digest_depends_on_where_parts_end() -> None:
    made = [
        digest(),
        digest(b""),
        digest(b"", b""),
        digest(b"ab", b"c"),
        digest(b"a", b"bc"),
        digest(b"abc"),
        digest((1).to_bytes(8, "little") + b"a"),
        digest(b"a"),
    ]
    assert {len(one) for one in made} == {32}
    assert len(set(made)) == len(made)
    assert digest(b"a") == hashlib.sha256(b"\x01" + bytes(7) + b"a").digest()


@pytest.mark.parametrize(
    "place", ["www/kv", "config/media/kv", "WWW", "x/../media/../kv"]
)
def test_a_folder_that_is_served_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(EngineError, match="over HTTP; choose") as caught:
        Store(tmp_path / place, OWN)
    assert caught.value.cure


def test_a_link_into_a_served_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "innocent").symlink_to(tmp_path / "www")
    with pytest.raises(EngineError, match="'www'"):
        Store(tmp_path / "innocent" / "kv", OWN)
    assert Store(tmp_path / "wwwroot" / "multimedia", OWN).put(NAME, CONTENT)


def test_a_folder_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(EngineError, match="choose another"):
        Store(Path("a\0b"), OWN)


# Damage


def is_a_miss_and_made_anew(folder: Path) -> None:
    store = Store(folder, OWN)
    assert store.get(NAME) is None
    assert not store.has(NAME)
    assert store.put(NAME, CONTENT)
    assert store.get(NAME) == CONTENT
    assert Store(folder, OWN).get(NAME) == CONTENT


DAMAGED = {
    "empty": b"",
    "header only": blob_file()[:HEADER],
    "half a header": blob_file()[:50],
    "last byte missing": blob_file()[:-1],
    "a byte more": blob_file() + b"\0",
    "another kind": blob_file(magic=b"homellmG"),
    "another version": blob_file(version=2),
    "another byte order": blob_file(order=">" if sys.byteorder == "little" else "<"),
    "another identity": blob_file(identity=OTHER),
    "forged name": blob_file(name=digest(b"other name")),
    "claims less": blob_file(length=len(CONTENT) - 1),
    "claims very much": blob_file(length=1 << 63),
    "noise": random.Random(1).randbytes(500),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_file_that_does_not_check_out_is_removed(folder: Path, data: bytes) -> None:
    path = lay(path_of(folder), data)
    store = Store(folder, OWN)
    assert store.has(NAME)
    assert store.get(NAME) is None
    assert not path.exists()
    lay(path, data)
    is_a_miss_and_made_anew(folder)


def test_a_good_file_by_the_test_s_own_writer_is_read(folder: Path) -> None:
    lay(path_of(folder), blob_file())
    assert Store(folder, OWN).get(NAME) == CONTENT


def test_a_renamed_file_is_a_miss(folder: Path) -> None:
    store = Store(folder, OWN)
    one, two = names(2)
    assert store.put(one, b"one")
    assert store.put(two, b"two")
    path_of(folder, one).replace(path_of(folder, two))
    assert store.get(two) is None
    assert store.get(one) is None
    assert not store.has(one)
    assert not store.has(two)


def test_every_bit_and_every_length_is_checked(scratch: Path) -> None:
    path, good = path_of(scratch / "bits"), blob_file(b"12345")
    store = Store(scratch / "bits", OWN)
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        lay(path, bad)
        assert store.get(NAME) is None, f"bit {bit}"
        assert not path.exists()
    for length in range(len(good)):
        lay(path, good[:length])
        assert store.get(NAME) is None, f"length {length}"
    lay(path, good)
    assert store.get(NAME) == b"12345"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3 * BLOCK), st.data())
def test_one_flipped_bit_or_a_truncation_is_a_miss(
    scratch: Path, content: bytes, data: st.DataObject
) -> None:
    folder = scratch / "flip"
    good = blob_file(content)
    bad = bytearray(good)
    if data.draw(st.booleans()):
        bit = data.draw(st.integers(0, 8 * len(good) - 1))
        bad[bit // 8] ^= 1 << bit % 8
    else:
        del bad[data.draw(st.integers(0, len(good) - 1)) :]
    lay(path_of(folder), bad)
    assert Store(folder, OWN).get(NAME) is None
    lay(path_of(folder), good)
    assert Store(folder, OWN).get(NAME) == content


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=400), st.booleans())
def test_any_bytes_as_files_are_no_error(
    scratch: Path, blob: bytes, record: bytes, begins_well: bool
) -> None:
    folder = scratch / "any"
    start = blob_file()[:88] if begins_well else b""
    lay(path_of(folder), start + blob)
    lay(folder / "written", record)
    store = Store(folder, OWN)
    store.trim()
    assert store.get(NAME) is None
    assert store.remaining == 0
    assert not store.put(NAME, CONTENT)


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    outside = lay(tmp_path / "outside", blob_file())
    path_of(folder).parent.mkdir(parents=True)
    path_of(folder).symlink_to(outside)
    is_a_miss_and_made_anew(folder)
    assert not path_of(folder).is_symlink()
    assert outside.read_bytes() == blob_file()


def test_a_link_as_the_folder_of_an_identity_is_not_followed(
    folder: Path, tmp_path: Path
) -> None:
    lay(path_of(tmp_path / "outside"), blob_file())
    folder.mkdir(parents=True)
    (folder / OWN.hex()).symlink_to(tmp_path / "outside" / OWN.hex())
    store = Store(folder, OWN, total_bytes=BLOCK)
    assert store.get(NAME) is None
    assert not store.has(NAME)
    assert not any(store.put(name, CONTENT) for name in names(3))
    store.trim()
    assert on_disk(tmp_path / "outside") == [path_of(tmp_path / "outside")]


def test_a_directory_in_the_place_of_a_file_is_a_miss(folder: Path) -> None:
    path_of(folder).mkdir(parents=True)
    lay(path_of(folder) / "precious", b"not ours")
    store = Store(folder, OWN)
    assert store.get(NAME) is None
    assert not store.has(NAME)
    assert not store.put(NAME, CONTENT)
    store.trim()
    assert (path_of(folder) / "precious").exists()
    assert len(on_disk(folder)) == 1  # no leftover


def test_a_pipe_in_the_place_of_a_file_does_not_make_us_wait(folder: Path) -> None:
    path_of(folder).parent.mkdir(parents=True)
    os.mkfifo(path_of(folder))
    is_a_miss_and_made_anew(folder)


def test_a_file_in_the_place_of_a_folder_is_a_miss(folder: Path) -> None:
    lay(folder, b"a file")
    store = Store(folder, OWN)
    assert store.get(NAME) is None
    assert not store.put(NAME, CONTENT)
    assert not store.has(NAME)
    store.trim()
    assert folder.read_bytes() == b"a file"


def test_what_was_damaged_after_a_look_is_written_anew(folder: Path) -> None:
    store, path = Store(folder, OWN), path_of(folder)
    assert store.put(NAME, CONTENT)
    path.write_bytes(blob_file()[:-1])
    assert store.put(NAME, CONTENT)
    assert path.read_bytes() == blob_file()
    path.unlink()
    path.symlink_to("x" * len(blob_file()))  # lstat shows the same size
    assert store.put(NAME, CONTENT)
    assert path.read_bytes() == blob_file()


def test_a_sparse_file_beyond_all_bounds_is_not_read(folder: Path) -> None:
    path = lay(path_of(folder), blob_file(length=1 << 40))
    os.truncate(path, (1 << 40) + HEADER)
    store = Store(folder, OWN)
    assert store.get(NAME) is None
    assert not path.exists()


def test_no_descriptor_stays_open(folder: Path) -> None:
    path_of(folder).mkdir(parents=True)
    store = Store(folder, OWN)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in (NAME, *names(5)):
        store.get(name)
        store.put(name, CONTENT)
        lay(path_of(folder, digest(name)), b"damaged")
        store.get(digest(name))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_each_kind_of_trouble_is_logged_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(folder, OWN)
    for name in names(5):
        lay(path_of(folder, name), b"damaged")
        assert store.get(name) is None
    assert len(caplog.records) == 1
    assert "damaged" in caplog.text
    for name in names(5):
        path_of(folder, name).mkdir()
        assert store.get(name) is None
        assert not store.put(name, CONTENT)
    assert len(caplog.records) == 3
    lay(path_of(folder), b"damaged")
    assert Store(folder, OWN).get(NAME) is None  # another instance says it again
    assert len(caplog.records) == 4
    assert all(record.name == module.__name__ for record in caplog.records)


def test_an_ordinary_miss_is_not_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = Store(folder, OWN)
    for _ in range(2):
        assert store.get(NAME) is None
        store.trim()
        assert store.put(digest(NAME), CONTENT)
    assert not caplog.records


# The budget

DAILY = 100 * BLOCK


def fill(store: Store, salt: bytes, most: int = 150) -> int:
    """Put blobs of one block until one is refused; how many were put."""
    for count, name in enumerate(names(most, salt)):
        if not store.put(name, CONTENT):
            return count
    return most


def test_a_day_has_a_budget_and_midnight_gives_a_new_one(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(monkeypatch)
    store = Store(folder, OWN, daily_bytes=DAILY, now=clock)
    assert store.remaining == DAILY
    assert 60 < fill(store, b"first") < 100
    assert DAILY - 2 * BLOCK <= meter.size <= DAILY
    assert store.remaining < 2 * BLOCK
    clock.seconds = 20_001 * DAY - 0.5
    assert not store.put(digest(b"late"), CONTENT)
    clock.seconds = 20_001 * DAY
    assert store.remaining == DAILY
    assert 60 < fill(store, b"second") < 100
    assert DAILY < meter.size <= 2 * DAILY


def test_the_budget_is_one_over_restarts_and_identities(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(monkeypatch)
    put = 0
    for name in names(150):
        identity = OWN if name[0] & 1 else OTHER
        store = Store(folder, identity, daily_bytes=DAILY, now=clock)
        put += store.put(name, CONTENT)
    assert meter.size <= DAILY
    assert 30 <= put < 100
    assert store.remaining < 2 * BLOCK
    clock.seconds += DAY
    assert store.put(NAME, CONTENT)


def test_with_the_default_the_record_costs_little(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(monkeypatch)
    store = Store(folder, OWN, now=clock)
    assert store.remaining == module.DAILY_BYTES == 50_000_000
    pieces = [random.Random(n).randbytes(100_000) for n in range(40)]
    for piece in pieces:
        assert store.put(digest(piece), piece)
    blobs = sum(blocks(HEADER + len(piece)) for piece in pieces)
    assert blobs < meter.size <= blobs + 5 * BLOCK
    assert store.remaining == module.DAILY_BYTES - meter.size


def test_a_blob_beyond_the_budget_leaves_it_to_others(
    folder: Path, clock: Clock
) -> None:
    store = Store(folder, OWN, daily_bytes=DAILY, now=clock)
    assert not store.put(NAME, bytes(DAILY))
    assert store.remaining == DAILY
    assert not folder.exists()
    assert store.put(NAME, CONTENT)
    assert not Store(folder, OTHER, daily_bytes=0, now=clock).put(NAME, CONTENT)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"noise",
        record_file(20_000, 20_000, 1)[:-1],
        blob_file(b"short", identity=bytes(32), name=bytes(32)),
        record_file(20_000, 20_000, 1).replace(b"homellmK", b"homellmJ"),
    ],
)
def test_a_damaged_record_means_nothing_before_tomorrow(
    folder: Path, clock: Clock, record: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    lay(folder / "written", record)
    store = Store(folder, OWN, daily_bytes=DAILY, now=clock)
    assert store.remaining == 0
    assert fill(store, b"a") == 0
    assert "what was written today is not known" in caplog.text
    for _ in range(3):
        store = Store(folder, OWN, daily_bytes=DAILY, now=clock)
        assert store.remaining == 0
        assert fill(store, b"b") == 0
    clock.seconds += DAY
    assert store.remaining == DAILY
    assert fill(Store(folder, OWN, daily_bytes=DAILY, now=clock), b"c") > 60


def test_a_record_damaged_each_day_or_removed_gives_no_more_than_a_budget_a_day(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(monkeypatch)
    for day in range(3):
        clock.seconds = START + day * DAY
        store = Store(folder, OWN, daily_bytes=DAILY, now=clock)
        fill(store, bytes([day]))
        (folder / "written").unlink()
        fill(store, bytes([day, 1]))
        lay(folder / "written", b"damaged")
        fill(Store(folder, OWN, daily_bytes=DAILY, now=clock), bytes([day, 2]))
    assert 2 * DAILY < meter.size <= 3 * DAILY + 6 * BLOCK


def test_a_directory_as_the_record_means_that_nothing_is_written(
    folder: Path, clock: Clock
) -> None:
    (folder / "written").mkdir(parents=True)
    store = Store(folder, OWN, now=clock)
    assert store.remaining == 0
    assert not store.put(NAME, CONTENT)
    clock.seconds += 5 * DAY
    assert not store.put(NAME, CONTENT)


@pytest.mark.parametrize("far", [20_001, 30_000, 2**62])
@pytest.mark.parametrize("size", [0, DAILY, 2**64 - 1])
def test_a_record_from_the_future_counts_as_today(
    folder: Path, clock: Clock, far: int, size: int
) -> None:
    lay(folder / "written", record_file(far, far, size))
    store = Store(folder, OWN, daily_bytes=DAILY, now=clock)
    assert store.remaining == max(0, DAILY - size)
    assert store.put(NAME, CONTENT) == (size == 0)
    for _ in range(2):  # the day of the record may be the next one
        clock.seconds += DAY
        store = Store(folder, OWN, daily_bytes=DAILY, now=clock)
        possible = store.put(digest(b"next"), CONTENT)
    assert possible


def test_a_clock_that_is_wrong_at_each_start_gives_one_more_budget(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(monkeypatch)
    for start in range(10):
        clock.seconds = 60.0  # 1970
        store = Store(folder, OWN, daily_bytes=DAILY, now=clock)
        fill(store, bytes([start, 0]))
        clock.seconds = START + start * 60
        fill(store, bytes([start, 1]))
    assert DAILY < meter.size <= 2 * DAILY + 2 * BLOCK


STEPS = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from([0, 1, 3600, DAY, -DAY, 365 * DAY, -10 * 365 * DAY]),
            st.integers(-(10**9), 10**9),
        ),
        st.integers(0, 15),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=20, deadline=None)
@given(STEPS)
@example([(0, 6, False), (-DAY, 0, False), (-DAY, 0, False)])
def test_a_clock_that_jumps_never_blocks_for_ever(
    scratch: Path, steps: list[tuple[int, int, bool]]
) -> None:
    folder = scratch / "jumps"
    shutil.rmtree(folder, ignore_errors=True)
    clock, daily, count = Clock(), 15 * BLOCK, 0

    def store_again() -> Store:
        return Store(folder, OWN, daily_bytes=daily, total_bytes=BLOCK * 9, now=clock)

    store = store_again()
    for jump, puts, restart in steps:
        clock.seconds += jump
        if restart:
            store = store_again()
        before, done = store.remaining, 0
        for _ in range(puts):
            count += 1
            done += store.put(digest(b"jump", count.to_bytes(4, "big")), CONTENT)
        assert done * BLOCK <= before <= daily
        assert 0 <= store.remaining <= before
    # The first day may be the first that is seen of a clock that is behind, the second
    # the very day whose bytes are used up.
    for _ in range(3):
        clock.seconds += DAY
        possible = store_again().put(digest(b"after", os.urandom(8)), CONTENT)
    assert possible


# Bounds of the folder


def test_least_recently_used_blobs_go_first(folder: Path, clock: Clock) -> None:
    store = Store(folder, OWN, total_bytes=4 * BLOCK, now=clock)
    one, two, three, four, five, six = names(6)
    for name in (one, two, three, four):
        assert store.put(name, CONTENT)
    assert store.get(one) == CONTENT
    assert store.put(two, CONTENT)  # is there: counts as a use
    assert store.put(five, bytes(BLOCK))  # two blocks: three and four go
    assert [store.has(name) for name in names(6)] == [1, 1, 0, 0, 1, 0]
    assert store.put(six, CONTENT)
    assert {path.stem for path in on_disk(folder)} == {
        name.hex() for name in (two, five, six)
    }


def test_other_identities_go_first(folder: Path, clock: Clock) -> None:
    own = Store(folder, OWN, total_bytes=4 * BLOCK, now=clock)
    mine = names(4, b"mine")
    for name in mine[:2]:
        assert own.put(name, CONTENT)
    clock.seconds += 5 * DAY
    other = Store(folder, OTHER, total_bytes=4 * BLOCK, now=clock)
    for name in names(2, b"theirs"):
        assert other.put(name, CONTENT)
    own = Store(folder, OWN, total_bytes=4 * BLOCK, now=clock)  # has used none yet
    for count, name in enumerate(mine[2:], start=3):
        assert own.put(name, CONTENT)
        assert len(on_disk(folder)) == 4
        assert all(own.get(each) for each in mine[:count])
    own.trim()
    assert not (folder / OTHER.hex()).exists()  # an empty folder of another goes, too
    assert other.get(names(1, b"theirs")[0]) is None
    assert other.put(NAME, CONTENT)  # and comes again


def test_reading_keeps_a_blob_over_restarts_and_touches_it_once_a_day(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = names(3)
    store = Store(folder, OWN, total_bytes=2 * BLOCK, now=clock)
    for name in (one, two):
        assert store.put(name, CONTENT)
        clock.seconds += 1
    touched: list[object] = []
    utime = os.utime

    def counted(target: Any, times: Any) -> None:
        touched.append(target)
        utime(target, times)

    monkeypatch.setattr(os, "utime", counted)
    for hour in range(30):
        clock.seconds = START + hour * 3600
        assert store.get(one) == CONTENT
    assert touched == [path_of(folder, one)]
    assert path_of(folder, one).stat().st_mtime == START + 24 * 3600
    store = Store(folder, OWN, total_bytes=2 * BLOCK, now=clock)
    assert store.put(three, CONTENT)
    assert [store.has(name) for name in (one, two, three)] == [True, False, True]


def test_a_blob_from_the_future_is_not_kept_for_ever(
    folder: Path, clock: Clock
) -> None:
    one, two, three = names(3)
    clock.seconds += 3000 * DAY
    assert Store(folder, OWN, now=clock).put(one, CONTENT)
    clock.seconds = START
    assert Store(folder, OWN, now=clock).put(two, CONTENT)
    store = Store(folder, OWN, total_bytes=2 * BLOCK, now=clock)
    assert store.put(three, CONTENT)
    assert [store.has(name) for name in (one, two, three)] == [False, True, True]


def test_the_number_of_files_is_bounded(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 10)
    store = Store(folder, OWN, now=clock)
    for count, name in enumerate(names(15), start=1):
        assert store.put(name, b"")
        assert len(on_disk(folder)) == min(count, 10)
    assert [store.has(name) for name in names(15)] == [False] * 5 + [True] * 10


def test_a_blob_larger_than_the_bound_is_refused_and_nothing_is_lost(
    folder: Path, clock: Clock
) -> None:
    store = Store(folder, OWN, total_bytes=2 * BLOCK, now=clock)
    assert store.put(NAME, CONTENT)
    (other,) = names(1)
    assert not store.put(other, bytes(2 * BLOCK - HEADER + 1))
    assert store.get(NAME) == CONTENT
    assert store.put(other, bytes(2 * BLOCK - HEADER))
    assert store.get(NAME) is None


def test_trim_follows_a_smaller_bound_and_leaves_what_is_not_ours(
    folder: Path, clock: Clock
) -> None:
    store = Store(folder, OWN, now=clock)
    for name in names(20):
        assert store.put(name, CONTENT)
    foreign = [
        lay(folder / "notes.txt", b"x" * 9000),
        lay(folder / OWN.hex() / "notes.txt", b"x" * 9000),
        lay(folder / "another folder" / f"{NAME.hex()}.kv", b"x" * 9000),
        lay(folder / OWN.hex() / OTHER.hex() / f"{NAME.hex()}.kv", b"x" * 9000),
    ]
    smaller = Store(folder, OWN, total_bytes=5 * BLOCK, now=clock)
    smaller.trim()
    assert len(list(folder.glob("*/*.kv"))) - 1 == 5
    assert all(path.exists() for path in foreign)


def test_what_another_instance_writes_counts(folder: Path, clock: Clock) -> None:
    bound = 40 * BLOCK
    pair = [
        Store(folder, identity, total_bytes=bound, daily_bytes=DAILY * 20, now=clock)
        for identity in (OWN, OTHER)
    ]
    for n, name in enumerate(names(120)):
        assert pair[n % 2].put(name, CONTENT)
        assert total(folder) <= bound + DAILY * 20 // 50  # a look with each reserve


# Interrupted writes, several writers


def test_leftovers_of_interrupted_writes_are_removed_with_the_next_start(
    folder: Path,
) -> None:
    store = Store(folder, OWN)
    assert store.put(NAME, CONTENT)
    left = [
        lay(folder / OWN.hex() / f"{NAME.hex()}.kv.abc_1234.tmp", b"half"),
        lay(folder / OTHER.hex() / f"{NAME.hex()}.kv.abc_1234.tmp", b"half"),
        lay(folder / "written.abc_1234.tmp", b"half"),
    ]
    foreign = lay(folder / OWN.hex() / "other.tmp", b"")
    with left[0].open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as one that is being written now
        assert Store(folder, OWN).has(NAME)
        assert [path.exists() for path in left] == [True, False, False]
    assert Store(folder, OWN).has(NAME)
    assert not left[0].exists()
    assert foreign.exists()


def test_a_writer_holds_the_lock_until_its_file_is_in_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(folder, OWN)
    assert store.put(digest(b"first"), CONTENT)
    replace, seen = Path.replace, []

    def looked_at(path: Path, target: Path) -> Path:
        Store(folder, OWN).trim()
        seen.append(path.exists())
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", looked_at)
    assert store.put(NAME, CONTENT)
    assert seen == [True]


def content_of(name: bytes) -> bytes:
    return name * (1 + name[0] * 40)


WRITER = """
    import sys
    from pathlib import Path
    sys.path[:0] = [sys.argv[2]]
    from homellm_edge.kv.store import Store, digest
    store = Store(Path(sys.argv[1]), digest(b"identity"), daily_bytes=1 << 40,
                  total_bytes=20 << 20)
    print("ready", flush=True)
    n = 0
    while True:
        name = digest(n.to_bytes(4, "big"))
        assert store.put(name, name * (1 + name[0] * 40))
        n += 1
"""


def test_a_killed_writer_leaves_nothing_that_is_believed(tmp_path: Path) -> None:
    folder = tmp_path / "kv"
    everything = [digest(n.to_bytes(4, "big")) for n in range(20_000)]
    for pause in (0.05, 0.2):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), folder, REPOSITORY],
            stdout=subprocess.PIPE,
        )
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        time.sleep(pause)
        process.kill()
        process.wait()
        process.stdout.close()
        store = Store(folder, OWN, total_bytes=20 << 20)
        there = [name for name in everything if store.has(name)]
        assert there
        assert all(store.get(name) == content_of(name) for name in there)
        assert {path.suffix for path in on_disk(folder)} == {".kv"}


def test_instances_in_threads_do_not_corrupt_each_other(folder: Path) -> None:
    shared = names(30)
    hits: list[bytes] = []
    wrong: list[bytes] = []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        store = Store(folder, OWN, daily_bytes=1 << 40, total_bytes=40 * BLOCK)
        for _ in range(250):
            name = rng.choice(shared)
            action = rng.random()
            if action < 0.5:
                store.put(name, content_of(name))
            elif action < 0.95:
                found = store.get(name)
                if found is not None:
                    (hits if found == content_of(name) else wrong).append(found)
            elif action < 0.97:
                path_of(folder, name).unlink(missing_ok=True)
            else:
                store.trim()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert hits
    store = Store(folder, OWN, total_bytes=40 * BLOCK)
    store.trim()
    assert total(folder) <= 40 * BLOCK
    assert {path.suffix for path in on_disk(folder)} <= {".kv"}


# Troubles of the disk


CALLS: dict[str, tuple[object, str]] = {
    "os.open": (os, "open"),
    "os.fdopen": (os, "fdopen"),
    "os.fstat": (os, "fstat"),
    "os.utime": (os, "utime"),
    "os.scandir": (os, "scandir"),
    "os.stat": (os, "stat"),
    "fcntl.flock": (fcntl, "flock"),
    "tempfile.mkstemp": (tempfile, "mkstemp"),
    "Path.replace": (Path, "replace"),
    "Path.mkdir": (Path, "mkdir"),
    "Path.unlink": (Path, "unlink"),
    "Path.lstat": (Path, "lstat"),
    "Path.rmdir": (Path, "rmdir"),
    "Path.is_symlink": (Path, "is_symlink"),
}
HARMLESS = {"os.utime", "fcntl.flock", "Path.rmdir"}


def failing(code: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", ["ENOSPC", "EACCES", "EIO", "ENOENT"])
def test_a_call_that_fails_is_no_error(
    folder: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    call: str,
    code: str,
) -> None:
    store = Store(folder, OWN, total_bytes=6 * BLOCK, now=clock)
    for name in names(5):
        assert store.put(name, CONTENT)
    lay(path_of(folder, names(1)[0]), b"damaged")
    clock.seconds += DAY
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*CALLS[call], failing(getattr(errno, code)))
        for tried in (store, Store(folder, OWN, total_bytes=6 * BLOCK, now=clock)):
            for _ in range(2):
                for name in (*names(5), *names(3, call.encode())):
                    assert tried.get(name) in (None, CONTENT)
                    assert isinstance(tried.has(name), bool)
                    assert tried.put(name, CONTENT) or call not in HARMLESS
                tried.trim()
                assert tried.remaining >= 0
    assert len(caplog.records) <= 10  # once for each kind and instance, not per file
    clock.seconds += DAY  # a record that could not be read: nothing before tomorrow
    for again in (store, Store(folder, OWN, total_bytes=6 * BLOCK, now=clock)):
        assert again.get(names(1)[0]) in (None, CONTENT)
        assert again.put(NAME, CONTENT)
        assert again.get(NAME) == CONTENT
    assert {path.suffix for path in on_disk(folder)} == {".kv"}
    assert total(folder) <= 6 * BLOCK


@pytest.mark.parametrize("call", ["tempfile.mkstemp", "Path.replace", "os.fdopen"])
def test_what_cannot_be_written_is_false_and_logged_once(
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    store = Store(folder, OWN)
    monkeypatch.setattr(*CALLS[call], failing(errno.EROFS))
    for name in names(5):
        assert not store.put(name, CONTENT)
        assert not store.has(name)
    assert len(caplog.records) == 1
    assert "Read-only file system" in caplog.text


def test_a_full_disk_keeps_nothing_and_leaves_nothing(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(folder, OWN)
    assert store.put(NAME, CONTENT)
    make = tempfile.mkstemp

    def full(**options: Any) -> tuple[int, str]:
        handle, name = make(**options)
        device = os.open("/dev/full", os.O_WRONLY)
        os.dup2(device, handle)  # the kernel's own ENOSPC
        os.close(device)
        return handle, name

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "mkstemp", full)
        for size in (10, 100_000, 2_000_000):
            for name in names(3, bytes([size & 255])):
                assert not store.put(name, bytes(size))
                assert store.get(name) is None
    assert "No space left on device" in caplog.text
    assert len(caplog.records) == 1
    assert on_disk(folder) == [path_of(folder)]
    assert {path.name for path in folder.iterdir()} == {OWN.hex(), "written"}
    assert store.put(names(1)[0], CONTENT)


def test_memory_that_is_short_is_a_miss(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(folder, OWN)
    assert store.put(NAME, CONTENT)

    def fail(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(module, "_header", fail)
    assert store.get(NAME) is None
    assert not store.put(digest(b"other"), CONTENT)
    assert path_of(folder).exists()


def test_a_folder_removed_while_running_is_made_again_within_the_budget(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(monkeypatch)
    store = Store(folder, OWN, daily_bytes=DAILY, now=clock)
    for turn in range(4):
        assert fill(store, bytes([turn]), most=10) == 10
        assert store.has(names(1, bytes([turn]))[0])
        shutil.rmtree(folder)
        assert store.get(names(1, bytes([turn]))[0]) is None
        store.trim()
    fill(store, b"rest")
    assert meter.size <= DAILY


UNWRITABLE = """
    import os, sys
    from pathlib import Path
    sys.path[:0] = [sys.argv[2]]
    from homellm_edge.kv.store import Store, digest
    if os.geteuid() == 0:
        os.seteuid(65534)
    identity, name = digest(b"identity"), digest(b"name")
    store = Store(Path(sys.argv[1]), identity)
    for _ in range(3):
        print(store.put(digest(b"new"), b"x"), store.get(name), store.has(name))
        store.trim()
"""


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "seen"),
    [(0o555, 0o644, True), (0o555, 0o600, False), (0o000, 0o644, False)],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed")
def test_a_folder_without_permission_keeps_nothing(
    folder_mode: int, file_mode: int, seen: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:  # only its owner can enter tmp_path
        top = Path(name)
        top.chmod(0o755)
        assert Store(top / "kv", OWN).put(NAME, CONTENT)
        for path in (path_of(top / "kv"), top / "kv" / "written"):
            path.chmod(file_mode)
        for path in (top / "kv" / OWN.hex(), top / "kv"):
            path.chmod(folder_mode)
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(UNWRITABLE), top / "kv", REPOSITORY],
            capture_output=True,
            check=False,
            text=True,
        )
    assert run.returncode == 0, run.stderr
    found = CONTENT if seen else None
    assert run.stdout.splitlines() == [f"False {found!r} {seen}"] * 3
    said = run.stderr.splitlines()
    assert len(said) == len(set(said)) >= 1
    assert "Permission denied" in run.stderr


# Random operations against a model


@pytest.mark.parametrize("seed", range(4))
def test_random_operations_do_as_a_dictionary_does(
    tmp_path: Path, clock: Clock, seed: int
) -> None:
    """Each step takes more than a day: each use moves the mtime, the order is exact."""
    rng, bound = random.Random(seed), 12 * BLOCK
    model: OrderedDict[bytes, bytes] = OrderedDict()
    known = [digest(bytes([n])) for n in range(30)]
    pieces = {name: rng.randbytes(rng.randrange(3 * BLOCK)) for name in known}

    def size(piece: bytes) -> int:
        return blocks(HEADER + len(piece))

    def again() -> Store:
        return Store(tmp_path, OWN, total_bytes=bound, now=clock)

    store = again()
    for _ in range(300):
        clock.seconds += 1.1 * DAY
        name = rng.choice(known)
        piece, action = pieces[name], rng.random()
        if action < 0.45:
            assert store.put(name, piece)
            if name not in model:
                while sum(map(size, model.values())) + size(piece) > bound:
                    model.popitem(last=False)
            model[name] = piece
            model.move_to_end(name)
        elif action < 0.75:
            assert store.get(name) == model.get(name)
            if name in model:
                model.move_to_end(name)
        elif action < 0.85:
            assert {each for each in known if store.has(each)} == set(model)
        elif action < 0.9 and name in model:
            data = bytearray(path_of(tmp_path, name).read_bytes())
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            path_of(tmp_path, name).write_bytes(data)
            assert store.get(name) is None
            del model[name]
        elif action < 0.93:
            store.trim()
        else:
            store = again()
        assert {path.stem for path in on_disk(tmp_path)} == {n.hex() for n in model}
    assert all(store.get(name) == model.get(name) for name in known)
