"""REST: a thin caller of the action table. Hides addresses, methods, bodies and status codes; what an action does, who
may call it and what an error says is the table's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from concentrator.actions.parts import Parts
from concentrator.actions.schema import quoted
from concentrator.actions.table import ActionTable, Caller, Permission, code_of, error_json
from concentrator.model.errors import ConcentratorError, Denied, NotSignedIn, Unknown, WrongArguments
from concentrator.portal.callers import Who
from concentrator.portal.downloads import Downloads
from concentrator.portal.parts_body import PartsBody
from concentrator.web.site import Body

# Address → the action that answers a GET, the argument that stands where the address has a star, and the arguments, all
# whole numbers, that may follow a question mark.
READS: Mapping[tuple[str, ...], tuple[str, str, tuple[str, ...]]] = {
    ("status",): ("status", "", ()),
    ("devices",): ("devices.list", "", ()),
    ("devices", "*"): ("device.get", "uid", ()),
    ("lines",): ("lines.list", "", ()),
    ("lines", "*"): ("line.get", "line", ()),
    ("lines", "*", "trace"): ("line.trace", "line", ("last",)),
    ("tasks",): ("task.list", "", ()),
    ("tasks", "*"): ("task.get", "id", ()),
    ("uplinks",): ("uplinks.list", "", ()),
}
STATUS: Mapping[str, HTTPStatus] = {
    "not_signed_in": HTTPStatus.UNAUTHORIZED,
    "wrong_arguments": HTTPStatus.BAD_REQUEST,
    "out_of_range": HTTPStatus.BAD_REQUEST,
    "denied": HTTPStatus.FORBIDDEN,
    "unknown": HTTPStatus.NOT_FOUND,
    "not_writable": HTTPStatus.CONFLICT,
    "busy": HTTPStatus.CONFLICT,
    "too_often": HTTPStatus.TOO_MANY_REQUESTS,
    "stale": HTTPStatus.CONFLICT,
    "repeated": HTTPStatus.CONFLICT,
    "too_large": HTTPStatus.CONFLICT,
    "config": HTTPStatus.CONFLICT,
    "not_confirmed": HTTPStatus.BAD_GATEWAY,
    "wire_error": HTTPStatus.BAD_GATEWAY,
    "not_of_profile": HTTPStatus.BAD_GATEWAY,
    "line_error": HTTPStatus.SERVICE_UNAVAILABLE,
    "line_lost": HTTPStatus.SERVICE_UNAVAILABLE,
    "try_later": HTTPStatus.SERVICE_UNAVAILABLE,
    "no_reply": HTTPStatus.GATEWAY_TIMEOUT,
}
"""The status of each code of an error; 500 for any other."""


class Rest(Resource):
    """GET /status, /devices, /devices/<uid>, /lines, /lines/<name>, /lines/<name>/trace, /tasks, /tasks/<id>, /uplinks,
    /history (as `downloads` has it, where it is given), and POST /actions/<name> with the arguments as one JSON object,
    each for whoever `who` says that asks. A success is the action's result, where it comes in parts an array of these;
    an error {"error": {"code", "message"}}."""

    isLeaf = True  # noqa: N815

    def __init__(self, table: ActionTable, who: Who, downloads: Downloads | None = None) -> None:
        super().__init__()
        self._table = table
        self._who = who
        self._downloads = downloads

    def render(self, request: Request) -> bytes | int:
        """Answers any method: the action's result once it is there, or why not."""
        try:
            caller = self._who(request)
        except NotSignedIn as error:
            request.setHeader(b"www-authenticate", b'Bearer realm="CcMaster"')
            return refuse(request, error)
        path = tuple(part.decode("utf-8", "replace") for part in request.postpath or ())
        if path[:1] == ("actions",) and len(path) == 2:
            return self._act(request, caller, path[1])
        if path == ("history",) and self._downloads is not None:
            return self._download(request, caller, self._downloads)
        found = READS.get(path) or READS.get((path[0], "*", *path[2:]) if len(path) > 1 else path)
        if found is None:
            return _refuse(request, HTTPStatus.NOT_FOUND, Unknown(f"address /{'/'.join(path)}"))
        if request.method not in (b"GET", b"HEAD"):
            return not_allowed(request, "GET, HEAD")
        name, argument, further = found
        arguments: dict[str, object] = {argument: path[1]} if argument else {}
        return self._answer(request, caller, name, arguments | _numbers(request, further))

    def _download(self, request: Request, caller: Caller, downloads: Downloads) -> bytes | int:
        if request.method not in (b"GET", b"HEAD"):
            return not_allowed(request, "GET, HEAD")
        if Permission.READ not in caller.allowed:
            return refuse(request, Denied(f"history needs {Permission.READ}"))
        return downloads.answer(request, refuse)

    def _act(self, request: Request, caller: Caller, name: str) -> bytes | int:
        if request.method != b"POST":
            return not_allowed(request, "POST")
        body = request.content
        assert isinstance(body, Body), "served by a GuardedSite"
        if body.too_big:
            error = WrongArguments(f"the body is longer than {body.most} bytes")
            return _refuse(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error)
        try:
            arguments = arguments_of(body.read())
        except WrongArguments as error:
            return _refuse(request, HTTPStatus.BAD_REQUEST, error)
        return self._answer(request, caller, name, arguments)

    def _answer(self, request: Request, caller: Caller, name: str, arguments: Mapping[str, object]) -> int:
        is_there = True

        def gone(_: object) -> None:
            nonlocal is_there
            is_there = False

        def result(found: object) -> None:
            if is_there and isinstance(found, Parts):
                _begin(request, HTTPStatus.OK)
                PartsBody(request, found).send()
            elif is_there:
                _write(request, HTTPStatus.OK, found)

        def failed(failure: Failure) -> None:
            if is_there:
                said = error_json(failure.value)
                _write(request, STATUS.get(said["code"], HTTPStatus.INTERNAL_SERVER_ERROR), {"error": said})

        ended: Deferred[None] = request.notifyFinish()
        ended.addBoth(gone)
        # What the caller is told of an action does not end it: a write goes on when its caller has left.
        self._table.call(name, arguments, caller).addCallbacks(result, failed)
        return NOT_DONE_YET


def arguments_of(body: bytes) -> dict[str, object]:
    """The arguments in a request's body: one JSON object, or nothing at all. Raises WrongArguments."""
    if not body.strip():
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WrongArguments(f"the body is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise WrongArguments(f"body: found {quoted(found)}, expected one JSON object")
    return found


def _numbers(request: Request, names: Sequence[str]) -> dict[str, object]:
    """The arguments of those names that follow the question mark; one that is no number stays as it is, for the action
    to refuse."""
    found: dict[str, object] = {}
    for name in names:
        for given in request.args.get(name.encode(), [])[-1:]:
            text = given.decode("utf-8", "replace")
            found[name] = int(text) if re.fullmatch(r"-?\d{1,9}", text, re.ASCII) else text
    return found


def not_allowed(request: Request, allowed: str) -> bytes:
    """Prepares the answer to a method that is not taken, naming those that are; gives its body."""
    request.setHeader(b"allow", allowed.encode())
    method = request.method.decode("ascii", "replace")
    return _refuse(request, HTTPStatus.METHOD_NOT_ALLOWED, WrongArguments(f"method {method}, expected {allowed}"))


def refuse(request: Request, error: ConcentratorError) -> bytes:
    """Prepares the answer for an error, with the status of its kind; gives its body."""
    return _refuse(request, STATUS.get(code_of(error), HTTPStatus.INTERNAL_SERVER_ERROR), error)


def _refuse(request: Request, status: HTTPStatus, error: ConcentratorError) -> bytes:
    return _prepare(request, status, {"error": error_json(error)})


def _write(request: Request, status: HTTPStatus, content: object) -> None:
    request.write(_prepare(request, status, content))
    request.finish()


def _begin(request: Request, status: HTTPStatus) -> None:
    request.setResponseCode(status)
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"cache-control", b"no-store")


def _prepare(request: Request, status: HTTPStatus, content: object) -> bytes:
    body = json.dumps(content, ensure_ascii=False).encode() + b"\n"
    _begin(request, status)
    request.setHeader(b"content-length", str(len(body)).encode())
    return b"" if request.method == b"HEAD" else body
