"""The whole program with an encrypted broker: the reactor is loaded without TLS, the connection has it all the same."""

import pytest_twisted

from tests.support.bus import simulated_bus
from tests.support.certificates import identity
from tests.support.whole import WholeBox


@pytest_twisted.ensureDeferred
async def test_messages_go_out_over_tls(tmp_path):
    authority = identity(tmp_path, "authority", is_authority=True)
    served = identity(tmp_path, "broker", authority)
    front = ["allow_anonymous true", f"certfile {served.cert_file}", f"keyfile {served.key_file}"]
    with simulated_bus(tmp_path, "--meters", "1") as bus:
        box = WholeBox(tmp_path, bus, front, f'ca_file = "{authority.cert_file}"')
        try:
            box.begin()
            await box.until(lambda: box.subscriber.data(), 30, "a first message")
            assert box.status()["uplinks"][0]["address"].startswith("mqtts://")
            box.stop()
            assert "Traceback" not in box.log()
        finally:
            box.end()
