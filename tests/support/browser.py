"""A real browser for tests: Chromium without a window, spoken to over its debugging pipe. Hides process, profile folder
and protocol; a test opens an address, asks the page, and waits for an expression to become true."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)


def executable() -> str:
    """The browser's path; AssertionError with what to install where there is none."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    assert found, "no Chromium found: apt-get install chromium"
    return found


class Browser(ProcessProtocol):
    """One page of one browser. `reactor` is the real one; `errors` collects what the page complained of."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._profile = tempfile.mkdtemp(prefix="browser")
        self._buffer = b""
        self._asked: dict[int, Deferred[Any]] = {}
        self._session = ""
        self._ended: Deferred[None] = Deferred()
        self._process: IProcessTransport | None = None
        self.errors: list[str] = []

    async def start(self) -> None:
        """Starts the browser with an empty page."""
        path = executable()
        arguments = [path, *_FLAGS, f"--user-data-dir={self._profile}", "about:blank"]
        pipes = {0: "w", 1: "r", 2: "r", 3: "w", 4: "r"}
        self._process = self._reactor.spawnProcess(self, path, arguments, env=None, childFDs=pipes)
        targets = await self.ask("Target.getTargets")
        page = next(target for target in targets["targetInfos"] if target["type"] == "page")
        attached = await self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.ask(f"{domain}.enable")

    async def stop(self) -> None:
        """Ends the browser and removes its folder."""
        if self._process is not None:
            self._process.signalProcess("KILL")
            await self._ended
        shutil.rmtree(self._profile, ignore_errors=True)

    async def show(self, width: int, height: int, theme: str = "light", script: bool = True) -> None:
        """The size of the window in CSS pixels, the theme the device prefers, and whether scripts run."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 760
        )
        await self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        await self.ask("Emulation.setScriptExecutionDisabled", value=not script)

    async def open(self, address: str) -> None:
        """Goes to an address and waits until the page is there."""
        await self.ask("Page.navigate", url=address)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def leave(self) -> None:
        """Goes to an empty page."""
        await self.ask("Page.navigate", url="about:blank")
        await self.until("location.href === 'about:blank'")

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; AssertionError where it throws."""
        said = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    async def until(self, expression: str, seconds: float = 20.0) -> None:
        """Waits until an expression is true."""
        deadline = self._reactor.seconds() + seconds
        while not await self.evaluate(f"Boolean({expression})"):
            assert self._reactor.seconds() < deadline, f"not within {seconds} s: {expression}"
            await deferLater(self._reactor, 0.05, lambda: None)

    def ask(self, method: str, **parameters: Any) -> Deferred[Any]:
        """One request of the DevTools protocol; fires with its result."""
        assert self._process is not None
        number = len(self._asked) + 1
        message: Mapping[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message = {**message, "sessionId": self._session}
        self._asked[number] = Deferred()
        self._process.writeToChild(3, json.dumps(message).encode() + b"\0")
        return self._asked[number]

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N802, N803
        """Bytes from the browser: answers and events come on the fourth pipe."""
        if childFD != 4:
            return
        *messages, self._buffer = (self._buffer + data).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                asked = self._asked[message["id"]]
                if "error" in message:
                    asked.errback(AssertionError(message["error"]))
                else:
                    asked.callback(message["result"])
            elif message["method"] == "Log.entryAdded":
                self.errors.append(message["params"]["entry"]["text"])
            elif message["method"] == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(message["params"]["exceptionDetails"]))

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        """The browser is gone."""
        self._ended.callback(None)
