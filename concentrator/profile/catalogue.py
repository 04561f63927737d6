"""All the device profiles there are, by key: those that come with the package and those of the box's own folders,
which go before. Hides where they lie, and parses each only when it is asked for, so that a broken file breaks only
itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import concentrator
from concentrator.model.errors import Fault, ProfileError
from concentrator.model.profile import DeviceProfile
from concentrator.model.words import nearest
from concentrator.profile.load import load_profile
from concentrator.profile.schema import shown

_PACKAGE = "ccmaster_profiles"


def shipped_folders() -> tuple[Path, ...]:
    """Where the profiles that come with the package lie: `plugins/` in a checkout, a package of their own in an
    installation."""
    checkout = Path(concentrator.__file__).parents[1]
    if (checkout / "setup.cfg").is_file() and (checkout / "plugins").is_dir():
        return (checkout / "plugins",)
    spec = find_spec(_PACKAGE)
    return tuple(map(Path, spec.submodule_search_locations or ())) if spec is not None else ()


class Catalogue:
    """The profiles of `folders`, the first going before the later ones, and after them all the shipped ones. A key is
    `brand/series`: the folder and the name of a file `brand/series.toml` in one of these folders, which need not
    exist."""

    def __init__(self, folders: Sequence[Path] = (), shipped: Sequence[Path] | None = None) -> None:
        self._folders = (*folders, *(shipped_folders() if shipped is None else shipped))
        self._profiles: dict[str, DeviceProfile] = {}

    def keys(self) -> tuple[str, ...]:
        """Every key, in order; no file is opened."""
        return tuple(sorted(self._files()))

    def get(self, key: str) -> DeviceProfile:
        """The profile of that key; raises ProfileError when there is none or its file is wrong."""
        if key not in self._profiles:
            files = self._files()
            if key not in files:
                known = nearest(key, files)
                raise ProfileError([Fault("device profiles", "", "", shown(key), "a known profile", known)])
            self._profiles[key] = load_profile(files[key], key)
        return self._profiles[key]

    def faults(self) -> tuple[Fault, ...]:
        """Every fault of every file: loads them all."""
        return tuple(self._all_faults())

    def _all_faults(self) -> Iterator[Fault]:
        for key in self.keys():
            try:
                self.get(key)
            except ProfileError as error:
                yield from error.faults

    def _files(self) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for folder in self._folders:
            for path in folder.glob("*/*.toml"):
                files.setdefault(f"{path.parent.name}/{path.stem}", path)
        return files
