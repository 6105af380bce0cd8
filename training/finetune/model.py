"""The pretrained model and its tokenizer, made ready for a run; LoRA adapters."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile
from typing import Any

import peft
import torch
import transformers
from transformers.utils.hub import cached_file

from .. import TrainingError
from .settings import Settings, modules

PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"
EMBEDDINGS_MULTIPLE = 32
SHARD = "2GB"
_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def load_tokenizer(settings: Settings) -> Any:
    """Load the base's tokenizer, with the tokens that `settings` add."""
    tokenizer: Any
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            settings.base_model, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise _unloadable("tokenizer", settings.base_model, error) from None
    if settings.add_pad_token:
        tokenizer.add_special_tokens({"pad_token": PAD})
    if settings.add_chatml_tokens:
        tokenizer.add_special_tokens({"bos_token": START, "eos_token": END})
        # or every text would begin with it twice
        tokenizer.add_bos_token = False
        tokenizer.chat_template = _TEMPLATE
    return tokenizer


def load_model(settings: Settings, tokenizer: Any, *, quantized: bool = True) -> Any:
    """Load the base, its embeddings large enough for `tokenizer`.

    `quantized=False` leaves out what `settings` say about bits.
    """
    options = _quantization(settings) if quantized else {}
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            settings.base_model,
            dtype=torch.bfloat16 if settings.bf16 else torch.float32,
            trust_remote_code=False,
            use_safetensors=True,
            **options,
        )
    except (OSError, ValueError) as error:
        raise _unloadable("weights", settings.base_model, error) from None
    if hasattr(model.config, "auto_map"):
        del model.config.auto_map  # names code that is neither used nor saved
    _fit_embeddings(model, len(tokenizer))
    _name_special_tokens(model, tokenizer)
    return model


def with_adapters(model: Any, settings: Settings) -> Any:
    """Return `model` with LoRA adapters, nothing but those to be trained."""
    to_save = modules(settings.lora_modules_to_save)
    if settings.load_in_8bit or settings.load_in_4bit or settings.load_as_gptq:
        prepare: Any = peft.prepare_model_for_kbit_training
        model = prepare(model, use_gradient_checkpointing=False)
    if settings.gradient_checkpointing:
        model.enable_input_require_grads()
    config = peft.LoraConfig(
        task_type=peft.TaskType.CAUSAL_LM,
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=modules(settings.lora_modules) or None,
        modules_to_save=to_save or None,
        ensure_weight_tying=bool(to_save) and _tied(model),
    )
    try:
        return peft.get_peft_model(model, config)
    except ValueError as error:
        raise TrainingError(
            f"no adapters can be made: {_line(error)}",
            "name modules of this model with --lora_modules",
        ) from None


def merged(adapted: Any, folder: Path, settings: Settings, tokenizer: Any) -> Any:
    """Return the whole model with the adapters in it.

    Those in `folder` are merged into the base as it is without quantization;
    `adapted` is used up.
    """
    if not (settings.load_in_8bit or settings.load_in_4bit):
        return adapted.merge_and_unload()
    base = load_model(settings, tokenizer, quantized=False)
    return peft.PeftModel.from_pretrained(base, str(folder)).merge_and_unload()


def save(model: Any, tokenizer: Any, folder: Path, base: str) -> None:
    """Write model (or adapters) and tokenizer to `folder`, as safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(folder), max_shard_size=SHARD)
    tokenizer.save_pretrained(str(folder))
    # transformers writes tokenizer.json only; llama.cpp's converter reads this one
    found = cached_file(
        base,
        "tokenizer.model",
        _raise_exceptions_for_gated_repo=False,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    if found is not None:
        copyfile(found, folder / "tokenizer.model")


def _quantization(settings: Settings) -> dict[str, Any]:
    if settings.load_as_gptq:
        _need("gptqmodel", "load_as_gptq")
        _need("optimum", "load_as_gptq")
        return _placed()  # the bits are in the model's own configuration
    if not (settings.load_in_8bit or settings.load_in_4bit):
        return {}
    flag = "load_in_8bit" if settings.load_in_8bit else "load_in_4bit"
    _need("bitsandbytes", flag)
    make: Any = transformers.BitsAndBytesConfig
    config = make(
        load_in_8bit=settings.load_in_8bit,
        load_in_4bit=settings.load_in_4bit,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if settings.bf16 else torch.float32,
    )
    return {"quantization_config": config, **_placed()}


def _placed() -> dict[str, Any]:
    """Quantized weights are made where they stay: each process has a GPU of its own."""
    if not torch.cuda.is_available():
        return {"device_map": {"": "cpu"}}
    return {"device_map": {"": int(os.environ.get("LOCAL_RANK", "0"))}}


def _need(package: str, flag: str) -> None:
    if find_spec(package) is None:
        raise TrainingError(f"--{flag} needs {package}", f"pip install {package}")


def _fit_embeddings(model: Any, tokens: int) -> None:
    """Make room for `tokens`, rounded up; a new one begins as the mean of the others.

    The mean and not something random, so that every load gives the same model.
    """
    had = model.get_input_embeddings().weight.shape[0]
    wanted = -(-tokens // EMBEDDINGS_MULTIPLE) * EMBEDDINGS_MULTIPLE
    if had >= wanted:
        return
    model.resize_token_embeddings(wanted, mean_resizing=False)
    with torch.no_grad():
        output = model.get_output_embeddings()
        for part in (model.get_input_embeddings(), output):
            if part is not None:
                for tensor in (part.weight, getattr(part, "bias", None)):
                    if tensor is not None:
                        tensor[had:] = tensor[:had].float().mean(0).to(tensor.dtype)


def _name_special_tokens(model: Any, tokenizer: Any) -> None:
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        token = getattr(tokenizer, name)
        if token is not None:
            setattr(model.config, name, token)
            if model.generation_config is not None:
                setattr(model.generation_config, name, token)


def _tied(model: Any) -> bool:
    return bool(getattr(model.config.get_text_config(), "tie_word_embeddings", False))


def _unloadable(what: str, base: str, error: Exception) -> TrainingError:
    return TrainingError(
        f"the {what} of {base} cannot be loaded: {_line(error)}",
        "base_model is a folder with config.json, tokenizer and safetensors, "
        "or the name of one on the hub",
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
