def distance(a: str, b: str, limit: int = 3) -> int: ...
def similarity(a: str, b: str) -> float: ...

class Vocabulary:
    def __init__(
        self,
        words: list[str],
        singles: list[str],
        sounds: list[str],
        synonyms: dict[str, list[str]],
    ) -> None: ...
    def hits(
        self, text: str, single: str, sound: str, fuzzy: bool
    ) -> dict[str, float]: ...
