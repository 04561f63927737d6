"""The portal of the running program: its first password, HTTPS and rules switched on while it runs, a restart."""

import http.client
import socket
import ssl
import stat

import pytest
import pytest_twisted

from concentrator.app.gate import FILE, kept_users
from concentrator.web.users import users_of
from tests.support.brokers import free_port
from tests.support.portal import Visitor
from tests.support.whole import BareBox

CONFIG = """
[box]
state_dir = "{state}"
plugin_dirs = []
[web]
listen = "tcp:{port}:interface=127.0.0.1"
"""


@pytest.fixture
def ports():
    return free_port(), free_port()


@pytest.fixture
def box(tmp_path, ports):
    box = BareBox(tmp_path, CONFIG.format(state=tmp_path / "state", port=ports[0]))
    yield box
    box.end()


def answer(connection, path="/login"):
    """The status and the headers of a page."""
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status, response.headers
    finally:
        connection.close()


def is_answering(connect):
    """Whether somebody answers there."""
    try:
        return answer(connect())[0]
    except (OSError, http.client.HTTPException):
        return 0


@pytest_twisted.ensureDeferred
async def test_a_new_box_is_signed_in_to_with_its_own_password_and_switched_to_https_while_it_runs(box, ports):
    plain, secure = ports
    box.start()
    await box.until(
        lambda: is_answering(lambda: http.client.HTTPConnection("127.0.0.1", plain, timeout=5)), 20, "served"
    )
    [first] = users_of(kept_users(box.state / FILE))
    visitor = Visitor(plain, box.state)
    assert "CcMaster" in visitor.page("/settings/security")

    changes = {
        "web": {"https": f"tcp:{secure}:interface=127.0.0.1", "rules": ["/metrics ssl/basic"], "redirect": False}
    }
    assert box.act("config.set", changes=changes)["restart"] == []

    def over_tls():
        trust = ssl.create_default_context(cafile=str(box.state / "https.pem"))
        return http.client.HTTPSConnection("localhost", secure, timeout=5, context=trust)

    await box.until(lambda: is_answering(over_tls) == 200, 10, "served over HTTPS")
    assert stat.S_IMODE((box.state / "https.pem").stat().st_mode) == 0o600
    assert visitor.page("/settings/web")  # where it was served before it still is
    status, headers = answer(http.client.HTTPConnection("127.0.0.1", plain, timeout=5), "/metrics")
    assert (status, headers["location"]) == (307, f"https://127.0.0.1:{secure}/metrics")
    status, headers = answer(over_tls(), "/metrics")
    assert (status, headers["www-authenticate"]) == (401, 'Basic realm="config", charset="UTF-8"')

    assert box.act("config.set", changes={"web": {"https": None, "rules": None}})["restart"] == []
    await box.until(lambda: not is_answering(over_tls), 10, "silent on HTTPS")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        there = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
        box.act("config.set", changes={"web": {"listen": there}})
        await box.until(lambda: "the portal is not served" in box.log(), 10, "told that the port is taken")
        assert visitor.page("/settings/web")  # nobody is cut off by a port that cannot be had
    box.act("config.set", changes={"web": {"listen": f"tcp:{plain}:interface=127.0.0.1"}})

    box.stop()
    box.start()
    await box.until(lambda: is_answering(lambda: http.client.HTTPConnection("127.0.0.1", plain, timeout=5)), 20, "back")
    with pytest.raises(AssertionError, match="303"):
        visitor.page("/settings/security")  # nobody is signed in after a restart
    assert Visitor(plain, box.state).page("/settings/security")
    assert first.first not in box.log() and first.password not in box.log()
    box.stop()
