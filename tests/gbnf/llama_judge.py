"""llama.cpp as the judge of GBNF texts and of strings, character by character.

Fed with single bytes, llama.cpp refuses the first byte of a character when any that
begins like it is excluded. So the vocabulary here has whole characters.
"""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib

from gguf_factory import SPECIAL, write_llama
from homellm_edge.errors import GrammarError
from homellm_edge.grammar.parser import parse

WIDE = "\x7f\x80жψ\u07ff\u0800漢\ud7ff\ue000\uffff\U00010000😀\U0010ffff"
"""The characters beyond ASCII that the judge knows: each length of UTF-8, its ends."""


class Judge:
    """Does llama.cpp take a GBNF text, and which strings does that accept?"""

    def __init__(self, folder: Path) -> None:
        extra = tuple(c for c in WIDE if ord(c) >= 128)
        path = write_llama(folder / "wide.gguf", special=SPECIAL + extra)
        params = lib.llama_model_default_params()
        params.vocab_only = True
        self._model = lib.llama_model_load_from_file(str(path).encode(), params)
        assert self._model
        self._vocab: Any = lib.llama_model_get_vocab(self._model)
        self._end = lib.llama_vocab_eos(self._vocab)
        self._tokens: dict[str, int] = {}
        buffer = ctypes.create_string_buffer(64)
        for token in range(lib.llama_vocab_n_tokens(self._vocab)):
            length = lib.llama_token_to_piece(self._vocab, token, buffer, 64, 0, True)
            try:
                piece = buffer.raw[:length].decode()
            except UnicodeDecodeError:
                continue
            if len(piece) == 1:
                self._tokens.setdefault(piece, token)
        assert set(WIDE) <= set(self._tokens)

    def close(self) -> None:
        lib.llama_model_free(self._model)

    def takes(self, grammar: str) -> bool:
        """Whether llama.cpp can use the text as a grammar."""
        sampler = lib.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
        if sampler:
            lib.llama_sampler_free(sampler)
        return bool(sampler)

    def prefixes(self, grammar: str, text: str) -> list[bool]:
        """For each prefix of the text, the empty one first, whether it matches."""
        sampler = lib.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
        assert sampler, "llama.cpp refuses the grammar"
        found = [self._allowed(sampler, self._end)]
        try:
            for character in text:
                token = self._tokens[character]
                if not self._allowed(sampler, token):
                    break
                lib.llama_sampler_accept(sampler, token)
                found.append(self._allowed(sampler, self._end))
        finally:
            lib.llama_sampler_free(sampler)
        return found + [False] * (len(text) + 1 - len(found))

    def _allowed(self, sampler: Any, token: int) -> bool:
        data = (lib.llama_token_data * 1)(lib.llama_token_data(token, 1.0, 0.0))
        array = lib.llama_token_data_array(
            ctypes.cast(data, ctypes.POINTER(lib.llama_token_data)), 1, -1, False
        )
        lib.llama_sampler_apply(sampler, ctypes.byref(array))
        return bool(data[0].logit > float("-inf"))


def compare(judge: Judge, text: str) -> str:
    """Ask both about a GBNF text; fails where they differ.

    "ok" or "refused", or "unasked" where llama.cpp would hang or crash.
    """
    try:
        parse(text)
    except GrammarError as err:
        refusal = str(err)
    else:
        refusal = ""
    if _never_ends(text) or "by way of empty rules" in refusal or "\0" in text:
        return "unasked"
    if "to start with" in refusal and "root" in text:
        return "unasked"  # named but nowhere defined: llama.cpp crashes
    taken = judge.takes(text)
    if re.search(r"<[^\[]", text) and not refusal:
        return "ok"  # the judge's vocabulary decides, which the parser does not know
    assert taken == (not refusal), (text, refusal or "ours takes it")
    return "ok" if taken else "refused"


def _never_ends(text: str) -> bool:
    """Whether somewhere a maximum is below the minimum: llama.cpp counts round."""
    blank = r"(?:\s|#[^\r\n]*)*"
    return any(
        int(found[2]) < int(found[1])
        for found in re.finditer(rf"\{{{blank}(\d+){blank},{blank}(\d+)", text)
    )
