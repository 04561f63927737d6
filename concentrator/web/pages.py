"""Pages and static files as bytes on the wire. Hides the template library (which is not loaded before the first page is
asked for), compression, and how browsers keep what does not change."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.web.http import CACHED
from twisted.web.resource import Resource
from twisted.web.server import Request

from concentrator.web.site import Folder

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_PACKED = frozenset({".woff2"})
_WORTH_PACKING = 1024
_YEAR_S, _HOUR_S = 31_536_000, 3600


class Templates:
    """Templates from folders, the first that has a name wins; `common` are names every template knows. What is put
    into a page is escaped."""

    def __init__(self, *folders: Path, **common: object) -> None:
        self._folders = folders
        self._common = common

    def render(self, name: str, **values: object) -> bytes:
        """A page. A name that a template uses and nobody gave is an error, not an empty place."""
        return self._environment.get_template(name).render(values).encode()

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        environment = Environment(
            loader=FileSystemLoader([str(folder) for folder in self._folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals.update(self._common)
        return environment


class Page(Resource):
    """One page: `draw` makes its bytes anew for each visitor; None means that there is no such thing, and `missing`
    is drawn instead."""

    isLeaf = True  # noqa: N815

    def __init__(self, draw: Callable[[], bytes | None], missing: Callable[[], bytes]) -> None:
        super().__init__()
        self._draw = draw
        self._missing = missing

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        """The page, never to be kept by the browser."""
        body = None if request.postpath else self._draw()
        if body is None:
            request.setResponseCode(HTTPStatus.NOT_FOUND)
            body = self._missing()
        request.setHeader(b"cache-control", b"no-store")
        return answer(request, body, "text/html; charset=utf-8")


class StaticFiles(Folder):
    """The files of a folder and of those in it, read once; their addresses have their names only. Under the one that
    `url` gives, which changes with the content, they may be kept for ever."""

    def __init__(self, folder: Path, path: str) -> None:
        super().__init__()
        self._path = path
        self._tags: dict[str, str] = {}
        for file in sorted(folder.rglob("*")):
            if file.suffix in _TYPES:
                content = file.read_bytes()
                self._tags[file.name] = hashlib.sha256(content).hexdigest()[:12]
                self.putChild(file.name.encode(), _StaticFile(content, file.suffix, self._tags[file.name]))

    def has(self, name: str) -> bool:
        """Whether there is such a file: those that others made may not have been there to be shipped."""
        return name in self._tags

    def url(self, name: str) -> str:
        """The address of a file, with a mark of its content."""
        return f"{self._path}/{name}?v={self._tags[name]}"


class _StaticFile(Resource):
    isLeaf = True  # noqa: N815

    def __init__(self, content: bytes, suffix: str, tag: str) -> None:
        super().__init__()
        self._content = content
        self._type = _TYPES[suffix]
        self._tag = f'"{tag}"'.encode()
        self._packed = b"" if suffix in _PACKED else gzip.compress(content, mtime=0)

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        kept_s = _YEAR_S if request.args.get(b"v") else _HOUR_S
        request.setHeader(b"cache-control", f"max-age={kept_s}".encode())
        if request.setETag(self._tag) is CACHED:
            return b""
        return answer(request, self._content, self._type, self._packed)


def answer(request: Request, body: bytes, content_type: str, packed: bytes | None = None) -> bytes:
    """What to return from rendering: the body, compressed where that is worth it and the visitor takes it (`packed`
    is the compressed body where it is known, empty where there is none), or nothing to a HEAD."""
    request.setHeader(b"content-type", content_type.encode())
    request.setHeader(b"vary", b"Accept-Encoding")
    if packed is None:
        packed = gzip.compress(body, 6, mtime=0) if len(body) > _WORTH_PACKING and takes_gzip(request) else b""
    if packed and takes_gzip(request):
        request.setHeader(b"content-encoding", b"gzip")
        body = packed
    if request.method == b"HEAD":
        request.setHeader(b"content-length", str(len(body)).encode())
        return b""
    return body


def takes_gzip(request: Request) -> bool:
    """Whether the visitor says that it understands gzip."""
    offered = (request.getHeader(b"accept-encoding") or b"").decode("ascii", "replace").lower()
    ways = (way.replace(" ", "").partition(";") for way in offered.split(","))
    return any(name == "gzip" and not re.fullmatch(r"q=0(\.0*)?", quality) for name, _, quality in ways)
