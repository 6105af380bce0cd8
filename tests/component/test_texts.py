"""Manifest, translations and pictures, checked as Home Assistant reads them."""

import json
import re
import struct
from pathlib import Path

import pytest
from homeassistant.loader import async_get_integration

import custom_components.homellm_edge as integration
import homellm_edge
from custom_components.homellm_edge import config_flow, const, wheels
from homellm_edge.kv import plans

FOLDER = Path(integration.__file__).parent
LANGUAGES = ("en", "de")


def _texts(language: str) -> dict[str, str]:
    return _flat(_json(f"translations/{language}.json"))


def _json(name: str) -> dict:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def _flat(tree: dict, path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{path}{key}.")
        else:
            found[f"{path}{key}"] = value
    return found


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


async def test_the_manifest_is_accepted_and_sorted(hass) -> None:
    found = await async_get_integration(hass, const.DOMAIN)
    assert found.config_flow
    assert found.requirements == []
    assert str(found.version) == homellm_edge.__version__ == const.LIBRARY_VERSION
    keys = list(found.manifest)
    manifest = [k for k in keys if k in _json("manifest.json")]
    assert manifest == ["domain", "name", *sorted(set(manifest) - {"domain", "name"})]


def test_every_language_has_the_same_texts() -> None:
    english, german = (_texts(language) for language in LANGUAGES)
    assert english.keys() == german.keys()
    for key, text in english.items():
        assert text.strip() == text != ""
        assert _placeholders(text) == _placeholders(german[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_in_the_code_has_a_text(language: str) -> None:
    texts = _texts(language)
    code = "".join(path.read_text() for path in FOLDER.glob("*.py"))
    for key in re.findall(r'translation_key="(\w+)"', code):
        if key in ("model", "kv_plan"):
            assert any(name.startswith(f"selector.{key}.options.") for name in texts)
        elif key == "left_out":
            assert {f"issues.{key}.title", f"issues.{key}.description"} <= texts.keys()
        elif key != "agent":  # an icon's key
            assert f"exceptions.{key}.message" in texts
    for key in re.findall(r'ModelFileError\("(\w+)"', code):
        assert f"config.error.{key}" in texts
    for key in set(re.findall(r'InstallError\("(\w+)"', code)):
        assert f"exceptions.{key}.message" in texts
        assert f"issues.{key}.title" in texts
        assert f"issues.{key}.description" in texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_install_texts_use_only_what_an_error_knows(language: str) -> None:
    known = set(wheels.InstallError("any").placeholders) | {"package", "found"}
    for key, text in _texts(language).items():
        if key.startswith("issues.") and "left_out" not in key:
            allowed = {"error"} if "install_failed" in key else set()
            assert _placeholders(text) <= known | allowed, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plan_and_every_option_has_a_text(language: str) -> None:
    texts = _texts(language)
    named = {key.rpartition(".")[2] for key in texts if "selector.kv_plan." in key}
    assert named == set(const.KV_PLANS) == set(plans.PLANS)
    for option in map(str, config_flow._OPTIONS_SCHEMA.schema):
        for kind in ("data", "data_description"):
            assert f"options.step.init.{kind}.{option}" in texts


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_the_icons_have_the_size_that_is_asked_for(name: str, size: int) -> None:
    data = (FOLDER / "brand" / name).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (size, size)
