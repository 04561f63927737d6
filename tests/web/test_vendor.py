import hashlib
import io
import tarfile

import pytest

from concentrator.web import vendor
from concentrator.web.pages import STATIC, StaticFiles
from concentrator.web.vendor import FILES, lay


def archive(**changes):
    """An archive with the files that are taken out of it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        for path in FILES:
            content = changes.get(path, path).encode()
            member = tarfile.TarInfo(path)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def expected(monkeypatch):
    made = archive()
    digest = hashlib.sha512(made).digest()
    monkeypatch.setattr(vendor, "INTEGRITY", vendor.base64.b64encode(digest).decode())
    return made


def test_the_files_are_laid_where_they_belong_and_fetched_once(tmp_path, expected):
    fetched = []

    def fetch():
        fetched.append(1)
        return expected

    assert lay(tmp_path / "vendor", fetch) == ""
    assert lay(tmp_path / "vendor", fetch) == ""
    assert {path.name: path.read_text() for path in (tmp_path / "vendor").iterdir()} == {
        name: path for path, name in FILES.items()
    }
    assert fetched == [1]


def test_anything_but_what_it_has_to_be_is_left_out(tmp_path, expected):
    other = archive(**{"package/LICENSE": "something else"})
    assert "is not what it was" in lay(tmp_path / "vendor", lambda: other)
    assert not (tmp_path / "vendor").exists()


def test_without_a_network_it_says_so_and_goes_on(tmp_path):
    def fetch():
        raise OSError("Network is unreachable")

    assert "cannot be fetched (Network is unreachable)" in lay(tmp_path / "vendor", fetch)


def test_the_portal_serves_them_under_their_own_names():
    files = StaticFiles(STATIC, "/static")
    assert files.has("uPlot.iife.min.js"), "this environment was made without a network: make clean demo"
    assert files.url("uPlot.min.css").startswith("/static/uPlot.min.css?v=")
    assert not files.has("unheard_of.js")
