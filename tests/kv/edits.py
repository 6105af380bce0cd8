"""Homes as lines, and random edits of them."""

from __future__ import annotations

import random
from dataclasses import replace

from homellm_edge.prompt.blocks import Block, Prompt, Turn, Updates

HEADER = "<|im_start|>system\nYou are a home.\nServices: light.turn_on\nDevices:\n"
UPDATES = Updates("Changes:\n", "<|im_start|>system\nChanges:\n", "<|im_end|>\n")
QUESTION = (
    "<|im_start|>user\nturn on the kitchen light<|im_end|>\n<|im_start|>assistant\n"
)
_ROOMS = "kitchen office bedroom hall bath cellar attic garage".split()
_KINDS = {
    "light": ["on", "off", "on;80%", "on;20%"],
    "lock": ["locked", "unlocked"],
    "cover": ["open", "closed"],
    "sensor": ["21.5", "22.0", "19.7", "23.4", "18.9"],
}


class Home:
    """Lines that change at random, the same for the same seed."""

    def __init__(self, seed: int, size: int) -> None:
        self.random = random.Random(seed)
        self.header = HEADER
        self.blocks: list[Block] = []
        self.turns: list[Turn] = []
        self._made = 0
        for _ in range(size):
            self.add()

    def prompt(self, question: str = QUESTION) -> Prompt:
        close = "" if self.turns else "<|im_end|>\n"
        return Prompt(
            self.header,
            tuple(self.blocks),
            tuple(self.turns),
            close + question,
            UPDATES,
        )

    def add(self) -> None:
        kind, room = self._pick(_KINDS), self._pick(_ROOMS)
        self._made += 1
        key = f"{kind}.{room}_{self._made}"
        place = self.random.randint(0, len(self.blocks))
        self.blocks.insert(place, self._block(key, f"{room.title()} {kind}", room))

    def remove(self) -> None:
        if len(self.blocks) > 2:
            self.blocks.pop(self.random.randrange(len(self.blocks)))

    def change(self, count: int = 1) -> None:
        for place in self.random.sample(range(len(self.blocks)), count):
            old = self.blocks[place]
            new = old
            while new == old:
                new = self._block(old.key, old.text.split("'")[1], old.group)
            self.blocks[place] = new

    def rename(self) -> None:
        place = self.random.randrange(len(self.blocks))
        old = self.blocks[place]
        self._made += 1
        name = f"Renamed {self._made}"
        if self.random.random() < 0.5:  # the same device under another entity id
            key = f"{old.key.partition('.')[0]}.renamed_{self._made}"
            self.blocks[place] = self._block(key, name, old.group)
        else:
            self.blocks[place] = replace(old, text=self._line(old.key, name))

    def reorder(self) -> None:
        self.random.shuffle(self.blocks)

    def edit(self) -> None:
        """One edit of any kind; changes are the most frequent."""
        edits = [self.change, self.add, self.remove, self.rename, self.reorder]
        self.random.choices(edits, [6, 1, 1, 1, 1])[0]()

    def say(self) -> None:
        """A turn more."""
        close = "" if self.turns else "<|im_end|>\n"
        self.turns.append(Turn(close + QUESTION, "The light is on.<|im_end|>\n"))

    def _block(self, key: str, name: str, group: str) -> Block:
        text = self._line(key, name)
        return Block(key, text, group, gone=f"{key} = gone\n")

    def _line(self, key: str, name: str) -> str:
        states = _KINDS.get(key.partition(".")[0], ["on", "off"])
        return f"{key} '{name}' = {self.random.choice(states)}\n"

    def _pick(self, of: object) -> str:
        return self.random.choice(list(of))  # type: ignore[call-overload]
