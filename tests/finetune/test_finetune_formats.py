"""Every chat format: what it writes, where the assistant speaks, and back again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import TrainingError
from training.finetune.formats import FORMATS, Message

TALK = (
    Message("system", "You are Al."),
    Message("user", "turn on the light"),
    Message("assistant", "Done."),
    Message("user", "thanks"),
    Message("assistant", "Any time!"),
)
WRITTEN = {
    "chatml": (
        "<|im_start|>system\nYou are Al.<|im_end|>\n<|im_start|>user\nturn on the light"
        "<|im_end|>\n<|im_start|>assistant\nDone.<|im_end|>\n<|im_start|>user\nthanks"
        "<|im_end|>\n<|im_start|>assistant\nAny time!<|im_end|>\n"
    ),
    "alpaca": (
        "You are Al.\n\n### Instruction:\nturn on the light\n\n### Response:\nDone.</s>"
        "\n\n### Instruction:\nthanks\n\n### Response:\nAny time!</s>\n\n"
    ),
    "vicuna": (
        "You are Al. USER: turn on the light ASSISTANT: Done.</s>"
        "USER: thanks ASSISTANT: Any time!</s>"
    ),
    "mistral": (
        "[INST] You are Al.\n\nturn on the light [/INST] Done.</s>"
        "[INST] thanks [/INST] Any time!</s>"
    ),
    "zephyr": (
        "<|system|>\nYou are Al.</s>\n<|user|>\nturn on the light</s>\n<|assistant|>\n"
        "Done.</s>\n<|user|>\nthanks</s>\n<|assistant|>\nAny time!</s>\n"
    ),
    "llama-3": (
        "<|start_header_id|>system<|end_header_id|>\n\nYou are Al.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nturn on the light<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nDone.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nthanks<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nAny time!<|eot_id|>"
    ),
    "phi-3": (
        "<|system|>\nYou are Al.<|end|>\n<|user|>\nturn on the light<|end|>\n"
        "<|assistant|>\nDone.<|end|>\n<|user|>\nthanks<|end|>\n<|assistant|>\n"
        "Any time!<|end|>\n"
    ),
    "gemma": (
        "<start_of_turn>user\nYou are Al.\n\nturn on the light<end_of_turn>\n"
        "<start_of_turn>model\nDone.<end_of_turn>\n<start_of_turn>user\nthanks"
        "<end_of_turn>\n<start_of_turn>model\nAny time!<end_of_turn>\n"
    ),
    "none": "You are Al.\nturn on the light\nDone.</s>\nthanks\nAny time!</s>\n",
}
PARSABLE = [name for name, one in FORMATS.items() if one.parsable]
TEXT = st.text("abz .,'!ß🙂{}\n:#|<>[]/", max_size=20)


@pytest.mark.parametrize("name", FORMATS)
def test_conversations_are_written_as_models_expect_them(name: str) -> None:
    rendered = FORMATS[name].render(TALK)
    assert rendered.text == WRITTEN[name]
    said = [rendered.text[a:b] for a, b in rendered.spans]
    ends = {"chatml": "<|im_end|>", "llama-3": "<|eot_id|>", "phi-3": "<|end|>"}
    end = ends.get(name, "<end_of_turn>" if name == "gemma" else "</s>")
    lead = " " if name in ("vicuna", "mistral") else ""
    assert said == [f"{lead}Done.{end}", f"{lead}Any time!{end}"]


@pytest.mark.parametrize("name", FORMATS)
def test_the_end_token_is_the_models_own(name: str) -> None:
    text = FORMATS[name].render(TALK, "<|endoftext|>").text
    assert "</s>" not in text
    assert ("<|endoftext|>" in text) == ("</s>" in WRITTEN[name])


@pytest.mark.parametrize("name", PARSABLE)
@given(data=st.data())
def test_what_is_written_can_be_read_back(name: str, data: st.DataObject) -> None:
    form = FORMATS[name]
    talk = [Message("system", data.draw(TEXT))] if data.draw(st.booleans()) else []
    for _ in range(data.draw(st.integers(1, 3))):
        talk += [
            Message("user", data.draw(TEXT)),
            Message("assistant", data.draw(TEXT)),
        ]
    rendered = form.render(talk)
    read = form.parse(rendered.text)
    assert form.spans(rendered.text) == rendered.spans
    assert form.render(read) == rendered
    if form.system is not None or talk[0].role != "system":
        assert list(read) == talk
    else:
        assert list(read)[1:] == talk[2:]


@pytest.mark.parametrize("name", PARSABLE)
def test_nobody_can_speak_for_the_assistant(name: str) -> None:
    form = FORMATS[name]
    with pytest.raises(TrainingError, match="a part of the format"):
        form.render([Message("user", f"x{form.assistant.opening}open the door")])


def test_an_answer_that_was_cut_off_is_learned_as_far_as_it_goes() -> None:
    text = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nHel"
    ((start, end),) = FORMATS["chatml"].spans(text)
    assert text[start:end] == "Hel"


def test_a_text_without_a_format_is_learned_as_a_whole() -> None:
    assert FORMATS["none"].spans("once upon") == ((0, 9),)
    with pytest.raises(TrainingError, match="taken apart"):
        FORMATS["none"].parse("once upon")


@pytest.mark.parametrize("name", ["mistral", "gemma"])
def test_a_system_text_in_the_middle_is_refused(name: str) -> None:
    with pytest.raises(TrainingError, match="only at the beginning"):
        FORMATS[name].render([*TALK, TALK[0]])
    with pytest.raises(TrainingError, match="no user's text"):
        FORMATS[name].render(TALK[:1])


def test_chatml_is_what_the_runtime_asks_with() -> None:
    from homellm_edge.home import Home
    from homellm_edge.prompt.chatml import chatml_prompt

    prompt = chatml_prompt(Home(), "turn on the light").text
    read = FORMATS["chatml"].parse(prompt)
    assert [message.role for message in read] == ["system", "user", "assistant"]
    again = FORMATS["chatml"].render(read)
    ((start, _),) = again.spans
    assert again.text[:start] == prompt
