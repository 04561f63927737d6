"""What the tests of the command line share: a box behind its control socket, and the program asked as in a shell."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from concentrator.app.cli import main
from concentrator.portal.doors import build_control_site


@pytest.fixture
def served(box, tmp_path):
    """The folder with the socket behind which the test's `box` answers."""
    port = reactor.listenUNIX(str(tmp_path / "control.sock"), build_control_site(box.table, clock=Clock()))
    yield tmp_path
    pytest_twisted.blockon(port.stopListening())


@pytest.fixture
def run(served, capsys):
    """`await run("devices", "list")` gives status, output and complaints of one command, asked of the test's `box`."""

    async def run(*arguments, place=("--state-dir", str(served))):
        status = await deferToThread(main, [*arguments, *place])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run
