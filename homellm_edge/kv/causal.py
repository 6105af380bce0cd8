"""The exact plan for any model: what changed is told again behind what it replaces.

`header, snapshot of all lines, changes since` is an ordinary text, read once from left
to right. A changed state appends its own line; when the changes have grown long, a new
snapshot is made in the background, with the lines that change often at its end, so
that most of the old one can stay. While a conversation lives its turns stay where they
are, and changes come behind them.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from homellm_edge._llama_decode import common_prefix
from homellm_edge._prompt_diff import diff
from homellm_edge.errors import ContextFullError
from homellm_edge.kv.archive import PrefixArchive
from homellm_edge.kv.base import MAIN, NO_WORK, Decoder, Evaluated, Memo, TokenRun
from homellm_edge.prompt.blocks import Block, Prompt, Turn, Updates

_SHADOW = 1
"""The sequence in which the next snapshot is made."""

REBASE_SHARE = 0.15
"""A new snapshot is made when the changes are longer than this share of the old one."""

_REBASE_LEAST = 64
_LITTLE_MORE = 2.5
"""A snapshot may cost so many times the changes before they are told alone."""

_CROWDED = 0.75
"""Share of the room from which on it is better to read a snapshot than to wait."""

_SLICE = 128
"""Tokens of a new snapshot that are read at a time."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A block as it was told behind the snapshot: anew, or that it is gone."""

    block: Block
    gone: bool = False

    @property
    def words(self) -> str:
        """What stands in the text."""
        return self.block.gone if self.gone else self.block.text


class CausalPlan:
    """Implements `base.Plan`.

    `cuttable`: False for a memory that cannot be cut (recurrent and hybrid models);
    `shadowed`: whether a new snapshot may be made beside the old one, in sequence 1.
    `archive` keeps the snapshot for the next start.
    """

    def __init__(
        self,
        decoder: Decoder,
        memo: Memo,
        *,
        cuttable: bool = True,
        shadowed: bool = True,
        archive: PrefixArchive | None = None,
    ) -> None:
        self._decoder = decoder
        self._memo = memo
        self._cuttable = cuttable
        self._shadowed = shadowed and cuttable
        self._archive = archive
        self._run = TokenRun(decoder, cuttable=cuttable)
        self._shadow: TokenRun | None = None
        self._shared = 0  # tokens of the shadow that are cells of the run, too
        self._header: str | None = None
        self._words = Updates()
        self._base: tuple[Block, ...] = ()
        self._updates: list[_Told] = []
        self._tail: list[Turn | tuple[_Told, ...]] = []
        self._changes: Counter[str] = Counter()
        self._changed: set[str] = set()  # since the snapshot
        self._wanted: tuple[Block, ...] = ()
        self._tokens = array("i")
        self._limit = decoder.n_ctx

    @property
    def cells(self) -> int:
        """Tokens in the cache."""
        return len(self._run.tokens)

    @property
    def lines(self) -> tuple[str, ...]:
        """The last word on each block."""
        return tuple(block.text for block in self._view().values())

    @property
    def resident(self) -> frozenset[str]:
        """Keys of the blocks that the text tells of."""
        return frozenset(self._view())

    def refresh(self, prompt: Prompt, limit: int, *, urgent: bool = False) -> Evaluated:
        """Append what changed; see `base.Plan`."""
        self._limit = limit
        if prompt.header != self._header or prompt.updates != self._words:
            self._begin(prompt)
        self._wanted = prompt.blocks
        self._follow(prompt.turns)
        self._tell(prompt.blocks)
        tokens = self._resident_tokens()
        if len(tokens) > limit or not (urgent or self._is_worth_telling(tokens)):
            self._compact()
            tokens = self._resident_tokens()
        if self._shadow is not None and len(tokens) + self._extra > limit:
            self._drop_shadow()
        self._tokens = tokens
        cost = self._run.bring(tokens)
        self._run.mark()
        return cost

    def ask(self, tokens: array[int]) -> Evaluated:
        """Decode the question behind everything; see `base.Plan`."""
        wanted = self._tokens + tokens
        if self._shadow is not None and len(wanted) + self._extra > self._limit:
            self._drop_shadow()  # the answer will need its cells
        cost = self._run.bring(wanted, want_logits=True)
        return Evaluated(cost.evaluated, cost.reused - len(self._tokens))

    def extend(self, tokens: array[int]) -> None:
        """Decode tokens of the answer."""
        if self._shadow is not None and (
            self.cells + len(tokens) + self._extra > self._decoder.n_ctx
        ):
            self._drop_shadow()
        self._run.append(tokens, want_logits=True)

    def settle(self) -> None:
        """Keep everything: the next turn of the conversation begins with this one."""

    def forget(self) -> None:
        """Empty the cache."""
        self._decoder.clear()
        self._run = TokenRun(self._decoder, cuttable=self._cuttable)
        self._shadow = None
        self._header = None

    def idle(self) -> float:
        """Read a slice of the next snapshot, if one is due."""
        if not self._rebase_due():
            return NO_WORK
        base = self._quiet_first()
        target = self._snapshot_tokens(base)
        if not self._shadowed or not self._open_shadow(target):
            return self._rebase_in_place()
        shadow = self._shadow
        assert shadow is not None  # noqa: S101 - just opened
        done = len(shadow.tokens)
        try:
            shadow.append(target[done : done + _SLICE])
        except ContextFullError:
            self._drop_shadow()
            return NO_WORK
        if len(shadow.tokens) == len(target):
            self._take_over(base, target)
        return 0.0

    def save(self) -> Iterator[None]:
        """Write the snapshot, but not the changes since."""
        if self._archive is None or self._header is None:
            return
        snapshot = self._snapshot_tokens(self._base)
        there = snapshot[: common_prefix(self._run.tokens, snapshot)]
        yield from self._archive.save(self._header, self._base, there)

    # what the text consists of

    def _begin(self, prompt: Prompt) -> None:
        """Start a new text, from what the archive has of it."""
        self._drop_shadow()
        first = self._header is None
        self._header, self._words = prompt.header, prompt.updates
        self._updates, self._tail, self._changed = [], [], set()
        self._base = ()
        if first and self._archive is not None and not self._run.tokens:
            restored = self._archive.restore(prompt.header, self._memo)
            self._base = restored.blocks
            self._run.adopt(restored.tokens)
        if not self._base:
            quiet = sorted(prompt.blocks, key=lambda block: self._changes[block.key])
            self._base = tuple(quiet)

    def _follow(self, turns: tuple[Turn, ...]) -> None:
        """Keep the turns that are there if the conversation goes on, else drop them."""
        there = tuple(part for part in self._tail if isinstance(part, Turn))
        if turns[: len(there)] != there:
            self._tail, there = [], ()
        self._tail.extend(turns[len(there) :])

    def _tell(self, blocks: tuple[Block, ...]) -> None:
        """Append what is not as the text says."""
        view = self._view()
        before = tuple(view.values())
        found = diff(
            tuple(view),
            tuple(block.text for block in before),
            tuple(block.key for block in blocks),
            tuple(block.text for block in blocks),
        )
        if found.empty:
            return
        changed = [blocks[j] for _, j in found.changed]
        added = [blocks[j] for j in sorted(found.added + [j for _, j in found.renamed])]
        gone = [before[i] for i in found.removed + [i for i, _ in found.renamed]]
        self._changes.update(block.key for block in changed)
        self._changed.update(block.key for block in changed)
        if not all(block.gone for block in gone):
            self._compact()  # what cannot be taken back must not be there
            return
        if not self._updates and not self._tail:
            self._base += tuple(added)
            added = []
        told = [_Told(block) for block in (*changed, *added)]
        told += [_Told(block, gone=True) for block in gone]
        if not told:
            return
        if self._tail:
            self._tail.append(tuple(told))
        else:
            self._updates += told

    def _compact(self) -> None:
        """A new snapshot at once: the changes have no room."""
        self._drop_shadow()
        self._base = self._quiet_first()
        self._updates, self._changed = [], set()
        self._tail = [part for part in self._tail if isinstance(part, Turn)]

    def _view(self) -> dict[str, Block]:
        """What the text says, by key."""
        view = {block.key: block for block in self._base}
        late = [part for part in self._tail if not isinstance(part, Turn)]
        for told in (*self._updates, *(told for part in late for told in part)):
            view.pop(told.block.key, None)  # it was told last, so it stands last
            if not told.gone:
                view[told.block.key] = told.block
        return view

    def _texts(self) -> Iterator[str]:
        """All parts behind the header; each is tokenized alone."""
        words = self._words
        for block in self._base:
            yield block.text
        if self._updates:
            yield words.heading
        for told in self._updates:
            yield told.words
        for part in self._tail:
            if isinstance(part, Turn):
                yield from part
                continue
            yield words.opening
            for told in part:
                yield told.words
            yield words.closing

    def _resident_tokens(self) -> array[int]:
        return self._memo(self._header or "", True) + self._memo.joined(
            list(self._texts())
        )

    def _snapshot_tokens(self, base: tuple[Block, ...]) -> array[int]:
        header = self._memo(self._header or "", True)
        return header + self._memo.joined([block.text for block in base])

    # the next snapshot

    @property
    def _extra(self) -> int:
        """Cells that the shadow has for itself."""
        return len(self._shadow.tokens) - self._shared if self._shadow else 0

    def _is_worth_telling(self, tokens: array[int]) -> bool:
        """False where a new snapshot would follow at once and costs little more."""
        if not self._cuttable or not self._rebase_due():
            return True
        target = self._snapshot_tokens(self._quiet_first())
        told = len(tokens) - common_prefix(self._run.tokens, tokens)
        anew = len(target) - common_prefix(self._run.tokens, target)
        return anew > _LITTLE_MORE * told

    def _rebase_due(self) -> bool:
        if not self._updates or self._tail:
            return False
        changes = self._memo.joined([told.words for told in self._updates])
        base = self._memo.joined([block.text for block in self._base])
        return len(changes) > max(_REBASE_LEAST, int(REBASE_SHARE * len(base)))

    def _rebase_in_place(self) -> float:
        """Make room before a question needs it, where no shadow can be had."""
        if len(self._tokens) > _CROWDED * self._limit:
            self._compact()
            self._tokens = self._resident_tokens()
            self._run.bring(self._tokens)
            self._run.mark()
        return NO_WORK

    def _quiet_first(self) -> tuple[Block, ...]:
        """The present blocks: unchanged ones in their order, then by how restless."""
        present = {block.key: block for block in self._wanted}
        order = [b.key for b in self._base if b.key in present]
        order += [key for key in present if key not in set(order)]
        quiet = [key for key in order if key not in self._changed]
        restless = [key for key in order if key in self._changed]
        restless.sort(key=lambda key: self._changes[key])
        return tuple(present[key] for key in (*quiet, *restless))

    def _open_shadow(self, target: array[int]) -> bool:
        """Have a shadow with what it can share; False: there is no room for one."""
        common = common_prefix(self._run.tokens, target)
        shadow = self._shadow
        if shadow is not None:
            done = common_prefix(shadow.tokens, target)
            if done >= common:
                shadow.cut(done)
                self._shared = min(self._shared, done)
                return True
            self._drop_shadow()
        if len(self._tokens) + len(target) - common > self._limit:
            return False
        shadow = TokenRun(self._decoder, _SHADOW)
        if common:
            self._decoder.copy(MAIN, _SHADOW, 0, common)
            shadow.adopt(target[:common])
        self._shadow, self._shared = shadow, common
        return True

    def _take_over(self, base: tuple[Block, ...], target: array[int]) -> None:
        """Put the shadow in the run's place."""
        common = common_prefix(self._run.tokens, target)
        self._run.cut(common)
        self._decoder.copy(_SHADOW, MAIN, common, -1)
        self._run.adopt(target[common:])
        self._drop_shadow()
        self._base, self._updates, self._changed = base, [], set()
        self._tokens = self._resident_tokens()

    def _drop_shadow(self) -> None:
        if self._shadow is not None:
            self._decoder.remove(_SHADOW, -1, -1)
            self._shadow = None
            self._shared = 0
