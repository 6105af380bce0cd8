from array import array
from collections.abc import Callable
from typing import Final, final

BYTES: Final[int]
CALL: Final[int]
RETURN: Final[int]
SPLIT: Final[int]
JUMP: Final[int]
DEAD: Final[int]

@final
class Automaton:
    def __init__(
        self,
        program: array[int],
        failure: Callable[[str], Exception],
        *,
        limit: int = ...,
        work: int = ...,
    ) -> None: ...
    @property
    def start(self) -> int: ...
    @property
    def states(self) -> int: ...
    @property
    def memory(self) -> int: ...
    @property
    def byte_classes(self) -> int: ...
    def step(self, state: int, byte: int) -> int: ...
    def feed(self, state: int, data: bytes) -> int: ...
    def accepting(self, state: int) -> bool: ...
    def match(self, data: bytes) -> bool: ...
