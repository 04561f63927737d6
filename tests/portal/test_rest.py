import json

import pytest
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.actions.tasks import Tasks, task_actions
from concentrator.actions.tracing import tracing_actions
from concentrator.line.trace import Traced
from concentrator.model.errors import Busy, NoReply, NotConfirmed, NotWritable, TooOften
from concentrator.portal.doors import build_control_site
from concentrator.web.access import Role
from concentrator.web.route import COOKIE
from concentrator.web.site import BODY_MOST
from tests.support import web
from tests.support.web import FakeBox, Visit, visit


@pytest.fixture
def box():
    return FakeBox()


@pytest.fixture
def page(box, clock):
    return box.site(clock)


@pytest.fixture
def socket(box, clock):
    """The control socket's site, with an action that writes."""
    box.wrote = []

    def write(value):
        box.wrote.append(value)
        if isinstance(box.result, Exception):
            raise box.result
        return box.result

    box.result = "written"
    value = Argument("value", Kind.NUMBER, "what", most=10)
    box.table.register(Action("write", "Writes.", Permission.WRITE, (value,), write))
    return build_control_site(box.table, clock=clock)


def read(site, path, box, **request):
    """What somebody sees of the API who may look."""
    return box.as_(Role.VIEWER, site, path.replace("/api/", "/api/v1/"), **request)


def post(site, path, body=b"", **headers):
    # The command line names no host; the socket's mode says who may come.
    return visit(site, path, peer=UNIXAddress(None), method="POST", body=body, **headers)


@pytest.mark.parametrize("door", ["page", "socket"])
def test_the_states_can_be_read_through_both_doors(request, door, box):
    site = request.getfixturevalue(door)
    cookie = f"{COOKIE}={box.keys[Role.VIEWER]}" if door == "page" else ""

    def visit(site, path):
        return web.visit(site, path.replace("/api/", "/api/v1/") if door == "page" else path, cookie=cookie)

    assert visit(site, "/api/status").json["box"]["serial"] == "4220080001"
    assert [found["uid"] for found in visit(site, "/api/devices").json] == ["main", "workshop"]
    assert visit(site, "/api/devices/main").json["values"][2]["value"] == -1240.0
    assert [found["name"] for found in visit(site, "/api/lines").json] == ["native"]
    assert [found["name"] for found in visit(site, "/api/uplinks").json] == ["mqtt"]
    assert visit(site, "/api/status").headers["content-type"] == "application/json"
    assert visit(site, "/api/status").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        (
            "/api/devices/mian",
            404,
            {"code": "unknown", "message": "There is nothing of this name: device mian (did you mean main?)"},
        ),
        ("/api/nothing", 404, {"code": "unknown", "message": "There is nothing of this name: address /nothing"}),
        ("/api/devices/main/p", 404, {"code": "unknown"}),
        ("/api/", 404, {"code": "unknown"}),
        ("/api/devices/", 400, {"code": "out_of_range"}),
        ("/api/devices/%FF", 404, {"code": "unknown"}),
        ("/api/actions/status", 405, {"code": "wrong_arguments"}),
    ],
)
def test_an_error_is_a_status_a_code_and_a_sentence(page, box, path, status, error):
    found = read(page, path, box)
    assert found.status == status
    assert found.json["error"] | error == found.json["error"]


def test_a_head_is_answered_without_a_body(page, box):
    head = read(page, "/api/status", box, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == read(page, "/api/status", box).headers["content-length"]


def test_a_page_does_nothing_by_its_cookie_alone(box, page):
    refused = read(page, "/api/actions/status", box, method="POST", body=b"{}")
    assert (refused.status, refused.json["error"]["code"]) == (401, "not_signed_in")


def test_who_has_not_signed_in_reads_nothing(page):
    refused = visit(page, "/api/v1/status")
    assert (refused.status, refused.json["error"]["code"]) == (401, "not_signed_in")
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_the_socket_does_and_audits_what_it_is_asked(box, socket):
    done = post(socket, "/api/actions/write", b'{"value": 3}', host="")
    assert (done.status, done.json) == (200, "written")
    assert box.wrote == [3]
    assert [(entry.caller, entry.action, entry.outcome) for entry in box.audit] == [
        ("control socket", "write", "begun"),
        ("control socket", "write", "done"),
    ]


def test_an_action_without_arguments_needs_no_body(socket):
    assert post(socket, "/api/actions/status").json["box"]["model"] == "PRO"


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        (b'{"value": 11}', 400, "out_of_range", "value: found 11, expected a number of at most 10"),
        (b'{"valeu": 1}', 400, "wrong_arguments", "did you mean value?"),
        (b"{}", 400, "wrong_arguments", "value: missing"),
        (b"[1]", 400, "wrong_arguments", "body: found [1], expected one JSON object"),
        (b"{", 400, "wrong_arguments", "the body is not JSON"),
        (b"\xff\xfe", 400, "wrong_arguments", "the body is not JSON"),
        (b"[" * 40000, 400, "wrong_arguments", "the body is not JSON"),
        (b'{"value": NaN}', 400, "wrong_arguments", "value: found NaN"),
        (b" " * (BODY_MOST + 1), 413, "wrong_arguments", f"the body is longer than {BODY_MOST} bytes"),
    ],
)
def test_bad_bodies_are_refused_in_words_and_nothing_is_done(box, socket, body, status, code, words):
    refused = post(socket, "/api/actions/write", body)
    assert refused.status == status
    assert refused.json["error"]["code"] == code
    assert words in refused.json["error"]["message"]
    assert box.wrote == []


@pytest.mark.parametrize(
    ("result", "status", "code"),
    [
        (NotWritable("p"), 409, "not_writable"),
        (Busy("p"), 409, "busy"),
        (TooOften("p"), 429, "too_often"),
        (NotConfirmed("p"), 502, "not_confirmed"),
        (NoReply("p"), 504, "no_reply"),
        (ZeroDivisionError("a secret"), 500, "failed"),
    ],
)
def test_an_action_that_fails_is_told_by_status_and_code(box, socket, result, status, code):
    box.result = result
    failed = post(socket, "/api/actions/write", b'{"value": 3}')
    assert (failed.status, failed.json["error"]["code"]) == (status, code)
    assert "secret" not in failed.text


def test_an_unknown_action_is_404_and_a_known_one_wants_a_post(socket):
    unknown = post(socket, "/api/actions/wirte")
    assert unknown.status == 404
    assert "did you mean write?" in unknown.json["error"]["message"]
    wrong = visit(socket, "/api/actions/write")
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
    assert visit(socket, "/api/status", method="POST").headers["allow"] == "GET, HEAD"
    assert visit(socket, "/api/status", method="DELETE").status == 405


def test_a_result_that_takes_its_time_is_waited_for(box, socket):
    box.result = Deferred()
    visitor = Visit(socket)
    visitor.ask("/api/actions/write", method="POST", body=b'{"value": 3}')
    assert visitor.transport.value() == b""
    box.result.callback({"ok": True})
    assert visitor.answer().json == {"ok": True}
    visitor.end()


def test_a_caller_that_leaves_does_not_undo_what_it_asked_for(box, socket):
    box.result = Deferred()
    visitor = Visit(socket)
    visitor.ask("/api/actions/write", method="POST", body=json.dumps({"value": 3}).encode())
    visitor.end()
    box.result.callback({"ok": True})
    assert box.audit[-1].outcome == "done"


def test_what_is_not_the_api_is_not_on_the_socket(socket):
    assert visit(socket, "/").status == 404
    assert visit(socket, "/devices/main").status == 404


def test_a_line_its_trace_and_the_tasks_have_addresses_of_their_own(box, socket):
    tasks = Tasks(box.wall)
    for action in (*tracing_actions(box.traces), *task_actions(tasks)):
        box.table.register(action)
    box.exchanges = [Traced(n, n + 0.1, 1, bytes([n]), b"", "") for n in range(5)]
    task = tasks.start("scan native", lambda tell: Deferred())
    assert visit(socket, "/api/lines/native").json["name"] == "native"
    assert len(visit(socket, "/api/lines/native/trace").json) == 5
    assert [each["request"] for each in visit(socket, "/api/lines/native/trace?last=2").json] == ["03", "04"]
    assert [each["id"] for each in visit(socket, "/api/tasks").json] == [task.id]
    assert visit(socket, f"/api/tasks/{task.id}").json["state"] == "running"
    assert visit(socket, "/api/tasks/none").status == 404
    assert visit(socket, "/api/lines/nativ/trace").status == 404
    for wrong in ("last=two", "last=-1", "last=9999999999"):
        assert visit(socket, f"/api/lines/native/trace?{wrong}").status == 400
