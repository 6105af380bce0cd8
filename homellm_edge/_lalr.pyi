import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, final

class Unexpected(Exception): ...  # noqa: N818

@final
class Parser:
    def __init__(
        self,
        words: Callable[[str, int], Iterator[re.Match[str]]],
        *,
        terminals: Sequence[str],
        actions: Sequence[Sequence[int]],
        productions: Sequence[Sequence[Any]],
        starts: Mapping[str, Sequence[int]],
        shifts: dict[str, Callable[[re.Match[str]], Any]],
        reductions: dict[str, Callable[[list[Any]], Any]],
        never_last: Iterable[str],
        nesting: int,
    ) -> None: ...
    def parse(
        self, text: str, start: str, position: int = ..., *, line: bool = ...
    ) -> tuple[Any, int]: ...
