"""The pages of services, settings and the first run in a real browser, with a script and without; trials go to a real
broker and a real server of files."""

from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from concentrator.app.config_file import ConfigFile
from concentrator.app.trials import BoxTrials
from tests.support.brokers import Mosquitto, SilentServer, free_port
from tests.support.certificates import identity
from tests.support.config_box import TEXT, ConfigBox
from tests.support.ftp_servers import FtpServerProcess
from tests.support.pages import kept
from tests.support.records import FixedWall

MQTT, FTP = "/services/mqtt", "/services/ftp"
# What Chromium advises on pages with two passwords is no complaint.
ADVICE = "[DOM]"


class Hands:
    """Somebody who fills in the forms of the pages that are served."""

    def __init__(self, served):
        self.served, self.box, self.browser, self.open = served, served.box, served.browser, served.open

    async def do(self, expression):
        return await self.browser.evaluate(f"void ({expression})")

    async def type(self, **fields):
        for name, value in fields.items():
            field = f"document.getElementById('f-{name.replace('__', '-')}')"
            set_ = (
                f"{field}.checked = {str(value).lower()}" if isinstance(value, bool) else f"{field}.value = {value!r}"
            )
            await self.do(f"({set_}, {field}.dispatchEvent(new Event('input', {{bubbles: true}})))")

    async def choose(self, name, file):
        """Chooses a file as a visitor would."""
        document = await self.browser.ask("DOM.getDocument")
        found = await self.browser.ask("DOM.querySelector", nodeId=document["root"]["nodeId"], selector=f"#f-{name}")
        await self.browser.ask("DOM.setFileInputFiles", nodeId=found["nodeId"], files=[str(file)])

    async def press(self, selector):
        """Presses a button, and waits until the page that follows is there."""
        await self.served.send(selector)

    async def text(self, selector="main"):
        found = await self.browser.evaluate(f"document.querySelector({selector!r})?.textContent ?? ''")
        return " ".join(found.split())

    async def states(self):
        return await self.browser.evaluate(
            "[...document.querySelectorAll('.trial li')].map((e) => e.dataset.state).join(' ')"
        )

    async def tried(self, script=True):
        """Presses Test, and gives what is said at the end."""
        if script:
            await self.do("document.querySelector('[data-test]').click()")
            await self.browser.until("['passed', 'failed'].includes(document.querySelector('.trial')?.dataset.state)")
        else:
            await self.press("[data-test]")
        return await self.text(".trial .verdict")


@pytest.fixture
def box(tmp_path):
    path = tmp_path / "ccmaster.toml"
    trials = BoxTrials(ConfigFile(path), "4220080001", reactor, FixedWall(), lambda place: False)
    return ConfigBox(tmp_path, TEXT, trials)


@pytest.fixture
def hands(served):
    hands = Hands(served)
    yield hands
    # A page with changes would ask before it is left.
    left = "document.querySelector('[data-form]')?.dispatchEvent(new Event('submit'))"
    pytest_twisted.blockon(Deferred.fromCoroutine(hands.do(left)))
    served.browser.errors[:] = [error for error in served.browser.errors if not error.startswith(ADVICE)]


@pytest.fixture
def authority(tmp_path):
    return identity(tmp_path, "authority", is_authority=True)


@pytest.fixture
def broker(tmp_path, authority):
    """A broker over TLS that knows one user."""
    (tmp_path / "broker").mkdir()
    who, users = identity(tmp_path, "server", authority), tmp_path / "users"
    # What mosquitto_passwd makes of "right".
    users.write_text(USERS)
    users.chmod(0o600)
    front = ["allow_anonymous false", f"password_file {users}", f"certfile {who.cert_file}", f"keyfile {who.key_file}"]
    broker = Mosquitto(tmp_path / "broker", front=front)
    broker.start()
    yield broker
    broker.stop()


def _users():
    import base64
    import hashlib

    salt = b"0123456789ab"
    made = hashlib.pbkdf2_hmac("sha512", b"right", salt, 101, 64)  # mosquitto_passwd(1)
    return f"box:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}\n"


USERS = _users()


@pytest.fixture
def files(tmp_path):
    root = tmp_path / "ftp"
    (root / "incoming").mkdir(parents=True)
    server = FtpServerProcess(root)
    server.start()
    yield server
    server.kill()


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_broker_is_tried_and_then_saved(hands, broker, authority, tmp_path, script):
    stranger = identity(tmp_path, "stranger", is_authority=True)
    await hands.open(MQTT, script=script)
    await hands.type(mqtt__host="mqtts://127.0.0.1", mqtt__port=str(broker.port), mqtt__password="wrong")
    await hands.choose("mqtt-ca_file", stranger.cert_file)
    assert await hands.tried(script) == (
        'TLS refused: the server\'s certificate is not signed by the CA you uploaded (issuer "authority").'
    )
    assert await hands.states() == "passed passed failed waiting waiting waiting waiting"
    assert await hands.text("[data-save]") == "Save anyway (the test failed)"
    await hands.choose("mqtt-ca_file", authority.cert_file)
    assert await hands.tried(script) == 'The broker refused user "box".'
    assert await hands.states() == "passed passed passed failed waiting waiting waiting"
    await hands.type(mqtt__password="right")
    said = await hands.tried(script)
    assert said.startswith("Test passed: a message went to /ccm/srv/4220080001/test and came back in ")
    assert await hands.states() == "passed passed passed passed passed passed passed"
    assert hands.box.text == TEXT
    await hands.press("[data-save]")
    assert "Saved at 10:41." in await hands.text()
    saved = kept(hands.box)["mqtt"]
    assert (saved["host"], saved["port"], saved["password"]) == ("mqtts://127.0.0.1", broker.port, "right")
    assert Path(saved["ca_file"]).read_text() == Path(authority.cert_file).read_text()


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_server_of_files_is_tried_and_then_saved(hands, files, script):
    await hands.open(FTP, script=script)
    await hands.type(ftp__enabled=True, ftp__server="127.0.0.1", ftp__port=str(files.port), ftp__user=files.user)
    await hands.type(ftp__password="wrong")
    assert await hands.tried(script) == f'The server refused user "{files.user}".'
    await hands.type(ftp__password=files.password, ftp__directory="/incomming")
    assert (await hands.tried(script)).startswith("Signed in, but directory /incomming does not exist.")
    await hands.type(ftp__directory="/incoming")
    assert (await hands.tried(script)).startswith("Test passed: wrote, renamed and deleted ccmaster-test-4220080001-")
    assert files.files() == {} and hands.box.text == TEXT
    await hands.press("[data-save]")
    assert kept(hands.box)["ftp"]["password"] == files.password
    await hands.type(ftp__tls=True)
    assert (await hands.tried(script)).startswith("The server does not speak TLS")


@pytest_twisted.ensureDeferred
async def test_a_trial_can_be_cancelled_while_it_goes_on(hands):
    silent = SilentServer()
    await hands.open(MQTT)
    await hands.type(mqtt__host="mqtt://127.0.0.1", mqtt__port=str(silent.port))
    await hands.do("document.querySelector('[data-test]').click()")
    await hands.browser.until("document.querySelector('.trial li[data-state=running] b')?.textContent === 'Login'")
    assert await hands.browser.evaluate("document.querySelector('[data-test]').disabled")
    await hands.do("document.querySelector('[data-cancel]').click()")
    await hands.browser.until("document.querySelector('.trial')?.dataset.state === 'failed'")
    assert await hands.text(".trial .verdict") == "Test cancelled. Nothing was saved."
    assert not await hands.browser.evaluate("document.querySelector('[data-test]').disabled")
    assert hands.box.tasks.all()[0].state == "cancelled"
    silent.close()


@pytest_twisted.ensureDeferred
async def test_a_trial_of_what_cannot_be_comes_back_with_its_faults(hands):
    await hands.open(MQTT)
    await hands.type(mqtt__host="broker.example", mqtt__user="kept")
    await hands.press("[data-test]")
    assert await hands.text("#f-mqtt-host-fault") == (
        'Host: found "broker.example". Start with mqtt:// or mqtts://, for example mqtts://broker.example.'
    )
    assert await hands.browser.evaluate("document.getElementById('f-mqtt-user').value") == "kept"
    assert await hands.browser.evaluate("document.activeElement.id") == "faults"


@pytest_twisted.ensureDeferred
async def test_changes_are_counted_and_leaving_asks(hands):
    await hands.open(MQTT)
    assert await hands.text("[data-dirty]") == ""
    await hands.type(mqtt__user="one")
    assert await hands.text("[data-dirty]") == "1 change not saved"
    await hands.type(mqtt__port="8884", mqtt__enabled=False)
    assert await hands.text("[data-dirty]") == "3 changes not saved"
    asks = "(() => { const e = new Event('beforeunload', {cancelable: true}); return !window.dispatchEvent(e) })()"
    assert await hands.browser.evaluate(asks)
    await hands.type(mqtt__user="box", mqtt__port="", mqtt__enabled=True)
    assert await hands.text("[data-dirty]") == ""
    assert not await hands.browser.evaluate(asks)


@pytest_twisted.ensureDeferred
async def test_the_zone_of_the_visitor_is_offered(hands):
    await hands.browser.ask("Emulation.setTimezoneOverride", timezoneId="Atlantic/Canary")
    await hands.open("/settings/timezone")
    assert await hands.text("[data-zone]") == "Use this device's: Atlantic/Canary"
    await hands.do("document.querySelector('[data-zone]').click()")
    assert await hands.text("[data-dirty]") == "1 change not saved"
    await hands.press("[data-save]")
    assert kept(hands.box)["box"]["timezone"] == "Atlantic/Canary"
    await hands.browser.ask("Emulation.setTimezoneOverride", timezoneId="")


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_the_first_run_goes_from_step_to_step(hands, script, files):
    await hands.open("/start", script=script)
    await hands.press("a[href='/start/1']")
    for step in ("1", "2", "4", "5", "6"):
        assert await hands.browser.evaluate("location.pathname") == f"/start/{step}"
        await hands.press("button[value=next]:not(.unseen)")
    await hands.type(ftp__enabled=True, ftp__server="127.0.0.1", ftp__port=str(free_port()))
    await hands.press("button[value=test-ftp]")
    assert "127.0.0.1 refuses port" in await hands.text(".trial .verdict")
    await hands.type(ftp__port=str(files.port), ftp__user=files.user, ftp__password=files.password)
    await hands.press("button[value=test-ftp]")
    assert (await hands.text(".trial .verdict")).startswith("Test passed: wrote, renamed and deleted")
    await hands.press("button[value=next]:not(.unseen)")
    assert "✓ MQTT and FTP" in await hands.text()
    await hands.press("button[value=next]:not(.unseen)")
    assert await hands.browser.evaluate("location.pathname") == "/info"
    assert kept(hands.box)["ftp"]["password"] == files.password


@pytest_twisted.ensureDeferred
async def test_without_a_script_a_page_with_faults_is_complete(hands):
    await hands.open(MQTT, script=False, language="es")
    await hands.type(mqtt__host="broker.example", mqtt__prefix_pub="/ccm/srv", mqtt__password="n3w")
    await hands.press("[data-save]")
    assert "No se ha guardado nada. Corrija 2 campos." in await hands.text("#faults")
    fields = "['host', 'prefix_pub', 'password'].map((e) => document.getElementById('f-mqtt-' + e).value).join('|')"
    assert await hands.browser.evaluate(fields) == "broker.example|/ccm/srv|"
    assert hands.box.text == TEXT


@pytest.mark.parametrize(
    "path", [MQTT, FTP, "/settings/historic", "/settings/timezone", "/start", "/start/8", "/start/9"]
)
@pytest_twisted.ensureDeferred
async def test_no_form_is_wider_than_a_narrow_phone(hands, path):
    await hands.open(path)
    await hands.browser.show(320, 700)
    wide = "[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > 320.5).length"
    assert await hands.browser.evaluate(wide) == 0
