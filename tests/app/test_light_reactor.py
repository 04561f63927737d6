"""concentrator.app.light_reactor: TLS is not loaded with the reactor, and is there when somebody wants it."""

import subprocess
import sys

import pytest

from concentrator.app.launch import environment

LOADED = """
import sys
from concentrator.app.light_reactor import import_endpoints, import_reactor
{before}
reactor = import_reactor()
import_endpoints()
from twisted.internet.endpoints import HostnameEndpoint
print(hasattr(reactor, "listenTCP"), "OpenSSL.SSL" in sys.modules)
from twisted.protocols.tls import TLSMemoryBIOFactory
print("OpenSSL.SSL" in sys.modules, import_reactor() is reactor)
"""


@pytest.mark.parametrize(("before", "with_reactor"), [("", "True False"), ("import OpenSSL.SSL", "True True")])
def test_tls_is_loaded_by_whoever_wants_it(before, with_reactor):
    script = LOADED.format(before=before)
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=True, timeout=60
    )
    assert ended.stdout.splitlines() == [with_reactor, "True True"]
