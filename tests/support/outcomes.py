"""What came of something that takes no time in a test."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


def outcome(coroutine: Any) -> Any:
    """The result of a coroutine that never really waits, or the exception it ended with."""
    found: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(found.append)
    assert found, "it waits for something"
    return found[0].value if isinstance(found[0], Failure) else found[0]
