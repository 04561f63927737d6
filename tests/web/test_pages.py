import pytest
from jinja2 import UndefinedError
from twisted.web.resource import Resource

from concentrator.web.pages import STATIC, Page, StaticFiles, Templates
from concentrator.web.site import GuardedSite
from tests.support.web import visit


@pytest.fixture
def site(clock, tmp_path):
    (tmp_path / "a.css").write_text("body{}" * 400)
    (tmp_path / "b.woff2").write_bytes(b"\0" * 4000)
    (tmp_path / "notes.md").write_text("not for visitors")
    root = Resource()
    files = StaticFiles(tmp_path, "/static")
    root.putChild(b"static", files)
    root.putChild(b"long", Page(lambda: b"<p>" * 1000, lambda: b"missing"))
    root.putChild(b"short", Page(lambda: b"<p>", lambda: b"missing"))
    root.putChild(b"none", Page(lambda: None, lambda: b"missing"))
    site = GuardedSite(root, clock)
    site.files = files
    return site


def test_what_is_put_into_a_page_is_escaped(tmp_path):
    (tmp_path / "x.html").write_text("<p>{{ alias }}</p>")
    assert Templates(tmp_path).render("x.html", alias="<b>x</b>") == b"<p>&lt;b&gt;x&lt;/b&gt;</p>"


def test_a_name_nobody_gave_is_an_error_and_not_an_empty_place(tmp_path):
    (tmp_path / "x.html").write_text("{{ nobody }}")
    with pytest.raises(UndefinedError):
        Templates(tmp_path).render("x.html")


def test_the_first_folder_that_has_a_template_wins(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.html").write_text(name)
    assert Templates(tmp_path / "two", tmp_path / "one").render("x.html") == b"two"


def test_a_page_is_never_kept_and_is_compressed_where_it_is_worth_it(site):
    plain = visit(site, "/long")
    packed = visit(site, "/long", accept_encoding="br, gzip")
    short = visit(site, "/short", accept_encoding="gzip")
    assert plain.body == packed.body == b"<p>" * 1000
    assert plain.headers["cache-control"] == "no-store"
    assert int(packed.headers["content-length"]) < 100 < int(plain.headers["content-length"])
    assert "content-encoding" not in plain.headers and "content-encoding" not in short.headers


@pytest.mark.parametrize(
    ("offered", "is_packed"),
    [
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("gzip; q=0", False),
        ("gzip;q=0.00", False),
        ("br", False),
        ("x-gzip", False),
    ],
)
def test_a_visitor_gets_gzip_only_where_it_takes_it(site, offered, is_packed):
    assert ("content-encoding" in visit(site, "/long", accept_encoding=offered).headers) is is_packed


def test_what_is_not_there_is_404(site):
    for path in ("/none", "/long/more", "/long/"):
        found = visit(site, path)
        assert (found.status, found.text) == (404, "missing")


def test_a_head_has_the_length_and_no_body(site):
    for path in ("/long", site.files.url("a.css")):
        head, whole = visit(site, path, method="HEAD"), visit(site, path)
        assert head.body == b""
        assert head.headers["content-length"] == str(len(whole.body))


def test_a_file_may_be_kept_for_ever_under_the_address_that_names_its_content(site):
    found = visit(site, site.files.url("a.css"), accept_encoding="gzip")
    assert found.headers["cache-control"] == "max-age=31536000"
    assert found.headers["content-type"] == "text/css; charset=utf-8"
    assert found.body == b"body{}" * 400
    assert visit(site, "/static/a.css").headers["cache-control"] == "max-age=3600"


def test_a_file_the_browser_has_is_not_sent_again(site):
    tag = visit(site, "/static/a.css").headers["etag"]
    again = visit(site, "/static/a.css", if_none_match=tag, accept_encoding="gzip")
    assert (again.status, again.body) == (304, b"")


def test_what_is_packed_already_is_sent_as_it_is(site):
    found = visit(site, "/static/b.woff2", accept_encoding="gzip")
    assert found.body == bytes(4000) and "content-encoding" not in found.headers


def test_only_files_for_visitors_are_served(site):
    for path in ("/static/notes.md", "/static/../pages.py", "/static/%2e%2e/pages.py", "/static/", "/static"):
        assert visit(site, path).status == 404


def test_the_font_is_shipped_with_its_licence():
    assert "SIL OPEN FONT LICENSE" in (STATIC / "readout.licence.txt").read_text()
    assert (STATIC / "readout.woff2").read_bytes()[:4] == b"wOF2"
