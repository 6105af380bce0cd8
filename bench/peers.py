"""The peers, each as its own documentation says it is used."""

from __future__ import annotations

import ctypes
import importlib
import warnings
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engines import Engine, Ours, Run
from regular import regular_expression
from vocabulary import GgufVocabulary
from workloads import grammar_text

ENGINES = ("ours", "llama.cpp", "llguidance", "xgrammar")

_MODULES = {
    "llama.cpp": "llama_cpp",
    "llguidance": "llguidance",
    "xgrammar": "xgrammar",
}


@cache
def missing(name: str) -> str:
    """Why the engine cannot be measured here; empty if it can."""
    module = _MODULES.get(name)
    if module is None:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(module)
    except ImportError as err:
        return f"{name} is not installed ({err}): scripts/ensure-venv bench"
    return ""


def engine(name: str, vocabulary: GgufVocabulary) -> Engine:
    """The engine of that name, its own form of the vocabulary made."""
    kinds: dict[str, type[Engine]] = {
        "ours": Ours,
        "llama.cpp": LlamaCpp,
        "llguidance": LlGuidance,
        "xgrammar": XGrammar,
    }
    return kinds[name](vocabulary)


def _bits(words: NDArray[Any], size: int) -> NDArray[np.bool_]:
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")[:size]
    return bits.astype(np.bool_)


class LlamaCpp(Engine):
    """llama.cpp's grammar sampler as llama-cpp-python applies it: to every token."""

    name = "llama.cpp"
    keeps = False

    def __init__(self, vocabulary: GgufVocabulary) -> None:
        super().__init__(vocabulary)
        import llama_cpp.llama_cpp as lib

        self.lib = lib
        fields = [("id", np.int32), ("logit", np.float32), ("p", np.float32)]
        self.fresh = np.zeros(vocabulary.size, dtype=np.dtype(fields))
        self.fresh["id"] = np.arange(vocabulary.size)
        self.candidates = self.fresh.copy()
        pointer = self.candidates.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
        self._array = lib.llama_token_data_array(pointer, vocabulary.size, -1, False)
        self.array = ctypes.byref(self._array)

    def compile(self, form: str) -> LlamaCppSampler:
        return LlamaCppSampler(self, form)

    def start(self, compiled: LlamaCppSampler) -> Run:
        self.lib.llama_sampler_reset(compiled.handle)
        return LlamaCppRun(self, compiled)

    def read_whole(
        self, compiled: LlamaCppSampler, data: bytes, tokens: list[int]
    ) -> object:
        return self.read_tokens(compiled, tokens)


class LlamaCppSampler:
    """A grammar sampler, freed with this object."""

    def __init__(self, owner: LlamaCpp, form: str) -> None:
        self._free = owner.lib.llama_sampler_free
        self.handle = owner.lib.llama_sampler_init_grammar(
            owner.vocabulary.handle, form.encode(), b"root"
        )
        if not self.handle:
            raise ValueError("llama.cpp refuses the grammar")

    def __del__(self) -> None:
        if self.handle:
            self._free(self.handle)


class LlamaCppRun(Run):
    """One output of llama.cpp's sampler."""

    def __init__(self, owner: LlamaCpp, sampler: LlamaCppSampler) -> None:
        self._owner = owner
        self._sampler = sampler  # kept alive
        self._handle = sampler.handle
        self._apply = owner.lib.llama_sampler_apply
        self._accept = owner.lib.llama_sampler_accept

    def before(self) -> None:
        self._owner.candidates[:] = self._owner.fresh

    def mask(self) -> object:
        return self._apply(self._handle, self._owner.array)

    def accept(self, token: int) -> object:
        return self._accept(self._handle, token)

    def bits(self) -> NDArray[np.bool_]:
        return cast("NDArray[np.bool_]", self._owner.candidates["logit"] == 0)


class LlGuidance(Engine):
    """llguidance.

    Its converter from GBNF makes greedy lexemes of rules, which changes `generic` and
    `home`: these it gets as one regular expression. `json` keeps its meaning.
    """

    name = "llguidance"

    def __init__(self, vocabulary: GgufVocabulary) -> None:
        super().__init__(vocabulary)
        import llguidance

        size = vocabulary.size
        hidden = [token for token, text in enumerate(vocabulary.pieces) if not text]

        class Tokens:
            eos_token_id, bos_token_id = vocabulary.end, None
            special_token_ids = hidden
            tokens = tuple(
                text or b"\xff<%d>" % token
                for token, text in enumerate(vocabulary.pieces)
            )

            def __call__(self, text: str | bytes) -> list[int]:
                data = text.encode() if isinstance(text, str) else text
                return vocabulary.tokenize(data).tolist()

        self._matcher: Any = llguidance.LLMatcher
        self._tokenizer = llguidance.LLTokenizer(
            llguidance.TokenizerWrapper(Tokens()),
            n_vocab=size,
            eos_token=vocabulary.end,
        )
        self.words = np.zeros((size + 31) // 32, dtype=np.int32)

    def form(self, grammar: str) -> str:
        """What the converters make of the grammar; their time is not counted."""
        from llguidance.gbnf_to_lark import gbnf_to_lark

        text = grammar_text(grammar)
        matcher = self._matcher
        if grammar == "json":
            # the converter does not know the escape of a hyphen in a class
            lark = gbnf_to_lark(text.replace(r"[+\-]", "[-+]"))
            return str(matcher.grammar_from_lark(lark))
        return str(matcher.grammar_from_regex(regular_expression(text)))

    def compile(self, form: str) -> Any:
        matcher = self._matcher(self._tokenizer, form, log_level=0)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        return matcher

    def start(self, compiled: Any) -> Run:
        compiled.reset()
        return LlGuidanceRun(self, compiled)

    def read_whole(self, compiled: Any, data: bytes, tokens: list[int]) -> object:
        compiled.reset()
        return compiled.consume_tokens(tokens)


class LlGuidanceRun(Run):
    """One output of llguidance's matcher."""

    def __init__(self, owner: LlGuidance, matcher: Any) -> None:
        self._size = owner.vocabulary.size
        self._words = owner.words
        self._pointer = owner.words.ctypes.data
        self._length = owner.words.nbytes
        self._compute = matcher.unsafe_compute_mask_ptr
        self._consume = matcher.consume_token

    def mask(self) -> object:
        return self._compute(self._pointer, self._length)

    def accept(self, token: int) -> object:
        return self._consume(token)

    def bits(self) -> NDArray[np.bool_]:
        return _bits(self._words, self._size)


class XGrammar(Engine):
    """xgrammar, whose masks are mostly made when it compiles."""

    name = "xgrammar"
    keeps = False

    def __init__(self, vocabulary: GgufVocabulary) -> None:
        super().__init__(vocabulary)
        import torch
        import xgrammar

        torch.set_num_threads(1)
        self._compiler = xgrammar.GrammarCompiler
        self._matcher = xgrammar.GrammarMatcher
        self._tokens = xgrammar.TokenizerInfo(
            list(vocabulary.pieces),
            xgrammar.VocabType.RAW,
            vocab_size=vocabulary.size,
            stop_token_ids=[vocabulary.end],
        )
        self.bitmask = xgrammar.allocate_token_bitmask(1, vocabulary.size)
        self.words = self.bitmask.numpy()[0]

    def compile(self, form: str) -> Any:
        compiler = self._compiler(self._tokens, max_threads=1, cache_enabled=False)
        return compiler.compile_grammar(form)

    def start(self, compiled: Any) -> Run:
        return XGrammarRun(self, self._matcher(compiled))

    def read_whole(self, compiled: Any, data: bytes, tokens: list[int]) -> object:
        return self._matcher(compiled).accept_string(data)


class XGrammarRun(Run):
    """One output of xgrammar's matcher."""

    def __init__(self, owner: XGrammar, matcher: Any) -> None:
        self._size = owner.vocabulary.size
        self._words = owner.words
        self._bitmask = owner.bitmask
        self._fill = matcher.fill_next_token_bitmask
        self._accept = matcher.accept_token

    def mask(self) -> object:
        if not self._fill(self._bitmask):
            self._words[:] = -1  # it writes nothing where everything may follow
        return None

    def accept(self, token: int) -> object:
        return self._accept(token)

    def bits(self) -> NDArray[np.bool_]:
        return _bits(self._words, self._size)
