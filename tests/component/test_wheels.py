"""Choosing and installing wheels from the component's folder."""

import base64
import contextlib
import hashlib
import importlib.metadata
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from homeassistant.core import HomeAssistant
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import Tag, parse_tag, sys_tags

from custom_components.homellm_edge import wheels
from custom_components.homellm_edge.wheels import (
    InstallError,
    Package,
    async_ensure_installed,
    choose_wheel,
)

PACKAGE = Package("homellm_edge", "0.1.0", "homellm_edge")
ALPINE = [
    *parse_tag("cp314-cp314-musllinux_1_2_aarch64"),
    *parse_tag("cp314-none-musllinux_1_2_aarch64"),
    *parse_tag("py3-none-musllinux_1_2_aarch64"),
    *parse_tag("py3-none-any"),
]
GOOD = "homellm_edge-0.1.0-cp314-cp314-musllinux_1_2_aarch64.whl"
OTHERS = [
    "homellm_edge-0.1.0-cp311-cp311-musllinux_1_2_aarch64.whl",
    "homellm_edge-0.1.0-cp314-cp314-musllinux_1_2_x86_64.whl",
    "homellm_edge-0.1.0-cp314-cp314-manylinux_2_28_aarch64.whl",
    "homellm_edge-0.2.0-cp314-cp314-musllinux_1_2_aarch64.whl",
    "homellm_edge-0.1.0+local-cp314-cp314-musllinux_1_2_aarch64.whl",
    "homellm_edge_extra-0.1.0-py3-none-any.whl",
    "diskcache-5.6.3-py3-none-any.whl",
]
MALFORMED = [
    "homellm_edge-0.1.0.whl",
    "homellm_edge-0.1.0-cp314.whl",
    "homellm_edge-0.1.0-cp314-cp314-musllinux_1_2_aarch64.whl.part",
    "homellm edge-0.1.0-cp314-cp314-musllinux_1_2_aarch64.whl",
    "homellm_edge-zero-cp314-cp314-musllinux_1_2_aarch64.whl",
    "../homellm_edge-0.1.0-cp314-cp314-musllinux_1_2_aarch64.whl/..",
    "",
]


@given(st.lists(st.sampled_from(OTHERS + MALFORMED)), st.randoms())
def test_the_fitting_wheel_is_found_among_any_others(names, random) -> None:
    names = [*names, GOOD]
    random.shuffle(names)
    assert choose_wheel(names, PACKAGE, ALPINE) == GOOD


@given(st.lists(st.sampled_from(OTHERS + MALFORMED) | st.text(max_size=80)))
def test_no_other_wheel_is_ever_chosen(names) -> None:
    chosen = None
    with contextlib.suppress(InstallError):
        chosen = choose_wheel(names, PACKAGE, ALPINE)
    assert chosen is None


@given(
    st.permutations(
        [
            "homellm_edge-0.1.0-py3-none-any.whl",
            "homellm_edge-0.1.0-py3-none-musllinux_1_2_aarch64.whl",
            GOOD,
        ]
    )
)
def test_the_most_specific_tag_wins(names) -> None:
    assert choose_wheel(names, PACKAGE, ALPINE) == GOOD


def test_compressed_tag_sets_and_name_spellings_count() -> None:
    name = "Homellm.Edge-0.1.0-py2.py3-none-any.whl"
    assert choose_wheel([name], PACKAGE, ALPINE) == name


@pytest.mark.parametrize(
    ("name", "key"),
    [(OTHERS[0], "wheel_wrong_platform"), (OTHERS[3], "wheel_wrong_version")],
)
def test_the_reason_names_the_wheel(name: str, key: str) -> None:
    with pytest.raises(InstallError) as caught:
        choose_wheel([name], PACKAGE, ALPINE)
    assert caught.value.key == key
    assert caught.value.placeholders["found"] == name
    assert caught.value.placeholders["package"] == "homellm_edge==0.1.0"


def test_this_platform_accepts_its_own_tag() -> None:
    tag: Tag = next(sys_tags())
    name = f"homellm_edge-0.1.0-{tag}.whl"
    assert choose_wheel([name], PACKAGE, list(sys_tags())) == name


async def test_nothing_is_done_when_all_is_there(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(wheels, "WHEELS", tmp_path / "does not exist")
    await async_ensure_installed(hass)


async def test_a_missing_wheel_is_named_with_the_platform(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _need(hass, monkeypatch, tmp_path, "homellm-probe")
    with pytest.raises(InstallError) as caught:
        await async_ensure_installed(hass)
    assert caught.value.key == "wheel_missing"
    assert caught.value.placeholders["package"] == "homellm-probe==1.0"
    assert caught.value.placeholders["platform"] == next(sys_tags()).platform


async def test_skip_pip_is_respected(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _need(hass, monkeypatch, tmp_path, "homellm-probe")
    monkeypatch.setattr(hass.config, "skip_pip", True)
    with pytest.raises(InstallError, match="skip_pip"):
        await async_ensure_installed(hass)


async def test_wheels_are_installed_without_an_index(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Home Assistant's own installer takes package and dependency from the folder."""
    _need(hass, monkeypatch, tmp_path, "homellm-probe")
    _write_wheel(tmp_path, "homellm-probe", requires="homellm-probe-helper")
    _write_wheel(tmp_path, "homellm-probe-helper")
    _no_index(monkeypatch)
    await async_ensure_installed(hass)
    assert importlib.metadata.version("homellm-probe") == "1.0"
    assert importlib.metadata.version("homellm-probe-helper") == "1.0"
    assert "UV_OFFLINE" not in wheels.os.environ
    assert "UV_FIND_LINKS" not in wheels.os.environ


async def test_a_replaced_wheel_of_the_same_name_counts(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _need(hass, monkeypatch, tmp_path, "homellm-probe")
    _no_index(monkeypatch)
    site = tmp_path / "site"
    for build in ("first", "second"):
        _write_wheel(tmp_path, "homellm-probe", build=build)
        await async_ensure_installed(hass)
        assert (site / "homellm_probe.py").read_text().endswith(f"# {build}\n")
        shutil.rmtree(site / "homellm_probe-1.0.dist-info")
        (site / "homellm_probe.py").unlink()


async def test_a_failing_installation_says_why(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _need(hass, monkeypatch, tmp_path, "homellm-probe")
    _write_wheel(tmp_path, "homellm-probe", requires="homellm-probe-absent")
    _no_index(monkeypatch)
    with pytest.raises(InstallError) as caught:
        await async_ensure_installed(hass)
    assert caught.value.key == "install_failed"
    assert "homellm-probe" in caught.value.placeholders["error"]


async def test_another_version_in_use_needs_a_restart(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _need(hass, monkeypatch, tmp_path, "homellm-probe")
    _write_wheel(tmp_path, "homellm-probe")
    _no_index(monkeypatch)
    monkeypatch.setitem(sys.modules, "homellm_probe", type(sys)("homellm_probe"))
    sys.modules["homellm_probe"].__version__ = "0.9"
    with pytest.raises(InstallError, match="restart_required"):
        await async_ensure_installed(hass)


def _need(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, folder: Path, name: str
) -> None:
    """Make the integration need that package, from that folder, into that folder."""
    site = folder / "site"
    site.mkdir()
    package = Package(name, "1.0", name.replace("-", "_"))
    monkeypatch.setattr(wheels, "PACKAGES", (package,))
    monkeypatch.setattr(wheels, "WHEELS", folder)
    monkeypatch.setattr(wheels, "installer_options", lambda _: {"target": str(site)})
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(hass.config, "skip_pip", False)  # the test plugin says so


def _no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package index that refuses every connection, as on a machine without a net."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


def _write_wheel(
    folder: Path, name: str, *, requires: str = "", build: str = ""
) -> None:
    module = name.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    if requires:
        metadata += f"Requires-Dist: {requires}\n"
    files = {
        f"{module}.py": f"__version__ = '1.0'  # {build}\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = f"{info}/RECORD"
    lines = [f"{path},{_digest(text)}" for path, text in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""])
    with zipfile.ZipFile(folder / f"{module}-1.0-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={digest.rstrip(b'=').decode()},{len(text)}"
