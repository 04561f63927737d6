"""The reactor and the endpoints, without what only TLS needs. Importing them loads pyOpenSSL and cryptography, which
delays the first request on the bus and takes 12 MiB; nothing of ours asks them for TLS. Hides that pyOpenSSL looks
absent meanwhile; whoever wraps a connection in TLS afterwards finds it as usual."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_TLS = "OpenSSL"


def import_reactor() -> Any:
    """Twisted's reactor. Its `listenSSL`, `connectSSL` and transports' `startTLS` are missing unless TLS was loaded
    before; TLSMemoryBIOFactory is as it always is."""
    with _without_tls():
        from twisted.internet import reactor
    return reactor


def import_endpoints() -> None:
    """Loads Twisted's endpoints. Those for TLS, and `wrapClientTLS`, are missing unless TLS was loaded before, or the
    endpoints were."""
    with _without_tls():
        import_module("twisted.internet.endpoints")


@contextmanager
def _without_tls() -> Iterator[None]:
    is_hidden = _TLS not in sys.modules
    if is_hidden:
        sys.modules[_TLS] = None  # type: ignore[assignment]  # the import system's own mark of absence
    try:
        yield
    finally:
        if is_hidden:
            del sys.modules[_TLS]
