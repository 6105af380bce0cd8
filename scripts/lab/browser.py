"""Types a sentence into the Assist dialog of the real frontend, in headless Chromium.

Chromium is driven over its DevTools protocol; no driver program is needed.
"""

import asyncio
import base64
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from .client import Client
from .problems import LabError

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it only ever opens our own Home Assistant
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
SIZE = (1280, 900)
STEP_SECONDS = 60

# The frontend is nested web components: look through all open shadow roots.
_SCRIPT = """
var deepAll = (selector, root = document) => {
  let found = [...root.querySelectorAll(selector)];
  for (const element of root.querySelectorAll('*'))
    if (element.shadowRoot) found = found.concat(deepAll(selector, element.shadowRoot));
  return found;
};
var deep = (selector) => deepAll(selector)[0];
var chat = () => deep('ha-assist-chat');
var chatInput = () => chat()?.shadowRoot
  && deepAll('input, textarea', chat().shadowRoot).find(i => i.type !== 'file');
var textOf = (node) => {
  if (node.nodeType === 3) return node.textContent;
  if (node.nodeType !== 1 && node.nodeType !== 11) return '';
  if (/^(STYLE|SCRIPT|SVG)$/i.test(node.nodeName || '')) return '';
  const children = node.nodeName === 'SLOT' ? node.assignedNodes({flatten: true})
    : [...(node.shadowRoot || node).childNodes];
  return children.map(textOf).join('');
};
var messages = () => chat() ? [...chat().shadowRoot.querySelectorAll('.message')]
  .map(m => textOf(m).replace(/\\s+/g, ' ').trim()) : [];
"""


def find_chromium() -> str:
    """The browser's path; raises LabError with the cure."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise LabError("no Chromium found; apt-get install chromium")


async def screenshot(client: Client, text: str, picture: Path) -> list[str]:
    """Ask in the Assist dialog, take its picture; returns the dialog's messages."""
    async with _page(find_chromium()) as page:
        await page.open(f"{client.url}/manifest.json")  # same origin, to sign in from
        tokens = {
            "hassUrl": client.url,
            "clientId": client.id,
            "expires": int((time.time() + client.tokens["expires_in"]) * 1000),
            **client.tokens,
        }
        stored = json.dumps(json.dumps(tokens))
        await page.run(f"localStorage.setItem('hassTokens', {stored})")
        await page.open(f"{client.url}/home")
        await page.until("!!deep('hui-root')", "the dashboard")
        await page.until(_CARDS, "the dashboard's cards")
        end = time.monotonic() + STEP_SECONDS
        while not await page.run("!!chatInput()"):
            if time.monotonic() > end:
                raise LabError("the Assist dialog did not open; run it again")
            await page.press("a", "KeyA", 65)  # the frontend's shortcut for Assist
            await asyncio.sleep(1)
        await page.run("chatInput().focus()")
        await page.send("Input.insertText", text=text)
        greeting = await page.run("messages().length")
        await page.press("Enter", "Enter", 13, "\r")
        await page.until(f"messages().length >= {greeting} + 2", "an answer")
        settled: list[str] = []
        while (shown := await page.run("messages()")) != settled or not shown[-1]:
            if time.monotonic() > end + STEP_SECONDS:
                raise LabError("the answer did not end; see Home Assistant's log")
            settled = shown
            await asyncio.sleep(1)
        shot = await page.send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(_save, picture, base64.b64decode(shot["data"]))
        return settled


def _save(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


_CARDS = "deepAll('ha-card').length > 0"


class _Page:
    """A tab of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """A DevTools command; returns its result."""
        self._number += 1
        await self._socket.send_json(
            {"id": self._number, "method": method, "params": params}
        )
        while True:
            reply = await self._socket.receive_json(timeout=STEP_SECONDS)
            if reply.get("id") == self._number:
                if "error" in reply:
                    raise LabError(f"Chromium, {method}: {reply['error']['message']}")
                return dict(reply["result"])

    async def run(self, code: str) -> Any:
        """The value of this JavaScript in the page."""
        result = await self.send(
            "Runtime.evaluate", expression=_SCRIPT + code, returnByValue=True
        )
        return result["result"].get("value")

    async def until(self, code: str, what: str) -> None:
        """Wait until the JavaScript gives something true."""
        end = time.monotonic() + STEP_SECONDS
        while not await self.run(code):
            if time.monotonic() > end:
                raise LabError(f"{what} did not appear within {STEP_SECONDS} s")
            await asyncio.sleep(0.2)

    async def open(self, url: str) -> None:
        """Go to the address and wait for the document."""
        await self.send("Page.navigate", url=url)
        path = "/" + url.split("/", 3)[3]
        await self.until(
            f"location.pathname.startsWith({json.dumps(path)})"
            " && document.readyState === 'complete'",
            url,
        )

    async def press(self, key: str, code: str, number: int, text: str = "") -> None:
        """Press and release a key."""
        for kind in ("rawKeyDown", "char", "keyUp"):
            await self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=code,
                windowsVirtualKeyCode=number,
                text=text or key,
            )


@asynccontextmanager
async def _page(chromium: str) -> AsyncIterator[_Page]:
    profile = Path(tempfile.mkdtemp(prefix="homellm-chromium-"))
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy")
    }
    process = await asyncio.create_subprocess_exec(
        chromium,
        *FLAGS,
        f"--window-size={SIZE[0]},{SIZE[1]}",
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    try:
        port = await _port(profile)
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://127.0.0.1:{port}/json/list") as reply:
                tabs = await reply.json(content_type=None)
            url = next(t["webSocketDebuggerUrl"] for t in tabs if t["type"] == "page")
            async with http.ws_connect(url, max_msg_size=0) as socket:
                page = _Page(socket)
                await page.send(
                    "Emulation.setDeviceMetricsOverride",
                    width=SIZE[0],
                    height=SIZE[1],
                    deviceScaleFactor=1,
                    mobile=False,
                )
                yield page
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the group that was started above
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        shutil.rmtree(profile, ignore_errors=True)


async def _port(profile: Path) -> str:
    file = profile / "DevToolsActivePort"
    end = time.monotonic() + STEP_SECONDS
    while time.monotonic() < end:
        if file.exists() and len(words := file.read_text().split()) == 2:
            return words[0]
        await asyncio.sleep(0.1)
    raise LabError("Chromium did not start; run it by hand to see why")
