"""Services › MQTT and FTP: settings that come back complete when something is wrong, and trials that save nothing."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from concentrator.api import UplinkState
from concentrator.app.trials import BoxTrials
from concentrator.model.errors import TryLater
from concentrator.web.access import Role
from tests.support.certificates import identity
from tests.support.config_box import TEXT, ConfigBox
from tests.support.pages import Page, Visitor, kept
from tests.support.web import NOW, Visit, form_of, visit

MQTT, FTP = "/services/mqtt", "/services/ftp"
EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def box(tmp_path):
    return ConfigBox(tmp_path)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def site(box, clock):
    yield box.site(clock)
    assert not clock.getDelayedCalls()


def test_the_first_sentence_says_how_delivering_does(box, visitor):
    assert "Connected since 10:31; 0 waiting; last acknowledged 10:41:04." in visitor.open(MQTT).words
    box.uplinks = [UplinkState("mqtt", "mqtt", "x", False, NOW - 600, NOW - 700, "Connection refused.", waiting=12)]
    assert "No connection since 10:31: Connection refused. 12 waiting; none is lost." in visitor.open(MQTT).words
    box.uplinks = []
    assert "Off. Data stays on this box." in visitor.open(FTP).words
    assert "Switched on; not at work yet." in visitor.open(MQTT).words
    box.uplinks = [UplinkState("ftp", "ftp", "x", True, NOW - 600, NOW - 60, waiting=0)]
    assert "Delivering since 10:31; 0 waiting; last file 10:40:07." in visitor.open(FTP).words
    box.uplinks = [UplinkState("ftp", "ftp", "x", waiting=3)]
    assert "Not connected yet; 3 waiting." in visitor.open(FTP).words


def test_every_field_of_the_manual_shows_what_the_file_has(visitor):
    fields = visitor.open(MQTT).fields
    was = fields.pop("was")
    assert fields == {
        "mqtt-enabled": "on",
        "mqtt-broker": "own",
        "mqtt-host": "mqtts://broker.example",
        "mqtt-port": "",
        "mqtt-client_id": "",
        "mqtt-user": "box",
        "mqtt-password": "",
        "mqtt-tls": "ca",
        "mqtt-ca_file": "",
        "mqtt-cert_file": "",
        "mqtt-keepalive": "60 s",
        "mqtt-protocol": "3.1.1",
        "mqtt-prefix_sub": "/ccm/srv",
        "mqtt-prefix_pub": "/ccm/dev",
        "mqtt-qos": "1",
        "mqtt-latency": "60 s",
        "mqtt-allow-read": "on",
    }
    assert "hunter2" not in was and set(json.loads(was)) >= {"mqtt-host", "mqtt-password"}
    fields = visitor.open(FTP).fields
    assert (fields["ftp-server"], fields["ftp-directory"], "ftp-enabled" in fields) == (
        "ftp.example",
        "/incoming",
        False,
    )


def test_the_hints_of_the_prefixes_are_always_there(visitor):
    words = visitor.open(MQTT).words
    assert "Prefix SUB This box publishes here; your server subscribes." in words
    assert "Prefix PUB Your server publishes here; this box listens." in words


def test_what_is_changed_is_saved_and_nothing_else(box, visitor):
    sent = visitor.send(MQTT, mqtt__port="8884", mqtt__qos="2", mqtt__latency="5 min", **{"mqtt-allow-write": "on"})
    assert (sent.answer.status, sent.answer.headers["location"]) == (303, MQTT)
    assert kept(box)["mqtt"] == tomllib.loads(TEXT)["mqtt"] | {
        "enabled": True,
        "port": 8884,
        "qos": 2,
        "latency": "5 min",
        "allow": ["read", "write"],
    }
    assert "# the cloud" in box.text
    assert box.config.mqtt["mqtt"].port == 8884
    assert "Saved at 10:41." in visitor.open(MQTT).words
    assert "Saved at" not in visitor.open(MQTT).words


def test_a_field_that_is_emptied_is_taken_out_of_the_file(box, visitor):
    visitor.send(MQTT, mqtt__port="8884")
    visitor.send(MQTT, mqtt__port="", mqtt__user="")
    assert "port" not in kept(box)["mqtt"] and "user" not in kept(box)["mqtt"]
    visitor.send(FTP, ftp__directory="")
    assert kept(box)["ftp"]["directory"] == ""


def test_saving_without_a_change_says_that_there_was_none(box, visitor):
    assert visitor.send(MQTT).answer.status == 303
    assert "Nothing was changed." in visitor.open(MQTT).words
    assert box.text == TEXT


def test_two_wrong_fields_come_back_with_all_that_was_typed(box, visitor):
    typed = {"mqtt__host": "broker.example", "mqtt__prefix_pub": "/ccm/srv", "mqtt__password": "n3w", "mqtt__user": "u"}
    page = visitor.send(MQTT, **typed)
    assert page.answer.status == 200 and box.text == TEXT
    faults = [
        'Host: found "broker.example". Start with mqtt:// or mqtts://, for example mqtts://broker.example.',
        'Prefix PUB: "/ccm/srv" is also Prefix SUB. Use another, for example /ccm/dev.',
    ]
    assert "Nothing was saved. Correct 2 fields." in page.words
    assert page.summary == faults
    assert [page.fault("mqtt-host"), page.fault("mqtt-prefix_pub")] == faults
    assert (page.fields["mqtt-host"], page.fields["mqtt-user"]) == ("broker.example", "u")
    assert page.fields["mqtt-password"] == "" and "n3w" not in page.html
    assert "<title>Error: MQTT" in page.html


def test_the_same_in_spanish(box, site):
    page = Visitor(box, site, language="es").send(MQTT, mqtt__host="broker.example", mqtt__port="70000")
    assert "No se ha guardado nada. Corrija 2 campos." in page.words
    assert page.fault("mqtt-host") == (
        'Servidor: hay "broker.example". Empiece por mqtt:// o mqtts://, por ejemplo mqtts://broker.example.'
    )
    assert page.fault("mqtt-port") == "Puerto: hay 70000. Use un número entero de 1 a 65535."


@pytest.mark.parametrize(
    ("path", "typed", "field", "sentence"),
    [
        (MQTT, {"mqtt__port": "abc"}, "mqtt-port", 'Port: found "abc". Use a whole number from 1 to 65535.'),
        (MQTT, {"mqtt__port": "9" * 5000}, "mqtt-port", 'Port: found "999'),
        (
            MQTT,
            {"mqtt__keepalive": "1 s"},
            "mqtt-keepalive",
            'Keepalive: found "1 s". Use 5 s to 18 h, for example 60 s.',
        ),
        (MQTT, {"mqtt__prefix_sub": "ccm"}, "mqtt-prefix_sub", 'Prefix SUB: found "ccm". Begin with /, end without'),
        (MQTT, {"mqtt__prefix_pub": "/ccm/srv/x"}, "mqtt-prefix_pub", '/ccm/srv" lie in each other. Use another'),
        (MQTT, {"mqtt__host": ""}, "mqtt-host", "Host: must not be empty. Start with mqtt:// or mqtts://"),
        (MQTT, {"mqtt__host": "mqtts://b:1"}, "mqtt-host", "Did you mean mqtts://b?"),
        (MQTT, {"mqtt__tls": "self-signed"}, "mqtt-cert_file", "choose the broker's certificate, or certificate type"),
        (MQTT, {"mqtt__broker": "default"}, "mqtt-broker", "this box was given no default broker. Choose own."),
        (FTP, {"ftp__enabled": "on", "ftp__server": ""}, "ftp-server", "Server: must not be empty. Use a name"),
        (FTP, {"ftp__server": "a b"}, "ftp-server", 'Server: found "a b". Use a name or an address without spaces'),
        (FTP, {"ftp__user": "a\tb"}, "ftp-user", "User: must be on one line."),
    ],
)
def test_a_fault_names_field_finding_and_rule(box, visitor, path, typed, field, sentence):
    page = visitor.send(path, **typed)
    assert sentence in page.fault(field)
    assert "Nothing was saved. Correct 1 field." in page.words and box.text == TEXT


def test_a_secret_is_never_shown_and_an_empty_field_keeps_it(box, visitor):
    page = visitor.open(MQTT)
    assert "Password Saved. Leave empty to keep it." in page.words and "hunter2" not in page.html
    visitor.send(MQTT, mqtt__user="other")
    assert kept(box)["mqtt"]["password"] == "hunter2"
    visitor.send(MQTT, mqtt__password="n3w")
    assert kept(box)["mqtt"]["password"] == "n3w"
    assert "n3w" not in str(box.audit)


def test_a_secret_that_was_typed_before_a_fault_need_not_be_typed_again(box, visitor):
    page = visitor.send(MQTT, mqtt__password="n3w", mqtt__host="x")
    assert "Password Typed, not saved yet. Leave empty to use it." in page.words
    visitor.send(MQTT, page, mqtt__host="mqtts://broker.example")
    assert kept(box)["mqtt"]["password"] == "n3w"
    visitor.send(MQTT, mqtt__password="another", mqtt__host="x")
    assert "Saved. Leave empty to keep it." in visitor.open(MQTT).words
    visitor.send(MQTT, mqtt__user="u2")
    assert kept(box)["mqtt"]["password"] == "n3w"


def test_a_password_of_its_own_takes_the_place_of_the_file_with_it(tmp_path):
    (tmp_path / "secret").write_text("from the file")
    box = ConfigBox(tmp_path, TEXT.replace('password = "hunter2"', 'password_file = "secret"'))
    visitor = Visitor(box, box.site(Clock()))
    assert "Password Saved. Leave empty to keep it." in visitor.open(MQTT).words
    visitor.send(MQTT, mqtt__password="n3w")
    assert kept(box)["mqtt"]["password"] == "n3w" and "password_file" not in kept(box)["mqtt"]


def test_a_service_that_is_not_in_the_file_is_off_until_it_is_switched_on(tmp_path):
    box = ConfigBox(tmp_path, '[box]\nstate_dir = "state"\n')
    visitor = Visitor(box, box.site(Clock()))
    for path, name in ((MQTT, "mqtt-enabled"), (FTP, "ftp-enabled")):
        assert name not in visitor.open(path).fields
    visitor.send(MQTT, mqtt__host="mqtts://b")
    assert kept(box)["mqtt"] == {"host": "mqtts://b", "enabled": False}
    visitor.send(FTP, ftp__server="f", ftp__enabled="on")
    assert kept(box)["ftp"] == {"server": "f", "enabled": True}


def test_what_somebody_else_saved_meanwhile_stands_beside_what_is_typed(box, site, visitor):
    page = visitor.open(MQTT)
    other = Visitor(box, site, Role.ADMINISTRATOR)
    other.send(MQTT, mqtt__host="mqtts://theirs.example", mqtt__user="them")
    saved = box.text
    mine = visitor.send(MQTT, page, mqtt__host="mqtts://mine.example", mqtt__port="1")
    assert box.text == saved
    said = "administrator changed this page at 10:41. Your entries are kept below; theirs are beside them."
    assert said in mine.words
    assert "Saved meanwhile: mqtts://theirs.example" in mine.words
    assert "User Changed meanwhile; this is what was saved." in mine.words
    assert (mine.fields["mqtt-host"], mine.fields["mqtt-user"]) == ("mqtts://mine.example", "them")
    assert visitor.send(MQTT, mine).answer.status == 303
    assert (kept(box)["mqtt"]["host"], kept(box)["mqtt"]["user"]) == ("mqtts://mine.example", "them")


def test_a_change_by_hand_is_met_too_and_the_same_change_is_none(box, visitor):
    page = visitor.open(MQTT)
    box.path.write_text(TEXT.replace("broker.example", "b2.example"))
    assert "This page was changed meanwhile." in visitor.send(MQTT, page, mqtt__host="mqtts://mine").words
    assert visitor.send(MQTT, page, mqtt__host="mqtts://b2.example", mqtt__port="2").answer.status == 303


def test_marks_that_are_damaged_are_none(box, visitor):
    assert visitor.send(MQTT, was="{", mqtt__port="1").answer.status == 303
    assert visitor.send(MQTT, was="[1]", mqtt__port="2").answer.status == 303
    assert kept(box)["mqtt"]["port"] == 2


def test_a_viewer_sees_values_without_secrets_and_no_way_to_save(box, site):
    viewer = Visitor(box, site, Role.VIEWER)
    for path in (MQTT, FTP):
        page = viewer.open(path)
        assert "You are signed in as viewer. Changing this needs installer." in page.words
        assert 'class="save"' not in page.html and "<fieldset" in page.html and " disabled" in page.html
        assert viewer.send(path, page).answer.status == 403
    assert box.text == TEXT


def test_an_installer_cannot_give_a_broker_what_he_may_not_do_himself(box, visitor):
    page = visitor.send(MQTT, **{"mqtt-allow-system": "on"})
    assert "[mqtt] allows system, which installer is not" in page.words and box.text == TEXT


def test_a_further_broker_has_its_page_and_a_stranger_none(tmp_path):
    box = ConfigBox(tmp_path, TEXT + '\n[mqtt.other]\nhost = "mqtt://o"\nlatency = "1 h"\n')
    box.uplinks = [UplinkState(name, "mqtt", "x", True, NOW, NOW, waiting=0) for name in ("mqtt", "mqtt.other")]
    visitor = Visitor(box, box.site(Clock()))
    assert 'href="/services/mqtt/other"' in visitor.open(MQTT).html
    assert visitor.open(f"{MQTT}/other").fields["mqtt-other-host"] == "mqtt://o"
    visitor.send(f"{MQTT}/other", **{"mqtt-other-port": "1884"})
    assert kept(box)["mqtt"]["other"]["port"] == 1884
    assert visitor.open(f"{MQTT}/nobody").answer.status == 404


def test_what_others_typed_is_shown_as_text(tmp_path):
    box = ConfigBox(tmp_path, TEXT.replace('"box"', json.dumps(EVIL)))
    page = Visitor(box, box.site(Clock())).open(MQTT)
    assert "<script>alert" not in page.html and page.fields["mqtt-user"] == EVIL
    page = Visitor(box, box.site(Clock())).send(MQTT, mqtt__host=EVIL)
    assert "<script>alert" not in page.html


# -- files


def sent_with_file(box, site, path, name, content, **typed):
    page = Visitor(box, site).open(path)
    fields = page.fields | typed | {"token": box.sessions.find(box.keys[Role.INSTALLER]).token}
    parts = [f'--X\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
    head = f'--X\r\nContent-Disposition: form-data; name="{name}"; filename="ca.pem"\r\n'
    body = "".join(parts).encode() + head.encode() + b"\r\n" + content + b"\r\n--X--\r\n"
    kind = "multipart/form-data; boundary=X"
    return Page(box.as_(Role.INSTALLER, site, path, method="POST", body=body, content_type=kind))


def test_a_certificate_is_kept_by_the_box_for_itself_alone(box, site, tmp_path):
    pem = Path(identity(tmp_path, "authority", is_authority=True).cert_file).read_bytes()
    sent = sent_with_file(box, site, MQTT, "mqtt-ca_file-file", pem)
    assert sent.answer.status == 303
    (file,) = (box.state_dir / "certificates").iterdir()
    assert kept(box)["mqtt"]["ca_file"] == str(file)
    assert (file.read_bytes(), file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (pem, 0o600, 0o700)
    page = Visitor(box, site).open(MQTT)
    assert f"Now: {file.name}" in page.words
    Visitor(box, site).send(MQTT, page, **{"mqtt-ca_file-none": "on"})
    assert "ca_file" not in kept(box)["mqtt"]


def test_a_file_that_is_no_certificate_is_refused_beside_its_field(box, site):
    page = sent_with_file(box, site, MQTT, "mqtt-ca_file-file", b"nothing here", **{"mqtt-user": "kept"})
    assert page.fault("mqtt-ca_file").startswith("CA certificate: this is no certificate. Choose a PEM file;")
    assert page.fields["mqtt-user"] == "kept" and box.text == TEXT
    page = sent_with_file(box, site, MQTT, "mqtt-ca_file-file", b"x" * 33_000)
    assert page.fault("mqtt-ca_file") == "CA certificate: this file is longer than 32 kB."


def test_a_certificate_outlives_a_fault_of_another_field(box, site, tmp_path):
    pem = Path(identity(tmp_path, "authority", is_authority=True).cert_file).read_bytes()
    page = sent_with_file(box, site, MQTT, "mqtt-ca_file-file", pem, **{"mqtt-host": "x"})
    assert page.fault("mqtt-host") and "Now: mqtt-ca-file-" in page.words
    assert Visitor(box, site).send(MQTT, page, **{"mqtt-host": "mqtts://b"}).answer.status == 303
    assert "certificates/mqtt-ca-file-" in kept(box)["mqtt"]["ca_file"]


# -- trials


def stages(*told, reason="", passed=None, **facts):
    listed = [{"name": name, "state": state, "ms": ms} for name, state, ms in told]
    return {"passed": passed, "stages": listed, "reason": reason, "said": "said so", "facts": facts}


GOOD = stages(("name", "passed", 2.2), ("port", "passed", 12.0), passed=True, topic="/t", ms=41)
TLS = stages(("name", "passed", 2.0), ("tls", "failed", 7.0), ("login", "waiting", None), reason="tls_authority",
             passed=False, issuer="Elsewhere")  # fmt: skip


def test_a_trial_is_of_what_is_typed_and_saves_nothing(box, visitor):
    box.played.ends = lambda tell: succeed(GOOD)
    page = visitor.send(MQTT, mqtt__host="mqtts://typed", mqtt__password="n3w", do="test")
    assert box.played.asked == [("mqtt", {"host": "mqtts://typed", "password": "n3w"})]
    assert box.text == TEXT and "n3w" not in str(box.audit)
    assert "✓ Name 2 ms ✓ Port 12 ms Test passed: a message went to /t and came back in 41 ms." in page.words
    assert page.fields["mqtt-host"] == "mqtts://typed"
    visitor.send(MQTT, page)
    assert (kept(box)["mqtt"]["host"], kept(box)["mqtt"]["password"]) == ("mqtts://typed", "n3w")


def test_a_trial_that_failed_says_where_and_why_and_saving_is_possible_all_the_same(box, visitor):
    box.played.ends = lambda tell: succeed(TLS)
    page = visitor.send(MQTT, do="test")
    assert "✓ Name 2 ms ✗ TLS 7 ms · Login not tried" in page.words
    said = 'TLS refused: the server\'s certificate is not signed by the CA you uploaded (issuer "Elsewhere").'
    assert said in page.words
    assert "Save anyway (the test failed)" in page.words


@pytest.mark.parametrize(
    ("path", "stage", "reason", "facts", "sentence"),
    [
        (MQTT, "login", "auth", {"user": "box"}, 'The broker refused user "box".'),
        (MQTT, "name", "name", {"host": "b"}, "No address is known for b."),
        (MQTT, "port", "refused", {"host": "b", "port": 1}, "b refuses port 1."),
        (MQTT, "port", "late", {"host": "b", "port": 1, "seconds": 15}, "b does not answer at port 1."),
        (MQTT, "return", "late", {"topic": "/t", "seconds": 15}, "did not send it back within 15 s"),
        (MQTT, "login", "late", {"seconds": 15}, "No answer within 15 s."),
        (MQTT, "tls", "tls", {}, "TLS failed: said so."),
        (MQTT, "tls", "tls_name", {"host": "b"}, "TLS refused: the server's certificate is not for b."),
        (MQTT, "login", "", {}, "Login failed: said so."),
        (FTP, "directory", "directory", {"dir": "/x"}, "Signed in, but directory /x does not exist."),
        (FTP, "login", "auth", {"user": "box"}, 'The server refused user "box".'),
        (FTP, "write", "write", {"dir": "/x", "file": "f"}, "The server did not take f in /x: said so."),
    ],
)
def test_each_way_of_failing_has_its_words_in_both_languages(box, site, path, stage, reason, facts, sentence):
    box.played.ends = lambda tell: succeed(stages((stage, "failed", 1.0), reason=reason, passed=False, **facts))
    assert sentence in Visitor(box, site).send(path, do="test", ftp__server="f").words
    spanish = Visitor(box, site, language="es").send(path, do="test", ftp__server="f").words
    assert sentence not in spanish and "Guardar igualmente (la prueba falló)" in spanish


def test_ftp_says_what_it_did(box, visitor):
    box.played.ends = lambda tell: succeed(stages(("delete", "passed", 1.0), passed=True, file="f.txt", dir="/in"))
    page = visitor.send(FTP, ftp__server="f", do="test")
    assert "Test passed: wrote, renamed and deleted f.txt in /in." in page.words
    assert box.played.asked == [("ftp", {"server": "f"})]


def test_without_a_script_the_page_waits_for_the_end_of_a_trial(box, site, clock, visitor):
    ended = Deferred()
    box.played.ends = lambda tell: ended
    page = visitor.open(MQTT)
    waiting = Visit(site)
    token = box.sessions.find(box.keys[Role.INSTALLER]).token
    request = form_of(page.fields | {"do": "test", "token": token})
    waiting.ask(MQTT, cookie=f"ccmaster={box.keys[Role.INSTALLER]}", **request)
    clock.pump([0.2] * 3)
    assert waiting.transport.value() == b""
    ended.callback(GOOD)
    clock.advance(0.2)
    assert b"200 OK" in waiting.transport.value()
    waiting.end()


def test_with_a_script_a_trial_is_followed_and_can_be_cancelled(box, site, visitor):
    told = []

    def going(tell):
        told.append(tell)
        tell(0.0, "name", stages(("name", "running", None), ("port", "waiting", None)))
        return Deferred()

    box.played.ends = going
    begun = visitor.send(MQTT, do="test", script="1").answer
    assert 'data-state="running"' in begun.text and "data-cancel" in begun.text and "<html" not in begun.text
    (address,) = re.findall(r'data-trial="([^"]+)"', begun.text)
    assert begun.headers["x-trial"] == address.rpartition("/")[2]
    told[0](0.5, "port", stages(("name", "passed", 3.0), ("port", "running", None)))
    followed = " ".join(re.sub(r"<[^>]+>", " ", box.as_(Role.INSTALLER, site, address).text).split())
    assert "✓ Name 3 ms … Port trying Cancel" in followed.replace("\u00a0", " ")
    assert box.as_(Role.VIEWER, site, address).status == 403
    cancelled = box.as_(Role.INSTALLER, site, address, fields={}).text
    assert 'data-state="failed"' in cancelled and "Test cancelled. Nothing was saved." in cancelled
    assert box.as_(Role.INSTALLER, site, "/services/test/nothing").status == 404
    assert box.as_(Role.INSTALLER, site, "/services/test/nothing", fields={}).status == 404


def test_a_trial_of_what_cannot_be_is_refused_beside_the_fields(box, visitor):
    real = BoxTrials(box.file, "4220080001", None, box.wall, lambda place: False)
    box.played.mqtt = real.mqtt
    page = visitor.send(MQTT, mqtt__host="broker.example", do="test")
    assert page.fault("mqtt-host").startswith('Host: found "broker.example".')
    assert box.text == TEXT


def test_one_trial_at_a_time(box, visitor):
    box.played.ends = lambda tell: Deferred()
    visitor.send(MQTT, do="test", script="1")
    page = visitor.send(MQTT, do="test", script="1")
    assert "x-trial" not in page.answer.headers and "a trial goes on already" in page.words
    box.tasks.stop()


def test_a_trial_that_breaks_off_says_so(box, visitor):
    def broken(tell):
        raise TryLater("no threads")

    box.played.ends = broken
    assert "The test broke off: The far side cannot take data now; everything is kept: no threads" in (
        visitor.send(MQTT, do="test").words
    )


def test_what_was_typed_when_the_session_had_ended_is_there_again_after_the_login(box, site):
    Deferred.fromCoroutine(box.users.begin("ana", "a password of mine"))
    Deferred.fromCoroutine(box.users.set_password("ana", "another one of mine"))
    typed = {"host": "mqtts://mine.example", "keepalive": "seven", "password": "geheim", "enabled": "on"}
    typed = {f"mqtt-{name}": said for name, said in typed.items()}
    sent = visit(site, MQTT, **form_of(typed))
    where = sent.headers["location"]
    login = visit(site, where)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', login.text))
    assert hidden["next"] == MQTT
    answers = {"user": "ana", "password": "another one of mine", **hidden}
    signed_in = visit(site, "/login", **form_of(answers))
    assert signed_in.headers["location"] == MQTT
    cookie = signed_in.headers["set-cookie"].partition(";")[0]
    page = visit(site, MQTT, cookie=cookie)
    assert 'value="mqtts://mine.example"' in page.text and 'value="seven"' in page.text
    assert "geheim" not in page.text
    assert "You were signed out meanwhile." in page.text
    assert "mqtts://mine.example" not in visit(site, MQTT, cookie=cookie).text, "once, and nothing was saved"
