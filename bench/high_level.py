"""llama-cpp-python's own `Llama`, its decoded tokens counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llama_cpp import Llama, LlamaGrammar


class CountedLlama:
    """Reads prompts as the seed's integration does: when they are asked.

    Options are the library's defaults, but one thread and the same context as ours.
    """

    def __init__(self, path: Path, n_ctx: int) -> None:
        self._llama = Llama(
            str(path), n_ctx=n_ctx, n_threads=1, n_threads_batch=1, verbose=False
        )
        self._eval = self._llama.eval
        self._llama.eval = self._counted
        self.tokens = 0

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a whole prompt."""
        return self._llama.tokenize(text.encode(), add_bos=False, special=True)

    def answer(self, text: str, grammar: LlamaGrammar | None = None) -> int:
        """Read a prompt and give the first token; the number of tokens decoded."""
        before = self.tokens
        answer = self._llama.generate(
            self.tokenize(text), temp=0.0, top_k=1, grammar=grammar
        )
        next(answer)
        answer.close()
        return self.tokens - before

    def close(self) -> None:
        """Free model and context."""
        self._llama.close()

    def _counted(self, tokens: Sequence[int]) -> None:
        self.tokens += len(tokens)
        self._eval(tokens)
