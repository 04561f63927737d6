import pytest

from concentrator.api import Happened
from concentrator.web.access import Role
from tests.support.web import NOW, FakeBox, Visit, visit


@pytest.fixture
def box():
    return FakeBox()


@pytest.fixture
def token(box):
    return f"Bearer {box.tokens.add('grafana', ['read'], NOW)}"


def follow(site, token):
    visitor = Visit(site)
    visitor.ask("/api/v1/events", version="1.0", authorization=token)
    return visitor


def test_a_program_reads_with_its_token(site, token):
    assert visit(site, "/api/v1/status", authorization=token).json["box"]["serial"] == "4220080001"
    done = visit(site, "/api/v1/actions/status", method="POST", body=b"{}", authorization=token)
    assert done.json["box"]["serial"] == "4220080001"


def test_the_document_names_what_the_table_has(site, box, token):
    said = visit(site, "/api/v1/openapi.json", authorization=token)
    assert said.headers["content-type"] == "application/json"
    assert said.json["info"]["version"] == "0.1.0"
    assert {path for path in said.json["paths"] if path.startswith("/actions/")} == {
        f"/actions/{action['name']}" for action in box.table.describe()
    }


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/openapi.json", "/api/v1/events", "/metrics"])
def test_nobody_who_is_not_known_sees_anything(site, path):
    refused = visit(site, path)
    assert (refused.status, refused.json["error"]["code"]) == (401, "not_signed_in")
    assert refused.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/openapi.json", "/api/v1/events", "/metrics"])
def test_a_token_that_does_not_allow_reading_reads_nothing(site, box, path):
    token = box.tokens.add("button", ["link"], NOW)
    assert visit(site, path, authorization=f"Bearer {token}").status == 403


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/status", "/api/status"])
def test_there_is_no_other_version(site, token, path):
    assert visit(site, path, authorization=token).status == 404


def test_the_stream_tells_of_devices_and_of_what_happened(site, box, token, clock):
    box.recent = [Happened(1, NOW - 5, "link.started", {"line": "native"})]
    reader = follow(site, token)
    (beat, said), *rest = reader.frames()
    assert (beat, said) == ("beat", {"time": "2026-11-21T09:41:07Z"})
    frames = dict(rest)
    assert frames["devices"].keys() == {"main", "workshop"}
    assert frames["devices"]["main"]["values"][2]["value"] == -1240.0
    assert frames["events"] == {":event.1": {"time": "2026-11-21T09:41:02Z", "event": "link.started", "line": "native"}}
    box.change("main", values={"p": 860.0})
    box.recent.append(Happened(2, NOW, "link.ended", {}))
    clock.pump([0.25] * 5)
    frames = dict(reader.frames())
    assert frames["devices"].keys() == {"main"}
    assert frames["devices"]["main"]["values"][2]["value"] == 860.0
    assert frames["events"].keys() == {":event.2"}
    reader.end()


def test_the_stream_ends_with_the_site(site, box, token):
    reader = follow(site, token)
    assert len(box.subscribers) == 1
    site.stopFactory()
    assert box.subscribers == []
    reader.end()


def test_the_figures_are_there_for_who_watches(site, box, token):
    found = visit(site, "/metrics", authorization=token)
    assert found.headers["content-type"].startswith("application/openmetrics-text")
    assert 'ccmaster_info{serial="4220080001"' in found.text and found.text.endswith("# EOF\n")
    assert box.as_(Role.VIEWER, site, "/metrics").status == 200


def test_anybody_may_ask_whether_the_box_is_well_and_learns_no_more(site, box):
    well = visit(site, "/healthz")
    assert (well.status, well.text) == (200, "ok\n")
    box.ailing = "the journal is not open"
    ailing = visit(site, "/healthz")
    assert (ailing.status, ailing.text) == (503, "the journal is not open\n")
    assert visit(site, "/healthz", method="POST").status == 405
