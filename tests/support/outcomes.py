"""What came of something, in a test: of what takes no time, and of what has failed by now."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.table import ActionTable, Caller, Permission

_results = SynchronousTestCase()


def outcome(coroutine: Any) -> Any:
    """The result of a coroutine that never really waits, or the exception it ended with."""
    found: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(found.append)
    assert found, "it waits for something"
    return found[0].value if isinstance(found[0], Failure) else found[0]


def failed(deferred: Deferred[Any], error: type[Exception]) -> str:
    """The detail of the error with which a Deferred failed."""
    failure = _results.failureResultOf(deferred, error)
    assert type(failure.value) is error
    return failure.value.detail


def called(table: ActionTable, action: str, allowed: Permission = Permission.READ, **arguments: Any) -> Any:
    """What an action gives a caller who may do that, or the Failure it ends with."""
    found: list[Any] = []
    table.call(action, arguments, Caller("test", frozenset({allowed}))).addBoth(found.append)
    return found[0]
