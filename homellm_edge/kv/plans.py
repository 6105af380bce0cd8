"""Which plan is right for a model, and a session that follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homellm_edge.errors import EngineError
from homellm_edge.kv import block
from homellm_edge.kv.archive import SPAN, Archive, PrefixArchive
from homellm_edge.kv.base import LAST_SEQUENCE, Decoder, Memo, Plan, Tokenizer
from homellm_edge.kv.block import BlockPlan
from homellm_edge.kv.causal import CausalPlan
from homellm_edge.kv.memo import MEMO_BYTES, LineMemo
from homellm_edge.kv.prefix import PrefixPlan
from homellm_edge.kv.session import Session
from homellm_edge.kv.store import Store

AUTO, BLOCK, CAUSAL, PREFIX = "auto", "block", "causal", "prefix"
PLANS = (AUTO, BLOCK, CAUSAL, PREFIX)
"""What can be asked for."""

_SLACK = 0.2
"""Share of the lines' room that the causal plan keeps free for changes."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a model's memory can do.

    `cuttable`: tokens can be taken from its end and its middle; recurrent and hybrid
    models cannot. `window`: tokens that its sliding-window layers see, 0 without any.
    """

    cuttable: bool = True
    window: int = 0


_PLAIN = Memory()


def choose(wanted: str, memory: Memory, *, trained: str = "", known: str = "") -> str:
    """The plan for a model: BLOCK, CAUSAL or PREFIX.

    `wanted` is the user's choice or AUTO, `trained` what the model file names
    (`homellm.attention`), `known` what catalogue or gate say of this model. Without a
    word of any of them it is the exact plan, CAUSAL. Raises EngineError for a choice
    that this memory cannot follow.
    """
    if wanted not in PLANS:
        raise EngineError(
            f"there is no KV plan {wanted!r}", f"use one of {', '.join(PLANS)}"
        )
    if wanted == AUTO:
        best = trained or known
        return best if best in (BLOCK, PREFIX) and memory.cuttable else CAUSAL
    if wanted == BLOCK and not memory.cuttable:
        raise EngineError(
            "this model has a recurrent memory, which has no lines to exchange",
            "use the KV plan causal or auto",
        )
    return wanted


def sequences(plan: str, memory: Memory) -> int:
    """Sequences that the context must be able to decode in for a plan."""
    if not memory.cuttable:
        return 1
    return {BLOCK: block.sequences(), CAUSAL: 3}.get(plan, 1)


def guard(plan: str, memory: Memory) -> int:
    """The decoder's guard sequence for a plan, -1 if it needs none."""
    return LAST_SEQUENCE if memory.window and plan != BLOCK else -1


def make_session(
    plan: str,
    decoder: Decoder,
    tokenize: Tokenizer,
    memory: Memory = _PLAIN,
    *,
    store: Store | None = None,
    memo_bytes: int = MEMO_BYTES,
) -> Session:
    """A session with the plan of that name (not AUTO).

    `store` keeps what is in the cache for the next start; `memo_bytes` bounds the lines
    that are kept in memory. The context must have `sequences(plan, memory)` of them.
    """
    memo = Memo(tokenize)
    archive = None
    whole = not memory.window or memory.window >= SPAN
    if store is not None and memory.cuttable and plan != PREFIX and whole:
        archive = Archive(decoder, store, decoder.n_seq_max - 1)
    makers: dict[str, Callable[[], Plan]] = {
        PREFIX: lambda: PrefixPlan(decoder, memo, cuttable=memory.cuttable),
        CAUSAL: lambda: CausalPlan(
            decoder,
            memo,
            cuttable=memory.cuttable,
            shadowed=not memory.window,
            archive=PrefixArchive(archive) if archive else None,
        ),
        BLOCK: lambda: BlockPlan(
            decoder, memo, states=LineMemo(memo_bytes), archive=archive
        ),
    }
    slack = _SLACK if plan == CAUSAL else 0.0
    return Session(decoder, memo, makers[plan](), slack=slack)
