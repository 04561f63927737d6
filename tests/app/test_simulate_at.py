"""concentrator.app.simulate_at: a simulated modem on a pseudo-terminal, driven by the box's own driver through a real
serial port."""

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from concentrator.line.endpoint import endpoint_from
from concentrator.sms.at_sms import AtSms
from concentrator.sms.terms import Ears, Kind, Outgoing
from tests.support.simulation import simulation

PATIENCE_S = 60


@pytest.mark.parametrize("options", [["--lump", "3"], ["--no-echo"]])
@pytest_twisted.ensureDeferred
async def test_a_message_comes_and_one_goes_through_a_real_port(tmp_path, options):
    from twisted.internet import reactor

    ready, received, arrived, reports = Deferred(), Deferred(), Deferred(), []

    def reported(reference, has_arrived):
        reports.append(has_arrived)
        if len(reports) == 3:
            arrived.callback(reports)

    port = str(tmp_path / "modem")
    with simulation("at-modem", "--link", port, "--registers-after", "0", "--sends-in", "0.05", *options) as modem:
        assert modem.ready == {"port": port}
        ears = Ears(received.callback, lambda: ready.callback(None), reported)
        driver = AtSms(endpoint_from(reactor, f"serial:{port}:baudrate=115200"), reactor, ears, wants_reports=True)
        driver.start()
        await ready.addTimeout(PATIENCE_S, reactor)
        assert await deferToThread(modem.tell, "receive +861366666666 SMS DETAIL") == {
            "done": "receive +861366666666 SMS DETAIL"
        }
        message = await received.addTimeout(PATIENCE_S, reactor)
        assert (message.sender, message.text) == ("+861366666666", "SMS DETAIL")
        text = "MODE AUTO, " * 30
        await driver.send(Outgoing("861366666666", text, Kind.ANSWER, 0.0, 0.0))
        assert await deferToThread(modem.heard) == {"sent": text, "to": "+861366666666"}
        assert await arrived.addTimeout(PATIENCE_S, reactor) == [True] * 3
        await driver.stop()


def test_a_command_that_it_does_not_know_is_told():
    with simulation("at-modem") as modem:
        assert "expected receive NUMBER TEXT" in modem.tell("dance")["error"]


def test_it_ends_when_it_is_told_to(tmp_path):
    with simulation("at-modem", "--link", str(tmp_path / "modem")) as modem:
        modem.process.terminate()
        assert modem.process.wait(30) == 0
    assert not (tmp_path / "modem").exists()
