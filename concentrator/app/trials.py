"""Trials of the ways out with settings that are not saved. Hides how the configuration that would be is made of the
file and what is typed, and that the saved secrets stand in for those that are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field

from concentrator.actions.trials import Trial
from concentrator.api import Wall
from concentrator.app.config import load_checked
from concentrator.app.config_edit import with_settings
from concentrator.app.config_file import ConfigFile
from concentrator.app.config_sections import Config
from concentrator.app.threads import LooseThreads
from concentrator.app.uplinks import ftp_server, trust_of
from concentrator.model.errors import Unknown


@define(eq=False)
class BoxTrials:
    """Trials by the box with the serial `box` and the configuration in a file; `is_up` says whether the way out of a
    section is connected now."""

    _file: ConfigFile
    _box: str
    _reactor: Any
    _wall: Wall
    _is_up: Callable[[str], bool]
    _threads: LooseThreads = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._threads = LooseThreads(self._reactor, "ftp trial", 1)

    def mqtt(self, section: str, keys: Mapping[str, Any]) -> Trial:
        """See Trials."""
        if section.partition(".")[0] != "mqtt" or section.endswith("."):
            raise Unknown(f"section {section}; a trial is of mqtt or mqtt.NAME")
        made = self._config(section, keys).mqtt[section]

        def trial(tell: Any) -> Any:
            from concentrator.uplink.mqtt_trial import MqttTrial
            from concentrator.uplink.paho_link import Hello
            from concentrator.uplink.payload import Message

            topic = f"{made.prefix_sub}/{self._box}/test"
            client_id = made.client_id or f"ccmaster-{self._box}"
            if self._is_up(section):  # a broker throws out the other one of a name
                client_id = f"{client_id}-test"
            hello = Hello(client_id, Message(topic, b""), made.user, made.password, made.protocol, made.keepalive_s)
            around = (self._reactor, self._wall)
            return MqttTrial(*around, made.hostname, made.port, trust_of(made), hello, topic, made.qos).run(tell)

        return trial

    def ftp(self, keys: Mapping[str, Any]) -> Trial:
        """See Trials."""
        server = ftp_server(self._config("ftp", keys).ftp)

        def trial(tell: Any) -> Any:
            from concentrator.uplink.ftp_trial import FtpTrial

            return FtpTrial(server, self._box, self._threads, self._reactor, self._wall).run(tell)

        return trial

    def _config(self, section: str, keys: Mapping[str, Any]) -> Config:
        """The configuration with these keys in a section, which is on. Raises ConfigError."""
        text = self._file.text()
        after = self._file.edited(lambda: with_settings(text, {section: {**keys, "enabled": True}}))
        return load_checked(self._file.path, after)[0]
