"""Trials of the ways out as actions that begin tasks: what is typed is really tried, and nothing is saved. Hides that
only one trial of a way out goes on at a time, and that secrets are in no audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.settings import must_be_values
from concentrator.actions.table import Action, Permission
from concentrator.actions.tasks import RUNNING, Tasks, Tell
from concentrator.model.errors import Busy

MQTT, FTP = "mqtt.test", "ftp.test"

Trial = Callable[[Tell], Deferred[object]]
"""`trial(tell)`: fires with its stages as JSON can carry them: `passed`, `stages` (`name`, `state`, `ms`), the short
`reason` of a failure, the words it was `said` in, `facts`."""


class Trials(Protocol):
    """The ways out of the box, to be tried with other settings. Each raises ConfigError where they cannot be any."""

    def mqtt(self, section: str, keys: Mapping[str, Any]) -> Trial:
        """Of a section [mqtt] or [mqtt.NAME] with these keys besides its own."""

    def ftp(self, keys: Mapping[str, Any]) -> Trial:
        """Of the section [ftp] with these keys besides its own."""


def trial_actions(trials: Trials, tasks: Tasks, is_secret: Callable[[str, str], bool]) -> Iterable[Action]:
    """`mqtt.test` and `ftp.test`; `is_secret(section, key)`: whether a value is not to be shown."""

    def begin(name: str, trial: Trial) -> dict[str, object]:
        if any(task.name == name and task.state == RUNNING for task in tasks.all()):
            raise Busy(f"{name}: a trial goes on already")
        return {"task": tasks.start(name, trial).id}

    def audited(arguments: Mapping[str, object]) -> Mapping[str, object]:
        keys = arguments.get("changes")
        section = str(arguments.get("section", "ftp"))
        shown = (
            {key: "…" if is_secret(section, key) else value for key, value in keys.items()}
            if isinstance(keys, dict)
            else "…"
        )
        return {**arguments, "changes": shown}

    def mqtt(section: str, changes: Mapping[str, Any]) -> object:
        must_be_values(section, changes)
        return begin(f"{MQTT} {section}", trials.mqtt(section, changes))

    def ftp(changes: Mapping[str, Any]) -> object:
        must_be_values("ftp", changes)
        return begin(FTP, trials.ftp(changes))

    changes = Argument("changes", Kind.OBJECT, "keys other than the saved ones; null takes one out", False, {})
    return (
        Action(
            MQTT,
            "Tries a broker, saving nothing: name, port, TLS, log-in, subscription, a message there and back; gives "
            "the task to ask.",
            Permission.CONFIG,
            (Argument("section", Kind.TEXT, "mqtt or mqtt.NAME", False, "mqtt"), changes),
            mqtt,
            audited=audited,
        ),
        Action(
            FTP,
            "Tries the FTP server, saving nothing: name, port, TLS, log-in, directory, a file written, renamed and "
            "deleted; gives the task to ask.",
            Permission.CONFIG,
            (changes,),
            ftp,
            audited=audited,
        ),
    )
