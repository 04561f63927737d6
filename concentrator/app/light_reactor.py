"""The reactor, without what only TLS needs. Importing Twisted's reactor loads pyOpenSSL and cryptography, which
delays the first request on the bus; nothing of ours asks the reactor itself for TLS. Hides that
pyOpenSSL looks absent meanwhile; whoever wraps a connection in TLS afterwards finds it as usual."""

from __future__ import annotations

import sys
from typing import Any

_TLS = "OpenSSL"


def import_reactor() -> Any:
    """Twisted's reactor. Its `listenSSL`, `connectSSL` and transports' `startTLS` are missing unless TLS was loaded
    before; `wrapClientTLS` and TLSMemoryBIOFactory are as they always are."""
    is_hidden = _TLS not in sys.modules
    if is_hidden:
        sys.modules[_TLS] = None  # type: ignore[assignment]  # the import system's own mark of absence
    try:
        from twisted.internet import reactor
    finally:
        if is_hidden:
            del sys.modules[_TLS]
    return reactor
