"""Byte-level BPE with control and macro tokens, id for id the same as in llama.cpp.

llama.cpp cuts a text at its special tokens first (longest token first over the whole
text, then left to right) and runs the "gpt-2" splitter and the merges on what is left.
`encode` does exactly that; a test compares the two. (Only where two tokens of equal
length overlap, `{"service": "` and `", "color": "` in `{"service": ", "color": "` say,
does llama.cpp's order depend on its C++ library. The output language has no such text;
the export compares examples by the thousand.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer as Bpe
from tokenizers import decoders, models, pre_tokenizers, trainers

from . import TrainingError

END = "<|im_end|>"
START = "<|im_start|>"
FRAME = ("user\n", "assistant\n", "```")
"""Frame of every prompt and answer: always macros, whatever the data module names."""
_FORMAT = "homellm-edge-tokenizer-1"


class Tokenizer:
    """Text to token ids and back. Ids: BPE tokens first, then specials, then macros.

    `specials` become CONTROL tokens, `macros` USER_DEFINED ones (plain text of the
    prompt or answer that is always one token).
    """

    def __init__(
        self, bpe: Bpe, specials: Sequence[str], macros: Sequence[str]
    ) -> None:
        self.specials = tuple(specials)
        self.macros = tuple(macros)
        self._bpe = bpe
        words = sorted(bpe.get_vocab().items(), key=lambda item: item[1])
        self._words = [text for text, _ in words]
        added = (*self.specials, *self.macros)
        self._ids = {text: len(words) + i for i, text in enumerate(added)}
        self._texts = {i: text for text, i in self._ids.items()}
        _check(added, self._words)
        self._order = sorted(added, key=lambda text: -len(text.encode()))
        # the words between placeholders repeat: most fragments are looked up
        self._plain = lru_cache(maxsize=1 << 16)(self._encode_plain)

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        specials: Sequence[str],
        macros: Sequence[str],
        vocab_size: int = 2048,
    ) -> Tokenizer:
        """Learn merges from `texts` so that all tokens together are `vocab_size`.

        Digits never merge: each is one token, in front of it at most a bare space.
        """
        added = sorted((*specials, *macros), key=lambda text: -len(text.encode()))
        bpe = Bpe(models.BPE())
        byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), byte_level]
        )
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size - len(added),
            min_frequency=2,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        plain = (
            piece for text in texts for piece in _cut(text, added) if piece not in added
        )
        bpe.train_from_iterator(plain, trainer)
        # Without merges of digits the plain splitter gives the same tokens.
        bpe.pre_tokenizer = byte_level
        bpe.decoder = decoders.ByteLevel()
        return cls(bpe, specials, macros)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a file that `save` wrote. Raises TrainingError on any other file."""
        try:
            data = json.loads(path.read_text("utf-8"))
            if data["format"] != _FORMAT:
                raise KeyError("format")
            bpe = Bpe.from_str(json.dumps(data["bpe"]))
            return cls(bpe, data["specials"], data["macros"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"{path} is not a tokenizer file ({error})", "train a new one"
            ) from error

    def save(self, path: Path) -> None:
        """Write everything as one JSON file."""
        path.write_text(self._dump() + "\n", "utf-8")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides the ids."""
        return hashlib.sha256(self._dump().encode()).hexdigest()

    @property
    def size(self) -> int:
        """Number of tokens."""
        return len(self._words) + len(self._ids)

    @property
    def end(self) -> int:
        """Id of the token that ends an answer."""
        return self._ids[END]

    @property
    def start(self) -> int:
        """Id of the token that opens a ChatML message."""
        return self._ids[START]

    def token_texts(self) -> list[str]:
        """Texts by id as GGUF wants them: BPE tokens in byte letters, others raw."""
        return [*self._words, *self.specials, *self.macros]

    def merges(self) -> list[str]:
        """Merge rules, best first, as `left right`."""
        model = json.loads(self._bpe.to_str())["model"]
        return [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`, special tokens and macros included."""
        ids: list[int] = []
        for piece in _cut(text, self._order):
            special = self._ids.get(piece)
            if special is None:
                ids.extend(self._plain(piece))
            else:
                ids.append(special)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`; bytes that are not UTF-8 become U+FFFD."""
        parts: list[str] = []
        run: list[int] = []
        for i in ids:
            if i in self._texts:
                parts += [self._bpe.decode(run), self._texts[i]]
                run = []
            else:
                run.append(i)
        return "".join([*parts, self._bpe.decode(run)])

    def _encode_plain(self, text: str) -> tuple[int, ...]:
        return tuple(self._bpe.encode(text).ids)

    def _dump(self) -> str:
        data = {
            "format": _FORMAT,
            "specials": self.specials,
            "macros": self.macros,
            "bpe": json.loads(self._bpe.to_str()),
        }
        return json.dumps(data, ensure_ascii=True, sort_keys=True)


def _cut(text: str, added: Sequence[str]) -> list[str]:
    """Cut `text` at the tokens `added`, in this order of precedence."""
    pieces = [(text, False)]
    for token in added:
        if token not in text:
            continue
        cut: list[tuple[str, bool]] = []
        for piece, done in pieces:
            if done or token not in piece:
                cut.append((piece, done))
                continue
            for i, rest in enumerate(piece.split(token)):
                if i:
                    cut.append((token, True))
                if rest:
                    cut.append((rest, False))
        pieces = cut
    return [piece for piece, _ in pieces if piece]


def _check(added: Sequence[str], words: Sequence[str]) -> None:
    """Refuse token lists that llama.cpp could read in another way than `encode`."""
    if len(set(added)) != len(added) or not all(added):
        raise TrainingError("specials and macros must differ and not be empty")
    if END not in added or START not in added:
        raise TrainingError(f"the special tokens must include {START} and {END}")
    clash = set(added) & set(words)
    if clash:
        raise TrainingError(
            f"macros {sorted(clash)} are also words of the BPE",
            "drop them: frequent words become one token by themselves",
        )
