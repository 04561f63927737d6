"""What tests share: a box behind its control socket, and the program asked as in a shell; a configuration from a text,
and what is wrong with one."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from concentrator.app.cli import main
from concentrator.app.config import load_checked
from concentrator.model.errors import ConfigError
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


@pytest.fixture
def config(tmp_path):
    """`config(text)` reads that text as a file."""

    def read(text):
        file = tmp_path / "ccmaster.toml"
        file.write_text(text)
        return load_checked(file)[0]

    return read


@pytest.fixture
def faults(config):
    """`faults(text)` gives what is wrong with it, without the file's name."""

    def found(text):
        with pytest.raises(ConfigError) as caught:
            config(text)
        return [str(fault).partition(": ")[2] for fault in caught.value.faults]

    return found
