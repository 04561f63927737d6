"""A made-up box's pages on a free port, and somebody at a browser who looks at them, signed in or not."""

from __future__ import annotations

from typing import Any

from concentrator.web.access import Role
from concentrator.web.route import COOKIE
from tests.support.browser import Browser
from tests.support.web import FakeBox


class Served:
    """`box` has the cookies of those who signed in."""

    def __init__(self, box: FakeBox, port: Any, browser: Browser) -> None:
        self.box, self.port, self.browser = box, port, browser
        self.address = f"http://127.0.0.1:{port.getHost().port}"

    async def cookie(self, name: str, value: str) -> None:
        """Has the browser send a cookie."""
        await self.browser.ask("Network.setCookie", name=name, value=value, url=self.address)

    async def open(
        self,
        path: str,
        role: Role | None = Role.INSTALLER,
        width: int = 1280,
        height: int = 800,
        theme: str = "light",
        script: bool = True,
        language: str = "",
    ) -> None:
        """Goes to a page, signed in by that role's cookie where one is named, and waits until it is alive then."""
        if role is not None:
            await self.cookie(COOKIE, self.box.keys[role])
        if language:
            await self.cookie("language", language)
        await self.browser.show(width, height, theme, script)
        await self.browser.open(self.address + path)
        if script and role is not None:
            await self.browser.until("document.getElementById('live').hidden === false")

    async def text(self, selector: str) -> str:
        """The text of an element, with plain spaces."""
        return _plain(await self.browser.evaluate(f"document.querySelector({selector!r}).textContent"))

    async def seen(self, selector: str = "main") -> str:
        """What of an element is to be seen, as one line."""
        found = await self.browser.evaluate(f"document.querySelector({selector!r}).innerText")
        return " ".join(_plain(found).split())

    async def until_text(self, selector: str, text: str) -> None:
        """Waits until an element has a text in it."""
        await self.browser.until(f"document.querySelector({selector!r})?.textContent.includes({text!r})")

    async def listening(self) -> None:
        """Waits until the stream has begun."""
        await self.browser.until("performance.getEntriesByType('resource').some((each) => each.name.includes('/live'))")

    async def send(self, selector: str) -> None:
        """Presses what leads to another page, and waits for that."""
        await self.browser.evaluate(f"void (window.old = true, document.querySelector({selector!r}).click())")
        await self.browser.until("!window.old && document.readyState === 'complete'")

    async def fill(self, **fields: str) -> None:
        """Types into fields, by their names."""
        for name, value in fields.items():
            await self.browser.evaluate(f"void (document.querySelector('[name={name}]').value = {value!r})")

    async def press(self, key: str, code: int) -> None:
        """Presses a key, and lets it go."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.browser.ask("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code)

    async def type(self, text: str) -> None:
        """Types where the focus is."""
        await self.browser.ask("Input.insertText", text=text)

    async def path(self) -> str:
        """Which page it is."""
        return str(await self.browser.evaluate("location.pathname"))

    async def width(self) -> int:
        """How wide the page is, in CSS pixels: more than the window where it scrolls sideways."""
        return int(await self.browser.evaluate("document.documentElement.scrollWidth"))


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
