"""Somebody who looks at the portal of a real box over HTTP, signed in."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from concentrator.app.gate import FILE, kept_users
from concentrator.web.users import users_of


class Visitor:
    """Signed in at the portal on a port of this machine, with the password that the box whose state folder this is made
    at its first start."""

    def __init__(self, port: int, state: Path) -> None:
        self._port = port
        self._cookie = self._location = ""
        first = next(each for each in users_of(kept_users(state / FILE)) if each.first)
        status, _ = self._ask("POST", "/login", urlencode({"user": first.name, "password": first.first}))
        assert status == 303 and self._cookie, f"{status} to the first password"

    @property
    def cookie(self) -> str:
        """What a browser sends of being signed in."""
        return self._cookie

    def page(self, path: str) -> str:
        """A page as it is served."""
        status, text = self._ask("GET", path, "")
        assert status == 200, f"{status} for {path}: {text[:300]}"
        return text

    def _ask(self, method: str, path: str, form: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
        headers = {"Cookie": self._cookie, "Origin": f"http://127.0.0.1:{self._port}"}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, form.encode(), headers)
            response = connection.getresponse()
            text = response.read().decode()
            if said := response.getheader("Set-Cookie"):
                self._cookie = said.partition(";")[0]
            self._location = response.getheader("Location") or ""
            return response.status, text
        finally:
            connection.close()

    def send(self, path: str, at: str = "", **fields: str) -> str:
        """Sends a form of a page, the one `at` which it stands where that is another; gives the page it leads to."""
        page = self.page(at or path.partition("?")[0].removesuffix("/finish"))
        token = page.partition('name="token" value="')[2].partition('"')[0]
        status, where = self._ask("POST", path, urlencode({"token": token} | fields))
        assert status == 303, f"{status} for {path}: {where[:2000]}"
        return self.page(self._location.partition("#")[0])
