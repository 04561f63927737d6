import threading

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import gatherResults

from concentrator.journal.worker import DiskThread
from tests.support.journals import AtOnce


@pytest.fixture(params=[lambda: DiskThread(reactor), AtOnce], ids=["a thread", "none"])
def worker(request):
    worker = request.param()
    worker.start()
    yield worker
    worker.stop()


@pytest_twisted.ensureDeferred
async def test_jobs_run_one_after_another_in_the_order_given(worker):
    seen = []
    busy = threading.Lock()

    def job(i, more):
        assert busy.acquire(blocking=False)
        seen.append(i + more)
        busy.release()
        return i

    assert await gatherResults([worker.run(job, i, more=0) for i in range(50)]) == list(range(50))
    assert seen == list(range(50))


@pytest_twisted.ensureDeferred
async def test_a_job_that_raises_fails_its_deferred_only(worker):
    failing = worker.run(lambda: 1 / 0)
    assert await worker.run(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await failing


@pytest_twisted.ensureDeferred
async def test_jobs_of_a_thread_run_in_one_thread_that_is_not_the_reactors():
    worker = DiskThread(reactor)
    worker.start()
    idents = set(await gatherResults([worker.run(threading.get_ident) for _ in range(20)]))
    worker.stop()
    assert len(idents) == 1
    assert threading.get_ident() not in idents
