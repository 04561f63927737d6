"""The sections of the ways out: MQTT uplinks, and files by FTP."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from attrs import Factory, frozen

from concentrator.app.address import broker_address, topic_prefix
from concentrator.app.rule import (
    Rule,
    choice,
    flag,
    latency,
    listed,
    one_of,
    path,
    size,
    text,
    time_of_day,
    whole,
    whole_division,
)
from concentrator.app.setting import setting
from concentrator.model.latency import MQTT_LATENCIES_S, format_duration

HOUR_S, DAY_S = 3600, 86400

NARROW_MODEL, NARROW_LATENCY = "Lite NBIoT", "15 min"
"""The model whose uplink is narrow, and its latency where none is given."""


def _mqtt_latency() -> Rule:
    words = [format_duration(each) for each in MQTT_LATENCIES_S]
    return latency(f"one of {', '.join(words)}", MQTT_LATENCIES_S.__contains__)


@frozen
class MqttSection:
    """An MQTT uplink, `[mqtt]`; further ones, `[mqtt.NAME]`, have the same keys. Without the section there is none."""

    enabled: bool = setting(flag(), True, "Whether it works.")
    broker: str = setting(
        choice("default", "own"),
        "own",
        "The maker's broker or your own. The default's address and credentials are those of `provisioning.toml` in "
        "`state_dir`; the keys here from `host` to `client_key_file` then wait for `own`.",
    )
    host: str = setting(broker_address(), Factory(str), "The broker; required when enabled and `own`.")
    port: int = setting(
        whole(1, 65535),
        Factory(lambda self: 8883 if self.is_encrypted else 1883, takes_self=True),
        "The broker's port.",
        shown="8883, or 1883 with mqtt://",
    )
    client_id: str = setting(text(), "", "The client identifier; empty: made from the box's serial.")
    user: str = setting(text(), "", "The user, where the broker wants one.")
    password: str = setting(text(), "", "The user's password.", is_secret=True)
    password_file: Path | None = setting(path(), None, "A file that holds the password, instead of `password`.")
    tls: str = setting(
        choice("ca", "self-signed"), "ca", "Whom mqtts:// trusts: a CA, or one self-signed certificate (`cert_file`)."
    )
    ca_file: Path | None = setting(path(), None, "The CA's root certificates, PEM.", shown="those of the system")
    cert_file: Path | None = setting(path(), None, "The broker's self-signed certificate, PEM.")
    client_cert_file: Path | None = setting(
        path(), None, "The box's own certificate, PEM, where the broker wants one; what vouches for it may follow it."
    )
    client_key_file: Path | None = setting(path(), None, "Its key, PEM.", shown="in the certificate's file")
    keepalive_s: int = setting(
        latency(
            "a duration 5 s … 18 h, whole seconds",
            lambda seconds: 5 <= seconds <= 18 * HOUR_S,
            "duration",
            least="5 s",
            most="18 h",
        ),
        "60 s",
        "The keep-alive of the connection.",
        key="keepalive",
    )
    prefix_sub: str = setting(topic_prefix(), "/ccm/srv", "The box publishes under it; the outside subscribes to it.")
    prefix_pub: str = setting(
        topic_prefix(),
        "/ccm/dev",
        "The outside publishes under it; the box takes commands there.",
    )
    qos: int = setting(one_of(0, 1, 2), 1, "The quality of service of data. 0 is outside the promise of delivery.")
    latency_s: int = setting(
        _mqtt_latency(),
        "10 s",
        f"One message a device each. On a {NARROW_MODEL} the default is {NARROW_LATENCY}.",
        key="latency",
    )
    monthly_cap_bytes: int = setting(
        size(0, 2**50),
        "0 B",
        "How much the connection may carry in a calendar month, both ways, TLS included; `0 B`: any amount. "
        "A fiftieth below it intervals wait, at it events too.",
        key="monthly_cap",
    )
    catch_up: int = setting(
        whole(1, 10_000), 100, "Records a second at most of what waited while the broker was away; fresh ones go first."
    )
    protocol: str = setting(choice("3.1.1", "5"), "3.1.1", "The version of MQTT.")
    allow: tuple[str, ...] = setting(
        listed(choice("read", "write", "output", "link", "config", "system")),
        ["read"],
        "The classes of commands it takes: [commands](commands.md) has the class of each. Writing is not among them "
        "unless it is put here.",
    )

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.host.startswith("mqtts:")

    @property
    def hostname(self) -> str:
        """The broker's name or address alone."""
        return urlsplit(self.host).hostname or ""


@frozen
class FtpSection:
    """Sending files by FTP. Without the section nothing is sent."""

    enabled: bool = setting(flag(), True, "Whether files are sent; history must be on too.")
    server: str = setting(
        text("a host name or address", r"[A-Za-z0-9.:_-]*", "host"), "", "The server; required when enabled."
    )
    port: int = setting(whole(1, 65535), 21, "The server's port.")
    directory: str = setting(text(), "/incoming", "The folder on the server; empty: where the login leads.")
    user: str = setting(text(), "", "The user; empty: anonymous.")
    password: str = setting(text(), "", "The user's password.", is_secret=True)
    password_file: Path | None = setting(path(), None, "A file that holds the password, instead of `password`.")
    tls: bool = setting(flag(), False, "Explicit TLS (FTPS).")
    ca_file: Path | None = setting(
        path(), None, "With `tls`, whom it trusts (PEM): a CA, or one server.", shown="those of the system"
    )
    sending_latency_s: int = setting(
        whole_division(DAY_S, 30, DAY_S, "day"),
        "1 h",
        "One file a device each, a multiple of history's latency; below 15 min for trials.",
        key="sending_latency",
    )
    time_of_day_s: int = setting(
        time_of_day(), "00:05", "When the file of the day's last period is sent, local time.", key="time_of_day"
    )
