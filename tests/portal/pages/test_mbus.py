"""Services › M-Bus: the gateway's pages with the labels of the CMe3000's manual, Figures 6 to 10."""

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from concentrator.api import LineState
from concentrator.mbusgate import life
from concentrator.portal.house import LOOKING
from concentrator.portal.mbus_cells import gateway_cells
from concentrator.portal.words import say_in
from concentrator.web.access import Role
from tests.support.certificates import identity
from tests.support.mbus_box import TEXT, MbusBox
from tests.support.pages import Page, Visitor, kept
from tests.support.web import FakeBox

PATH, ACCEPT, DISCONNECT, SERIAL = (
    "/services/mbus",
    "/services/mbus/accept",
    "/services/mbus/disconnect",
    "/services/mbus/serial",
)
HEAT, FAR = "?line=heat", "?line=far"


@pytest.fixture
def box(tmp_path):
    return MbusBox(tmp_path)


# -- statistics


def test_the_first_sentence_says_who_is_connected(box, visitor):
    assert "192.168.1.20 is connected and has line heat. Listening at tcp:10001." in visitor.open(PATH).words
    box.stand(life.CONNECTED, queued=2, trouble="port 10001 is taken")
    words = visitor.open(PATH).words
    assert "has line heat. Waiting behind it: 2. Listening at tcp:10001. port 10001 is taken" in words


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_way_a_gateway_stands_has_its_words(box, language):
    standings = (
        life.WAITING,
        life.ASKING,
        life.CONNECTED,
        life.ASIDE,
        life.DRAINING,
        life.LINGERING,
        life.CLOSED,
    )
    said = set()
    for standing in standings:
        box.stand(standing)
        state = box.table.call("mbus.gateways", {}, LOOKING).result[0]
        said.add(gateway_cells(state, say_in(language))[":gateway.said"]["text"])
    assert len(said) == len(standings)


def test_the_counters_have_the_manuals_labels_in_its_order(visitor):
    words = visitor.open(PATH).words
    assert (
        "Aggregate Counters Completed Accepts 4 Completed Connects 0 Disconnects 3 Dropped Accepts 2 "
        "Dropped Connects 0 Octets forwarded from Serial 12 480 Octets forwarded from Network 0 "
        "Accept Connection Time 1 days 02:03:04"
    ) in words.replace("\u202f", " ")
    assert "Denied Accepts 1 Octets dropped as late 0 Frames filtered 0" in words
    assert "Connect 1 Connection Time 0 days 00:00:00" in words and "Connect 12 Connection Time" in words


def test_the_pages_speak_spanish_too(box, site):
    words = Visitor(box, site, language="es").open(PATH).words
    assert "Conexiones aceptadas 4" in words and "1 días 02:03:04" in words


def test_only_the_administrator_throws_a_client_out(box, site):
    admin = Visitor(box, site, Role.ADMINISTRATOR)
    assert "Disconnect the client" in admin.open(PATH).words
    assert "Disconnect the client" not in Visitor(box, site).open(PATH).words
    sent = {"name": "main", "line": "heat"}
    assert box.as_(Role.INSTALLER, site, f"{PATH}/leave", fields=sent).status == 403
    assert box.thrown_out == []
    answer = box.as_(Role.ADMINISTRATOR, site, f"{PATH}/leave", fields=sent)
    assert (answer.status, answer.headers["location"], box.thrown_out) == (303, f"{PATH}{HEAT}", ["main"])
    assert "Whoever was connected is not any more." in admin.open(PATH).words
    box.as_(Role.ADMINISTRATOR, site, f"{PATH}/leave", fields={"name": "gone", "line": "heat"})
    assert "M-Bus gateway gone" in admin.open(PATH).words


def test_a_line_that_is_not_there_has_no_page(box, site):
    for path in (PATH, ACCEPT, DISCONNECT, SERIAL):
        assert box.as_(Role.INSTALLER, site, f"{path}?line=native").status == 404
        assert box.as_(Role.INSTALLER, site, f"{path}?line=heat").status == 200


def test_a_box_without_an_m_bus_says_what_to_do(box, visitor):
    box.lines = [LineState("native", "serial:/dev/ttyUSB1", True, role="native")]
    for path in (PATH, ACCEPT, DISCONNECT, SERIAL):
        assert "No line of this box is an M-Bus." in visitor.open(path).words


# -- accept mode


def test_accept_mode_shows_what_the_file_has_and_the_manuals_defaults(visitor):
    fields = visitor.open(ACCEPT).fields
    fields.pop("was")
    assert {name.removeprefix("mbus_gateway-main-"): value for name, value in fields.items()} == {
        "enabled": "on",
        "port": "10001",
        "keepalive": "45 s",
        "interface": "0.0.0.0",
        "allow": "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 ::1/128 fe80::/10 fc00::/7",
        "when_busy": "refuse",
        "sharing": "exclusive",
        "forwarding": "bytes",
        "addresses": "",
        "tls_port": "0",
        "cert_file": "",
        "key_file": "",
        "clients_ca_file": "",
    }


def test_what_is_changed_is_saved_and_works_at_once(box, visitor):
    sent = visitor.send(
        ACCEPT + HEAT,
        **{
            "mbus_gateway-main-port": "10002",
            "mbus_gateway-main-allow": "10.0.0.0/8, 192.168.1.20",
            "mbus_gateway-main-when_busy": "queue",
            "mbus_gateway-main-addresses": "1 2, 253",
        },
    )
    assert (sent.answer.status, sent.answer.headers["location"]) == (303, ACCEPT + HEAT)
    assert kept(box)["mbus_gateway"]["main"] == {
        "line": "heat",
        "enabled": True,
        "port": 10002,
        "allow": ["10.0.0.0/8", "192.168.1.20"],
        "when_busy": "queue",
        "addresses": [1, 2, 253],
    }
    assert box.config.gateways["main"].port == 10002
    words = visitor.open(ACCEPT).words
    assert "Saved at 10:41." in words and "Works after a restart" not in words
    visitor.send(ACCEPT, **{"mbus_gateway-main-addresses": ""})
    assert "addresses" not in kept(box)["mbus_gateway"]["main"]


def test_what_is_wrong_stands_beside_its_field(box, visitor):
    page = visitor.send(
        ACCEPT,
        **{
            "mbus_gateway-main-port": "99999",
            "mbus_gateway-main-allow": "everybody",
            "mbus_gateway-main-addresses": "1 x",
        },
    )
    assert page.answer.status == 200
    assert page.fault("mbus_gateway-main-port").startswith("Local Port: found 99999. Use a whole number from 0 to")
    assert page.fault("mbus_gateway-main-allow") == (
        'Who may connect: found ["everybody"]. Use networks or addresses, for example 192.168.1.0/24.'
    )
    assert "x" in page.fault("mbus_gateway-main-addresses")
    assert page.fields["mbus_gateway-main-allow"] == "everybody"
    assert box.text == TEXT


def test_a_viewer_sees_the_settings_and_saves_none(box, site):
    viewer = Visitor(box, site, Role.VIEWER)
    page = viewer.open(ACCEPT)
    assert "You are signed in as viewer. Changing this needs installer." in page.words and "Save" not in page.words
    assert viewer.send(ACCEPT, **{"mbus_gateway-main-port": "10002"}).answer.status == 403
    assert box.text == TEXT


def test_a_gateway_that_is_off_says_so_on_its_statistics(box, visitor):
    visitor.send(ACCEPT, **{"mbus_gateway-main-enabled": None})
    assert kept(box)["mbus_gateway"]["main"]["enabled"] is False
    running, box.states = box.states, []
    assert "The gateway of line heat is switched off, in Accept Mode." in visitor.open(PATH).words
    visitor.send(ACCEPT, **{"mbus_gateway-main-enabled": "on"})
    assert "Switched on; not at work yet." in visitor.open(PATH).words
    box.states = running
    assert "is connected and has line heat" in visitor.open(PATH).words


def test_a_line_without_a_gateway_gets_one_at_a_free_port(box, site, visitor):
    for path in (PATH, ACCEPT, DISCONNECT):
        assert "Line far has no gateway: only this box reads it." in visitor.open(path + FAR).words
    viewer = Visitor(box, site, Role.VIEWER)
    assert "Set up a gateway" not in viewer.open(ACCEPT + FAR).words
    for _ in range(2):
        answer = box.as_(Role.INSTALLER, site, ACCEPT + FAR, fields={"do": "new"})
        assert (answer.status, answer.headers["location"]) == (303, ACCEPT + FAR)
    assert kept(box)["mbus_gateway"]["far"] == {"line": "far", "port": 10002}
    page = visitor.open(ACCEPT + FAR)
    assert "Line far has a gateway at port 10002." in page.words
    assert page.fields["mbus_gateway-far-port"] == "10002"


def test_a_gateway_gets_a_port_for_tls_with_the_files_it_takes(box, site, visitor, tmp_path):
    name = "mbus_gateway-main-"
    page = visitor.send(ACCEPT + HEAT, **{f"{name}tls_port": "10002"})
    assert "Certificate of this box" in page.words and box.text == TEXT  # without a certificate there is no TLS
    pem = Path(identity(tmp_path, "box").cert_file).read_bytes()
    typed = {f"{name}tls_port": "10002", f"{name}port": "0", f"{name}key_file": "/etc/box.key"}
    fields = visitor.open(ACCEPT).fields | typed | {"token": box.sessions.find(box.keys[Role.INSTALLER]).token}
    head = '--X\r\nContent-Disposition: form-data; name="{}"'
    parts = [f"{head.format(key)}\r\n\r\n{value}\r\n".encode() for key, value in fields.items()]
    for file in ("cert_file", "clients_ca_file"):
        parts += [f'{head.format(f"{name}{file}-file")}; filename="a.pem"\r\n\r\n'.encode(), pem, b"\r\n"]
    sent = {"body": b"".join(parts) + b"--X--\r\n", "content_type": "multipart/form-data; boundary=X"}
    answer = box.as_(Role.INSTALLER, site, ACCEPT + HEAT, method="POST", **sent)
    assert (answer.status, answer.headers["location"]) == (303, ACCEPT + HEAT), Page(answer).words
    main = box.config.gateways["main"]
    assert (main.ports, str(main.key_file)) == ({"tls_port": 10002}, "/etc/box.key")
    assert main.cert_file.read_bytes() == main.clients_ca_file.read_bytes() == pem
    assert "mbus-gateway-main-cert-file-" in main.cert_file.name


# -- disconnect mode


def test_disconnect_mode_has_its_time_out_of_ten_seconds(box, visitor):
    page = visitor.open(DISCONNECT)
    assert page.fields["mbus_gateway-main-disconnect_timeout"] == "10 s"
    assert "Saving a change disconnects the client that is there." in page.words
    visitor.send(DISCONNECT, **{"mbus_gateway-main-disconnect_timeout": "20 s"})
    assert kept(box)["mbus_gateway"]["main"] == {"line": "heat", "disconnect_timeout": "20 s"}
    page = visitor.send(DISCONNECT, **{"mbus_gateway-main-disconnect_timeout": "soon"})
    assert page.fault("mbus_gateway-main-disconnect_timeout").startswith("Disconnect Timeout: found")


# -- serial


def test_serial_has_the_counters_of_figure_nine_for_both_directions(visitor):
    words = visitor.open(SERIAL).words.replace("\u202f", " ")
    assert "Line heat runs at 2400 8E1." in words
    assert "Receiver Transmitter Bytes 12 480 940 Breaks 0 Parity Errors Framing Errors Overrun Errors" in words
    assert "No Rx Buffer Errors Queued Receive Bytes 0 Queued Transmit Bytes 7" in words


def test_the_speed_is_changed_at_once_and_nothing_else_of_the_line(box, visitor):
    assert visitor.open(SERIAL).fields["line-heat-endpoint"] == "2400"
    sent = visitor.send(SERIAL + HEAT, **{"line-heat-endpoint": "300"})
    assert (sent.answer.status, sent.answer.headers["location"]) == (303, SERIAL + HEAT)
    assert kept(box)["line"]["heat"] == {"endpoint": "serial:/dev/ttyUSB0:baudrate=300", "role": "mbus"}
    assert "# the heat meters" in box.text
    words = visitor.open(SERIAL).words
    assert "Saved at 10:41." in words and "Works after a restart" not in words


@pytest.mark.parametrize(
    ("endpoint", "after"),
    [
        ("serial:/dev/ttyUSB0", "serial:/dev/ttyUSB0:baudrate=300"),
        ("serial:/dev/a\\\\:b:parity=N", "serial:/dev/a\\:b:parity=N:baudrate=300"),
    ],
)
def test_an_endpoint_that_says_no_speed_says_it_afterwards(tmp_path, endpoint, after):
    box = MbusBox(tmp_path, TEXT.replace("serial:/dev/ttyUSB0:baudrate=2400", endpoint))
    visitor = Visitor(box, box.site(Clock()))
    assert visitor.open(SERIAL).fields["line-heat-endpoint"] == "2400"
    visitor.send(SERIAL, **{"line-heat-endpoint": "300"})
    assert kept(box)["line"]["heat"]["endpoint"] == after


def test_the_speed_of_a_line_behind_a_network_is_not_ours_to_set(box, site, visitor):
    words = visitor.open(SERIAL + FAR).words
    assert "Line far is reached through tcp:192.168.4.30:10001; its speed is set there." in words
    assert "Baud Rate" not in words
    assert box.as_(Role.INSTALLER, site, SERIAL + FAR, fields={"line-far-endpoint": "300"}).status == 404


def test_a_box_without_gateways_has_no_such_pages():
    box = FakeBox()
    site = box.site(Clock())
    assert box.as_(Role.INSTALLER, site, PATH).status == 404
    assert PATH not in box.as_(Role.INSTALLER, site, "/menu").text


# -- live


def test_the_counters_are_kept_alive_and_a_gateway_that_ended_is_not(box, site):
    assert 'data-events="/live?of=%3Agateway.heat"' in box.as_(Role.VIEWER, site, PATH).text
    box.states = []
    assert "of=%3Agateway" not in box.as_(Role.VIEWER, site, PATH).text
