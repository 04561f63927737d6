import threading

import pytest_twisted
from twisted.internet.defer import fail, succeed

from concentrator.app.threads import LooseThreads


def threads():
    from twisted.internet import reactor

    return LooseThreads(reactor, "test")


@pytest_twisted.ensureDeferred
async def test_work_is_done_in_a_thread_that_does_not_keep_the_process():
    assert await threads().run(lambda: threading.current_thread().daemon)


@pytest_twisted.ensureDeferred
async def test_what_work_raises_comes_out():
    def work():
        raise ValueError("so it is")

    try:
        await threads().run(work)
    except ValueError as why:
        assert str(why) == "so it is"
    else:
        raise AssertionError("it did not come out")


@pytest_twisted.ensureDeferred
async def test_work_can_ask_where_everything_else_runs():
    loose = threads()
    here = threading.get_ident()
    assert await loose.run(lambda: loose.wait_for(lambda: succeed(threading.get_ident()))) == here


@pytest_twisted.ensureDeferred
async def test_what_was_asked_in_vain_is_raised_in_the_work():
    loose = threads()

    def work():
        try:
            return loose.wait_for(lambda: fail(KeyError("no such")))
        except KeyError as why:
            return repr(why)

    assert await loose.run(work) == "KeyError('no such')"
