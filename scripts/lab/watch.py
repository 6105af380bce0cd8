"""Makes the changes of a busy home, and follows what Home Assistant tells of them."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self

from .busy_home import Thing
from .client import Client, Event

ARRIVAL_SECONDS = 5
"""So long is waited for the last changes."""


class Watch:
    """States of the things: as they should be, and as they were told, with the times.

    `made` and `arrived` count changes. Use `following` to make one.
    """

    def __init__(self, client: Client, home: Sequence[Thing]) -> None:
        self.home = home
        self.made = self.arrived = 0
        self.wanted: dict[str, str] = {}
        self._client = client
        self._told: dict[str, list[tuple[float, str]]] = {}
        self._news = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def following(
        cls, client: Client, home: Sequence[Thing]
    ) -> AsyncIterator[Self]:
        """Follow the states as long as the block lasts."""
        watch = cls(client, home)
        async with client.events("subscribe_events", event_type="state_changed") as q:
            await watch._begin()
            reader = asyncio.create_task(watch._read(q))
            try:
                yield watch
            finally:
                reader.cancel()

    @property
    def states(self) -> dict[str, str]:
        """The newest states by entity id."""
        return {entity_id: told[-1][1] for entity_id, told in self._told.items()}

    def between(self, entity_id: str, begin: float, end: float) -> list[str]:
        """The states that an entity had from one moment to another."""
        told = self._told[entity_id]
        before = [state for moment, state in told if moment <= begin][-1:]
        return before + [state for moment, state in told if begin < moment <= end]

    async def change(self, rate: float, seconds: float, chance: random.Random) -> None:
        """Make so many changes a second, whatever Home Assistant needs for one.

        Returns when they have arrived, or should have.
        """
        begin = time.monotonic()
        calls = []
        for number in range(round(rate * seconds)):
            await asyncio.sleep(begin + number / rate - time.monotonic())
            calls.append(asyncio.create_task(self._change_one(chance)))
        await asyncio.gather(*calls)
        with suppress(TimeoutError):
            async with asyncio.timeout(ARRIVAL_SECONDS):
                while self.states != self.wanted:
                    self._news.clear()
                    await self._news.wait()

    async def _change_one(self, chance: random.Random) -> None:
        thing = chance.choice(self.home)
        state, service = thing.change(self.wanted[thing.entity_id], chance)
        self.wanted[thing.entity_id] = state
        self.made += 1
        data = {"value": int(state)} if service == "set_value" else {}
        await self._client.call(
            "call_service",
            domain=thing.helper.partition(".")[0],
            service=service,
            service_data=data,
            target={"entity_id": thing.helper},
        )

    async def _begin(self) -> None:
        ids = {thing.entity_id for thing in self.home}
        now = time.monotonic()
        for state in await self._client.call("get_states"):
            if state["entity_id"] in ids:
                self._told[state["entity_id"]] = [(now, state["state"])]
        self.wanted = self.states

    async def _read(self, events: asyncio.Queue[Event]) -> None:
        while True:
            event = await events.get()
            data = event.content["data"]
            told, new = self._told.get(data["entity_id"]), data["new_state"]
            if told and new and new["state"] != told[-1][1]:
                told.append((event.time, new["state"]))
                self.arrived += 1
                self._news.set()
