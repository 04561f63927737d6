"""The REST API of the whole program, asked everything that its own document allows, and much that it does not, by a
program that is none of ours."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest_twisted
from twisted.internet.threads import deferToThread

from concentrator.app.launch import environment
from tests.support.brokers import free_port
from tests.support.bus import simulated_bus
from tests.support.sites import meter, site
from tests.support.whole import BareBox

LEFT_OUT = ("reboot", "get.events")
"""What ends the program, or does not end itself; both have tests of their own."""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)


def examined(port, token):
    """What schemathesis has to say of the API."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"http://127.0.0.1:{port}/api/v1/openapi.json",
        "--header",
        f"Authorization: Bearer {token}",
        "--checks",
        ",".join(CHECKS),
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        "12",
        "--seed",
        "7",
        "--warnings",
        "off",
        "--no-color",
        *(f"--exclude-operation-id={each}" for each in LEFT_OUT),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=400, env=environment())


def get(port, path, **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def is_served(port):
    try:
        return get(port, "/healthz")[0] == 200
    except OSError:
        return False


@pytest_twisted.ensureDeferred
async def test_the_api_does_what_its_document_says_whatever_it_is_asked(tmp_path):
    port = free_port()
    with simulated_bus(tmp_path, "--meters", "1") as bus:
        config = site(tmp_path, bus.port, meter("main", 1))
        box = BareBox(tmp_path, config.replace("listen = []", f'listen = "tcp:{port}:interface=127.0.0.1"'))
        try:
            box.start()
            await box.until(lambda: box.status() and box.values("main")["v1"], 20, "reading")
            await box.until(lambda: is_served(port), 20, "serving its portal")
            assert (await deferToThread(get, port, "/api/v1/status"))[0] == 401
            allowed = ["read", "write", "output", "link", "config", "system"]
            token = box.act("token.add", name="examiner", allow=allowed)["token"]
            examination = await deferToThread(examined, port, token)
            assert examination.returncode == 0, examination.stdout[-60000:] + examination.stderr[-2000:]
            status, figures = await deferToThread(get, port, "/metrics", Authorization=f"Bearer {token}")
            assert status == 200 and 'ccmaster_line_requests_total{line="native"}' in figures
            assert await deferToThread(get, port, "/healthz") == (200, "ok\n")
            said = json.loads((await deferToThread(get, port, "/api/v1/status", Authorization=f"Bearer {token}"))[1])
            assert said["devices"]["answering"] >= 1, "it went on reading"
            assert token not in box.log()
            box.stop()
            assert "Traceback" not in box.log(), box.log()[-6000:]
        finally:
            box.end()
