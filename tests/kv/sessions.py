"""Sessions on engines that are exact to the last digit, and what they answer."""

from __future__ import annotations

from array import array

import numpy as np

from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.kv.session import Session
from homellm_edge.prompt.blocks import Prompt


def asked(engine: LlamaEngine, prompt: Prompt, session: Session | None = None):
    """Ask a question; its logits."""
    session = session or engine._native.session
    session.prepare(prompt)
    session.ask()
    return np.array(engine._native.decoder.logits())


def answer(engine: LlamaEngine, prompt: Prompt, count: int = 6) -> list[int]:
    """Ask, and go on greedily; the tokens. Ends the turn."""
    session, decoder = engine._native.session, engine._native.decoder
    logits = asked(engine, prompt)
    tokens: list[int] = []
    for _ in range(count):
        if decoder.is_end(best := int(logits.argmax())):
            break
        tokens.append(best)
        session.extend(array("i", tokens[-1:]))
        logits = np.array(decoder.logits())
    session.settle()
    return tokens


def tokens_of(engine: LlamaEngine, prompt: Prompt) -> list[int]:
    """The tokens of the plain text, part by part."""
    tokenize = engine._native.tokenize
    turns = [text for turn in prompt.turns for text in turn]
    out = tokenize(prompt.header, True)
    for text in (*(b.text for b in prompt.blocks), *turns, prompt.question):
        if text:
            out += tokenize(text, False)
    return out.tolist()
