"""The configuration file on the disk, read and written by the running box. Hides how it fails: every way of it is a
ConfigError in words, and then nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from concentrator.app.config_edit import NotEditable
from concentrator.model.errors import ConfigError, Fault
from concentrator.system.files import rewrite


@frozen
class ConfigFile:
    """The file at a path."""

    path: Path

    def text(self) -> str:
        """What it holds."""
        try:
            return self.path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise self._unfit(_reason(error), "a file that can be read") from error

    def edited(self, edit: Callable[[], str]) -> str:
        """What an edit gives."""
        try:
            return edit()
        except NotEditable as error:
            raise self._unfit(str(error), "a file that can be edited by a program; edit it by hand") from error

    def write(self, text: str) -> None:
        """Replaces what it holds, whole or not at all; what it was lies beside it as `<name>.previous`."""
        try:
            rewrite(self.path, text.encode())
        except OSError as error:
            raise self._unfit(_reason(error), "a file in a folder that can be written") from error

    def _unfit(self, found: str, expected: str) -> ConfigError:
        return ConfigError([Fault(str(self.path), "", "", found, expected)])


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
