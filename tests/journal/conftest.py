import pytest

from tests.support.journals import Bench


@pytest.fixture
def bench(tmp_path):
    """A bench whose journals are files."""
    bench = Bench(tmp_path / "journal.db")
    yield bench
    bench.end()


@pytest.fixture(params=["memory", "disk"])
def both(request, tmp_path):
    """A bench for the promises that hold in memory and on disk alike."""
    bench = Bench(tmp_path / "journal.db" if request.param == "disk" else None)
    yield bench
    bench.end()
