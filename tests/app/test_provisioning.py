import pytest

from concentrator.app.config import load
from concentrator.app.provisioning import default_broker
from concentrator.model.errors import ConfigError

BROKER = """
[broker]
host = "mqtts://maker.example"
user = "box"
password = "hush"
ca_file = "maker-ca.pem"
client_cert_file = "box.pem"
"""


@pytest.fixture
def read(tmp_path):
    """Loads a configuration beside what a box was given, if anything; its first uplink."""

    def load_with(given, mqtt='[mqtt]\nbroker = "default"\nqos = 2\n', box=""):
        state = tmp_path / "state"
        state.mkdir()
        if given is not None:
            (state / "provisioning.toml").write_text(given)
        file = tmp_path / "ccmaster.toml"
        file.write_text(f'[box]\nstate_dir = "state"\n{box}{mqtt}')
        return load(file).mqtt["mqtt"]

    return load_with


def test_the_default_broker_is_what_the_box_was_given_and_the_rest_is_the_users(read, tmp_path):
    uplink = read(BROKER)
    assert (uplink.hostname, uplink.is_encrypted, uplink.port) == ("maker.example", True, 8883)
    assert (uplink.user, uplink.password, uplink.qos) == ("box", "hush", 2)
    assert (uplink.ca_file, uplink.client_cert_file) == (
        tmp_path / "state" / "maker-ca.pem",
        tmp_path / "state" / "box.pem",
    )
    assert "hush" not in repr(uplink)


def test_the_users_own_broker_stays_in_the_file_and_waits(read):
    uplink = read(BROKER, '[mqtt]\nbroker = "default"\nhost = "mqtt://own.example"\nport = 1884\nuser = "me"\n')
    assert (uplink.hostname, uplink.port, uplink.user) == ("maker.example", 8883, "box")


def test_ones_own_broker_needs_nothing_given(read):
    assert read(None, '[mqtt]\nhost = "mqtt://own.example"\n').hostname == "own.example"


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (None, 'ccmaster.toml: [mqtt] broker: found "default", expected "own", for this box was given no default'),
        ("", 'ccmaster.toml: [mqtt] broker: found "default", expected "own", for this box was given no default'),
        ("[broker]\n", "provisioning.toml: [broker] host: found nothing, expected mqtt://HOST or mqtts://HOST"),
        ('[broker]\nhost = "mqtt://b"\nprot = 1\n', "provisioning.toml: [broker] prot: found an unknown key"),
        ("[brokre]\n", "provisioning.toml: [brokre]: found an unknown section"),
        ("broker = 1\n", "provisioning.toml: broker: found a value, expected a section, [broker]"),
        ("[broker\n", "provisioning.toml: found"),
    ],
)
def test_what_is_missing_or_wrong_is_said_once_and_where(read, given, fault):
    with pytest.raises(ConfigError) as error:
        read(given)
    (told,) = error.value.faults
    assert fault in str(told)


def test_a_broken_file_harms_nobody_who_has_a_broker_of_his_own(read):
    assert read("[broker\n", '[mqtt]\nhost = "mqtt://own.example"\n').hostname == "own.example"


def test_no_file_is_no_broker(tmp_path):
    assert default_broker(tmp_path) is None


@pytest.mark.parametrize(
    ("box", "mqtt", "latency_s"),
    [
        ('model = "Lite NBIoT"\n', "", 900),
        ('model = "Lite NBIoT"\n', 'latency = "1 min"\n', 60),
        ('model = "PRO"\n', "", 10),
        ("", "", 10),
    ],
)
def test_over_nb_iot_the_usual_latency_is_a_quarter_of_an_hour(read, box, mqtt, latency_s):
    assert read(None, f'[mqtt]\nhost = "mqtt://b"\n{mqtt}', box).latency_s == latency_s


def test_a_cap_is_a_size_a_month(read):
    assert read(None, '[mqtt]\nhost = "mqtt://b"\nmonthly_cap = "50 MiB"\n').monthly_cap_bytes == 50 * 2**20
