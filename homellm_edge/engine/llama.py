"""The in-process engine: a GGUF model, a llama.cpp context, one thread that owns it.

`LlamaEngine.load` blocks; everything after it is asyncio. The thread serves one request
at a time: generations in the order of arrival, refreshes when nobody waits for an
answer, what can wait when nothing else is to do. A refresh that runs gives way to a
generation and goes on after it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal, Self

from homellm_edge import __version__
from homellm_edge._llama_decode import Decoder, Sampler
from homellm_edge.engine.base import Request, Sampling, Usage
from homellm_edge.engine.identity import cache_identity, model_digest, verdicts
from homellm_edge.engine.library import Library, load_library
from homellm_edge.engine.model import (
    KV_TYPES,
    ModelInfo,
    available_memory,
    check_memory,
    estimate_memory,
    inspect_model,
)
from homellm_edge.engine.output import OutputFilter
from homellm_edge.engine.probe import probe_model
from homellm_edge.engine.worker import GenerateJob, RefreshJob, Worker
from homellm_edge.errors import EngineError, ModelError
from homellm_edge.grammar.constraint import (
    Constraint,
    Constraints,
    Tokenize,
    Vocabulary,
)
from homellm_edge.grammar.keeping import Keeping
from homellm_edge.grammar.tokens import TokenTrie
from homellm_edge.kv import plans
from homellm_edge.kv.memo import MEMO_BYTES
from homellm_edge.kv.session import Cut, Session
from homellm_edge.kv.store import DAILY_BYTES, Store
from homellm_edge.models.catalogue import known_plan
from homellm_edge.prompt.blocks import Prompt

KvType = Literal["f32", "f16", "q8_0"]
KvPlan = Literal["auto", "block", "causal", "prefix"]

_log = logging.getLogger(__name__)
_BATCH = 512
_STORE_FOLDER = "kv"
_MEMO_SHARE = 4
_OWN_FORMATS = ("chatml", "grounded")
_WITHOUT_HOME = ("grounded",)  # formats whose prompt has no lines to keep
_SPACE_ADDING = (1, 4)  # vocabulary types SPM and UGM


class LlamaEngine:
    """Implements `engine.base.Backend` on llama.cpp. Made by `load` only."""

    def __init__(self, native: _Native, info: ModelInfo) -> None:
        self._info = info
        self._native = native
        self._worker = Worker(
            self._generate, self._refresh, native.session.idle, native.decoder
        )
        self._closing: asyncio.Future[None] | None = None
        self._worker.start()

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        n_ctx: int | None = None,
        n_threads: int | None = None,
        kv_type: KvType = "f16",
        flash_attention: bool | None = None,
        kv_plan: KvPlan = "auto",
        memo_bytes: int | None = None,
        daily_bytes: int = DAILY_BYTES,
        probe: bool = True,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Check and load a model; blocks for as long as reading the file takes.

        `n_ctx` is in tokens, by default 4096 or what the model was trained for if that
        is less. `n_threads` is by default one less than there are cores. With `probe` a
        child process loads the model first, so that a crash there cannot end this
        process; what passed is remembered in `cache_dir`, and so are, if it is given,
        the vocabulary's trie, compiled grammars and the KV cache of the home, of which
        at most `daily_bytes` a day are written. `flash_attention` None lets llama.cpp
        decide. `kv_plan` is explained in `homellm_edge.kv.plans`; `memo_bytes` bounds
        the lines that its block plan remembers, by default to 64 MiB or a quarter of
        the memory that is left if that is less. Raises ModelError,
        NotEnoughMemoryError, CpuError or EngineError.
        """
        info = inspect_model(path)
        if n_ctx is None:
            n_ctx = info.usual_context
        if n_ctx < 1:
            raise EngineError(f"a context of {n_ctx} tokens is not possible")
        needed = estimate_memory(
            info,
            n_ctx,
            kv_type=kv_type,
            n_batch=min(_BATCH, n_ctx),
            n_seq_max=plans.sequences(
                plans.choose(kv_plan, plans.Memory(), trained=info.attention),
                plans.Memory(),
            ),
            flash_attention=flash_attention is not False,
        )
        available = available_memory()
        check_memory(needed, available)
        if memo_bytes is None:
            memo_bytes = min(MEMO_BYTES, (available - needed) // _MEMO_SHARE)
        if probe:
            probe_model(info, cache_dir=cache_dir)
        library = load_library()
        native = _Native(
            library,
            info,
            n_ctx=n_ctx,
            n_threads=n_threads or default_threads(),
            kv_type=kv_type,
            flash_attention=flash_attention,
            kv_plan=kv_plan,
            memo_bytes=memo_bytes,
            daily_bytes=daily_bytes,
            cache_dir=Path(cache_dir) if cache_dir else None,
        )
        return cls(native, info)

    @property
    def prompt_format(self) -> str:
        """The dialect that the model file names, `chatml` when it names none."""
        return self._info.prompt_format or "chatml"

    @property
    def info(self) -> ModelInfo:
        """What the model file says about the model."""
        return self._info

    @property
    def n_ctx(self) -> int:
        """Size of the context in tokens."""
        return self._native.decoder.n_ctx

    @property
    def kv_plan(self) -> str:
        """The plan in force: `block`, `causal` or `prefix`."""
        return self._native.kv_plan

    @property
    def cut(self) -> Cut:
        """What of the last prompt had no room in the context."""
        return self._native.session.cut

    @property
    def lines(self) -> tuple[str, ...]:
        """Texts of the home's blocks in the cache; exact while nothing runs."""
        return self._native.session.plan.lines

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a text as in the middle of a prompt. Not after `close`."""
        return self._native.tokenize(text, False).tolist()

    def generate(self, request: Request, usage: Usage) -> AsyncIterator[bytes]:
        """Yield the output's bytes as they arrive, never cut inside a character.

        Closing the iterator early cancels the generation. Raises GrammarError,
        ContextFullError, EngineError, TurnCancelledError.
        """
        return self._stream(request, usage, time.perf_counter())

    async def refresh(self, prompt: Prompt) -> int:
        """Bring header and blocks into the KV cache ahead of a question.

        Returns the number of tokens evaluated; 0 when a later refresh came before this
        one began. Raises ContextFullError, EngineError, TurnCancelledError.
        """
        job = RefreshJob(prompt, asyncio.get_running_loop())
        self._worker.submit(job)
        try:
            return await job.future
        except asyncio.CancelledError:
            self._worker.cancel(job)
            raise

    async def close(self) -> None:
        """Cancel what runs, end the thread, free context and model."""
        if self._closing is None:
            loop = asyncio.get_running_loop()
            self._closing = loop.run_in_executor(None, self._shut_down)
        await asyncio.shield(self._closing)

    def _shut_down(self) -> None:
        self._worker.stop()
        self._native.session.save()
        self._native.constraints.save()
        self._native.close()

    async def _stream(
        self, request: Request, usage: Usage, started: float
    ) -> AsyncIterator[bytes]:
        job = GenerateJob(request, usage, asyncio.get_running_loop(), started)
        self._worker.submit(job)
        try:
            async for chunk in job.chunks():
                yield chunk
        finally:
            self._worker.cancel(job)

    # What follows runs in the worker's thread.

    def _refresh(self, job: RefreshJob) -> None:
        decoder = self._native.decoder
        before = decoder.decoded
        try:
            self._native.session.refresh(job.prompt)
        finally:  # an interrupted one has cost something, too
            job.evaluated += decoder.decoded - before

    def _generate(self, job: GenerateJob) -> None:
        request = job.request
        native = self._native
        sampler = _sampler(native.decoder, request.sampling)
        constraint = None
        if request.grammar is not None:
            constraint = native.constraints.begin(request.grammar)
        try:
            self._decode(job, sampler, constraint)
        finally:
            native.session.settle()

    def _decode(
        self, job: GenerateJob, sampler: Sampler, constraint: Constraint | None
    ) -> None:
        decoder, session = self._native.decoder, self._native.session
        request, usage = job.request, job.usage
        limit = min(request.max_tokens, session.prepare(request.prompt))
        usage.left_out = session.cut.blocks
        usage.turns_left_out = session.cut.turns
        output = OutputFilter(request.stop)
        written: list[int] = []
        # What the grammar begins with anyway is decoded together with the prompt.
        run = array("i")
        if constraint is not None:
            run = constraint.forced(written, 0)[: max(limit, 0)]
        asked = session.ask(run if len(run) < limit else ())
        usage.evaluated += asked.evaluated
        usage.reused += asked.reused
        usage.forced += len(run)
        in_cache = True
        while True:
            written.extend(run)
            job.send(output.feed(b"".join(map(decoder.piece, run))))
            if output.stopped or len(written) >= limit or _is_finished(constraint):
                break
            if not in_cache:
                session.extend(run)
            in_cache = False
            token = next_token(decoder, sampler, constraint)
            if token < 0 or decoder.is_end(token):
                break
            run = array("i", [token])
            if constraint is not None:
                constraint.accept(token)
                run = constraint.forced([*written, token], len(written)) or run
            usage.sampled += 1
            usage.forced += len(run) - 1
            del run[limit - len(written) :]
        job.send(output.finish())


def next_token(
    decoder: Decoder, sampler: Sampler, constraint: Constraint | None
) -> int:
    """The next token; the best one is tried before any mask is made."""
    token = decoder.sample(sampler)
    if constraint is None or constraint.allows(token):
        return token
    # Drawing again among the allowed ones leaves their odds as a mask would make them.
    token = decoder.sample_among(sampler, constraint.candidates())
    if token < 0 and decoder.has_end:
        raise EngineError(
            "the model has no token for what the grammar asks for next",
            "use another model or grammar",
        )
    return token


def _is_finished(constraint: Constraint | None) -> bool:
    return constraint is not None and constraint.finished


class _Native:
    """Model, context and what is built on them; freed together by `close`."""

    def __init__(
        self,
        library: Library,
        info: ModelInfo,
        *,
        n_ctx: int,
        n_threads: int,
        kv_type: KvType,
        flash_attention: bool | None,
        kv_plan: KvPlan,
        memo_bytes: int,
        daily_bytes: int,
        cache_dir: Path | None,
    ) -> None:
        self._calls = library.calls
        self._model: Any = None
        self._context: Any = None
        try:
            self._model = _load_model(library, info.path)
            memory = _memory(library, self._model)
            self.kv_plan = plans.choose(
                kv_plan,
                memory,
                trained=info.attention,
                known=_known_plan(info, cache_dir),
            )
            self._context = _make_context(
                library,
                self._model,
                n_ctx,
                n_threads,
                kv_type,
                flash_attention,
                plans.sequences(self.kv_plan, memory),
            )
            vocab = self._calls.llama_model_get_vocab(self._model)
            self.decoder = _make_decoder(
                library,
                self._context,
                vocab,
                n_ctx,
                info,
                plans.guard(self.kv_plan, memory),
            )
        except BaseException:
            self.close()
            raise
        self._adds_space = self._calls.llama_vocab_type(vocab) in _SPACE_ADDING
        self._add_bos = info.prompt_format not in _OWN_FORMATS and bool(
            self._calls.llama_vocab_get_add_bos(vocab)
        )
        store = None
        if cache_dir is not None and info.prompt_format not in _WITHOUT_HOME:
            settings: dict[str, object] = {
                "kv_type": kv_type,
                "flash_attention": flash_attention,
                "threads": n_threads > 1,
            }
            identity = cache_identity(info, library, cache_dir, settings)
            try:
                store = Store(
                    cache_dir / _STORE_FOLDER, identity, daily_bytes=daily_bytes
                )
            except EngineError as err:
                _log.warning("The KV cache is not kept over a restart: %s", err)
        self.session: Session = plans.make_session(
            self.kv_plan,
            self.decoder,
            self.tokenize,
            memory,
            store=store,
            memo_bytes=memo_bytes,
        )
        keeping = Keeping(cache_dir, __version__) if cache_dir else None
        self.constraints = _constraints(self.decoder, self.tokenize_output, keeping)

    def tokenize(self, text: str, first: bool) -> array[int]:
        """Tokens of a block of a prompt; `first` is true at the prompt's start."""
        data = text.encode(errors="replace")
        if first:
            return self.decoder.tokenize(data, self._add_bos, True)
        return self._inside(data, True)

    def tokenize_output(self, data: bytes) -> array[int]:
        """Tokens of an output; the text of a control token stays text."""
        return self._inside(data, False)

    def _inside(self, data: bytes, parse_special: bool) -> array[int]:
        if self._adds_space:
            # These put a space before a text. A line feed in front takes it, and
            # both are dropped again.
            lead = self.decoder.tokenize(b"\n", False, parse_special)
            tokens = self.decoder.tokenize(b"\n" + data, False, parse_special)
            if tokens[: len(lead)] == lead:
                return tokens[len(lead) :]
        return self.decoder.tokenize(data, False, parse_special)

    def close(self) -> None:
        """Free context and model; safe to call twice."""
        if hasattr(self, "decoder"):
            self.decoder.close()
        if self._context:
            self._calls.llama_free(self._context)
            self._context = None
        if self._model:
            self._calls.llama_model_free(self._model)
            self._model = None


def default_threads() -> int:
    """One less than the cores this process may use, at least one."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


def _load_model(library: Library, path: Path) -> Any:
    calls = library.calls
    params = calls.llama_model_default_params()
    params.n_gpu_layers = 0
    library.errors.clear()
    model = calls.llama_model_load_from_file(os.fsencode(path), params)
    if not model:
        raise ModelError(
            f"llama.cpp cannot load {path} ({library.why()})",
            "use a model that this version of llama.cpp supports",
        )
    return model


def _make_context(
    library: Library,
    model: Any,
    n_ctx: int,
    n_threads: int,
    kv_type: KvType,
    flash_attention: bool | None,
    sequences: int,
) -> Any:
    calls = library.calls
    params = calls.llama_context_default_params()
    params.n_ctx = n_ctx
    params.n_batch = params.n_ubatch = min(_BATCH, n_ctx)
    params.n_seq_max = sequences
    params.n_outputs_max = sequences  # fewer than sequences would abort the process
    params.kv_unified = True
    params.n_threads = params.n_threads_batch = n_threads
    params.type_k = params.type_v = KV_TYPES[kv_type][0]
    params.swa_full = True
    params.no_perf = True
    if flash_attention is not None:
        params.flash_attn_type = int(flash_attention)
    library.errors.clear()
    context = calls.llama_init_from_model(model, params)
    if not context:
        raise EngineError(
            f"llama.cpp cannot make a context ({library.why()})",
            "use a smaller context or the KV type f16",
        )
    return context


def _known_plan(info: ModelInfo, cache_dir: Path | None) -> str:
    """What the gate found for this very file, else what the catalogue says."""
    if cache_dir is not None and info.prompt_format not in _WITHOUT_HOME:
        verdict = verdicts(cache_dir).get(model_digest(info, cache_dir))
        if verdict is not None:
            return verdict
    return known_plan(info.architecture, info.name)


def _memory(library: Library, model: Any) -> plans.Memory:
    calls = library.calls
    return plans.Memory(
        cuttable=not (
            calls.llama_model_is_recurrent(model) or calls.llama_model_is_hybrid(model)
        ),
        window=max(0, calls.llama_model_n_swa(model)),
    )


def _make_decoder(
    library: Library, context: int, vocab: int, n_ctx: int, info: ModelInfo, guard: int
) -> Decoder:
    try:
        return Decoder(library.api, context, vocab, min(_BATCH, n_ctx), guard)
    except ValueError as err:
        raise ModelError(
            f"{info.path} is no model that writes text ({err})", "use another model"
        ) from err


def _sampler(decoder: Decoder, sampling: Sampling) -> Sampler:
    return Sampler(
        decoder,
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        min_p=sampling.min_p,
        typical_p=sampling.typical_p,
        seed=sampling.seed & 0xFFFFFFFF,
    )


def _constraints(
    decoder: Decoder, tokenize: Tokenize, keeping: Keeping | None
) -> Constraints:
    def named(text: str) -> int | None:
        tokens = decoder.tokenize(text.encode(), False, True)
        return tokens[0] if len(tokens) == 1 else None

    pieces, allowed = decoder.pieces()
    make = keeping.trie if keeping is not None else TokenTrie
    trie = make(pieces, allowed, decoder.end_tokens())
    return Constraints(Vocabulary(trie, tokenize, named), keeping=keeping)
