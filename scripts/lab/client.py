"""Talks to Home Assistant as its frontend does: sign-in, REST, websocket."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

from .problems import LabError

USER = "demo"
PASSWORD = "demo-home"  # noqa: S105 - printed on purpose, for a home of toys
ANSWER_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Event:
    """What Home Assistant sent, and when (on the monotonic clock, in seconds)."""

    time: float
    content: dict[str, Any]


class Client:
    """One signed-in user; use as an async context manager."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.id = f"{url}/"
        self.tokens: dict[str, Any] = {}
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._subscribed: dict[int, asyncio.Queue[Event]] = {}

    async def __aenter__(self) -> Self:
        """Sign in, as the owner to be if there is no user yet, and open the socket."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        self._http = aiohttp.ClientSession(timeout=timeout)
        try:
            code = await self._onboard() or await self._sign_in()
            self.tokens = await self._form(
                "/auth/token",
                client_id=self.id,
                grant_type="authorization_code",
                code=code,
            )
            self._socket = await self._http.ws_connect(
                f"{self.url}/api/websocket", max_msg_size=0
            )
            await self._socket.receive_json()
            await self._socket.send_json(
                {"type": "auth", "access_token": self.tokens["access_token"]}
            )
            if (await self._socket.receive_json())["type"] != "auth_ok":
                raise LabError("Home Assistant refused its own token; try FRESH=1")
        except BaseException:
            await self._http.close()
            raise
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        self._reader.cancel()
        await self._http.close()

    async def rest(self, method: str, path: str, body: object = None) -> Any:
        """A REST request; returns the JSON of the answer."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        async with self._http.request(
            method, self.url + path, json=body, headers=headers
        ) as reply:
            if reply.status >= 400:
                text = (await reply.text())[:300]
                raise LabError(f"{method} {path}: {reply.status} {text}")
            return await reply.json(content_type=None)

    async def call(self, kind: str, **fields: Any) -> Any:
        """A websocket command; returns its result."""
        return await self._send(next(self._numbers), kind, fields)

    @asynccontextmanager
    async def events(
        self, kind: str, **fields: Any
    ) -> AsyncIterator[asyncio.Queue[Event]]:
        """A queue of the events that follow this websocket command."""
        number = next(self._numbers)
        queue = self._subscribed[number] = asyncio.Queue()
        await self._send(number, kind, fields)
        try:
            yield queue
        finally:
            del self._subscribed[number]
            if kind.startswith("subscribe_"):
                await self.call("unsubscribe_events", subscription=number)

    async def _send(self, number: int, kind: str, fields: dict[str, Any]) -> Any:
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "type": kind, **fields})
        try:
            reply = await asyncio.wait_for(future, ANSWER_SECONDS)
        except TimeoutError:
            raise LabError(
                f"Home Assistant did not answer {kind}; see its log"
            ) from None
        if not reply["success"]:
            raise LabError(f"{kind}: {reply['error']['message']}")
        return reply["result"]

    async def _read(self) -> None:
        async for message in self._socket:
            data = message.json()
            for item in data if isinstance(data, list) else [data]:
                if item["type"] == "result":
                    future = self._waiting.pop(item["id"], None)
                    if future and not future.done():
                        future.set_result(item)
                elif item["type"] == "event" and item["id"] in self._subscribed:
                    event = Event(time.monotonic(), item["event"])
                    self._subscribed[item["id"]].put_nowait(event)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(LabError("Home Assistant hung up; see its log"))

    async def _onboard(self) -> str:
        """Make the owner; returns a code for a token, "" if there is an owner."""
        async with self._http.get(f"{self.url}/api/onboarding") as reply:
            if reply.status == 404:
                return ""
            steps = {item["step"]: item["done"] for item in await reply.json()}
        if steps["user"]:
            return ""
        body = {
            "client_id": self.id,
            "name": "Demo",
            "username": USER,
            "password": PASSWORD,
            "language": "en",
        }
        async with self._http.post(
            f"{self.url}/api/onboarding/users", json=body
        ) as reply:
            if reply.status != 200:
                raise LabError(f"onboarding: {reply.status} {await reply.text()}")
            return str((await reply.json())["auth_code"])

    async def _sign_in(self) -> str:
        flow = {
            "client_id": self.id,
            "handler": ["homeassistant", None],
            "redirect_uri": self.id,
        }
        async with self._http.post(f"{self.url}/auth/login_flow", json=flow) as reply:
            number = (await reply.json())["flow_id"]
        body = {"client_id": self.id, "username": USER, "password": PASSWORD}
        async with self._http.post(
            f"{self.url}/auth/login_flow/{number}", json=body
        ) as reply:
            step = await reply.json()
        if step.get("type") != "create_entry":
            raise LabError(
                f"user {USER} with the password {PASSWORD} cannot sign in any more; "
                "start anew with FRESH=1"
            )
        return str(step["result"])

    async def _form(self, path: str, **fields: str) -> dict[str, Any]:
        async with self._http.post(self.url + path, data=fields) as reply:
            if reply.status != 200:
                raise LabError(f"{path}: {reply.status} {await reply.text()}")
            return dict(await reply.json())
