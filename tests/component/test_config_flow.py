"""The forms: choosing a model, every way in which that fails, and the options."""

import struct
from pathlib import Path

import pytest
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from pytest_homeassistant_custom_component.common import MockConfigEntry

import homellm_edge.engine.model as engine_model
from custom_components.homellm_edge import wheels
from support import DOMAIN


@pytest.fixture(autouse=True)
def _no_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are made here, not set up."""
    import custom_components.homellm_edge as integration

    async def setup(*_: object) -> bool:
        return True

    monkeypatch.setattr(integration, "async_setup_entry", setup)
    monkeypatch.setattr(integration, "async_unload_entry", setup)


@pytest.fixture
async def step(home: HomeAssistant):
    """Start a flow and submit forms; returns the last result."""

    async def run(*inputs: dict) -> dict:
        flow = home.config_entries.flow
        result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        for user_input in inputs:
            assert result["type"] is FlowResultType.FORM
            result = await flow.async_configure(result["flow_id"], user_input)
        await home.async_block_till_done()
        return result

    return run


async def test_the_first_form_offers_both_models(step) -> None:
    result = await step()
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    assert not result["errors"]


async def test_the_embedded_model_takes_one_step_and_no_data(step, model) -> None:
    model("default.gguf")
    result = await step({"model": "default"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {}
    assert result["title"] == "HomeLLM Edge"
    again = await step({"model": "default"})
    assert (again["type"], again["reason"]) == (
        FlowResultType.ABORT,
        "already_configured",
    )


async def test_a_model_file(step, model, tmp_path: Path) -> None:
    path = model("my-model.gguf")
    link = tmp_path / "link.gguf"
    link.symlink_to(path)
    result = await step({"model": "file"}, {"model_path": f" {link} "})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {"model_path": str(path)}
    assert result["title"] == "my-model"
    again = await step({"model": "file"}, {"model_path": str(path)})
    assert again["reason"] == "already_configured"


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("absent.gguf", None, "missing_file"),
        ("nul\0.gguf", None, "missing_file"),
        ("", b"", "missing_file"),
        ("letter.gguf", b"Dear home,\n" * 20, "not_gguf"),
        ("old.gguf", b"GGUF" + struct.pack("<IQQ", 1, 0, 0) * 9, "unsupported"),
    ],
)
async def test_a_bad_file_shows_the_form_again(
    step, tmp_path: Path, name: str, content: bytes | None, error: str
) -> None:
    if content:
        (tmp_path / name).write_bytes(content)
    result = await step({"model": "file"}, {"model_path": f"{tmp_path}/{name}"})
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "file")
    assert result["errors"] == {"base": error}
    assert result["description_placeholders"]["error"]


async def test_an_empty_file_is_no_model(step, tmp_path: Path) -> None:
    (tmp_path / "empty.gguf").touch()
    result = await step({"model": "file"}, {"model_path": f"{tmp_path}/empty.gguf"})
    assert result["errors"] == {"base": "not_gguf"}


async def test_a_relative_path_is_refused(step) -> None:
    result = await step({"model": "file"}, {"model_path": "models/x.gguf"})
    assert result["errors"] == {"base": "not_absolute"}


@pytest.mark.parametrize("length", [3000, -1])
async def test_a_cut_off_model_is_truncated(step, model, length: int) -> None:
    path = model("cut.gguf")
    path.write_bytes(path.read_bytes()[:length])
    result = await step({"model": "file"}, {"model_path": str(path)})
    assert result["errors"] == {"base": "truncated"}


async def test_too_little_memory_is_told(
    step, model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_model, "available_memory", lambda: 1 << 20)
    result = await step({"model": "file"}, {"model_path": str(model("big.gguf"))})
    assert result["errors"] == {"base": "no_memory"}


async def test_a_mistake_can_be_corrected(step, model) -> None:
    result = await step(
        {"model": "file"},
        {"model_path": "/absent.gguf"},
        {"model_path": str(model("good.gguf"))},
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_platform_without_wheel_is_a_form_error(
    step, home: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = wheels.Package("homellm-absent", "1.0", "homellm_absent")
    monkeypatch.setattr(wheels, "PACKAGES", (package,))
    monkeypatch.setattr(wheels, "WHEELS", tmp_path)
    monkeypatch.setattr(home.config, "skip_pip", False)
    result = await step({"model": "default"})
    assert result["errors"] == {"base": "cannot_install"}
    assert "homellm-absent==1.0" in result["description_placeholders"]["error"]


async def test_options(home: HomeAssistant) -> None:
    entry = MockConfigEntry(domain=DOMAIN)
    entry.add_to_hass(home)
    flow = home.config_entries.options
    result = await flow.async_init(entry.entry_id)
    with pytest.raises(InvalidData, match="persona"):
        await flow.async_configure(result["flow_id"], {"persona": "{{ broken"})
    result = await flow.async_configure(
        result["flow_id"],
        {"persona": "You are {{ ha_name }}.", "max_tokens": 99.0, "history": 0},
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "persona": "You are {{ ha_name }}.",
        "max_tokens": 99,
        "history": 0,
        "threads": 0,
        "context": 0,
        "kv_plan": "auto",
        "kv_daily_mb": 50,
    }
    assert isinstance(entry.options["max_tokens"], int)


async def test_options_of_the_kv_cache(home: HomeAssistant) -> None:
    entry = MockConfigEntry(domain=DOMAIN)
    entry.add_to_hass(home)
    flow = home.config_entries.options
    result = await flow.async_init(entry.entry_id)
    for wrong in ({"kv_plan": "best"}, {"kv_daily_mb": -1}):
        with pytest.raises(InvalidData, match=next(iter(wrong))):
            await flow.async_configure(result["flow_id"], wrong)
    given = {"kv_plan": "block", "kv_daily_mb": 0.0, "context": 8192.0, "threads": 2.0}
    result = await flow.async_configure(result["flow_id"], given)
    assert entry.options == given
    assert all(type(entry.options[k]) is int for k in given if k != "kv_plan")
    shown = (await flow.async_init(entry.entry_id))["data_schema"].schema
    suggested = {str(k): (k.description or {}).get("suggested_value") for k in shown}
    assert {k: suggested[k] for k in given} == given
