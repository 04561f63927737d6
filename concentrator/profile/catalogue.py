"""All the device profiles there are, by key: those that come with the package and those of the box's own folders,
which go before. Hides where they lie, and that as little is read as will do: to choose one, the heading of each file;
to have one, its file alone, so that a broken file breaks only itself. From the first look over all of them on, files
are read by what reads many fast; a box that has its few devices' profiles only does not load it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import concentrator
from concentrator.model.errors import Fault, ProfileError
from concentrator.model.profile import DeviceProfile
from concentrator.model.words import nearest
from concentrator.profile import mbus
from concentrator.profile.heading import Heading, read_heading
from concentrator.profile.load import load_profile
from concentrator.profile.schema import shown
from concentrator.profile.toml import Read, read_one, reader_of_many

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
    exist. Nothing is read before it is asked for."""

    def __init__(self, folders: Sequence[Path] = (), shipped: Sequence[Path] | None = None) -> None:
        self._folders = (*folders, *(shipped_folders() if shipped is None else shipped))
        self._profiles: dict[str, DeviceProfile] = {}
        self._headings: dict[Path, tuple[int, Heading]] = {}
        self._read: Read = read_one

    def again(self) -> Catalogue:
        """The catalogue of the same folders, of which nothing was read yet: for what was written since."""
        return Catalogue((), self._folders)

    def keys(self) -> tuple[str, ...]:
        """Every key, in order; no file is opened."""
        return tuple(sorted(self._files()))

    def get(self, key: str) -> DeviceProfile:
        """The profile of that key; raises ProfileError when there is none or its file is wrong."""
        if key == mbus.KEY:
            return mbus.GENERIC
        if key not in self._profiles:
            self._profiles[key] = load_profile(self.file(key), key, self._read)
        return self._profiles[key]

    def file(self, key: str) -> Path:
        """The file that has the profile of that key; raises ProfileError when there is none."""
        if key.count("/") == 1 and ".." not in key:
            for folder in self._folders:
                if (path := folder / f"{key}.toml").is_file():
                    return path
        raise ProfileError([Fault("device profiles", "", "", shown(key), "a known profile", nearest(key, self.keys()))])

    def headings(self) -> tuple[Heading, ...]:
        """What every file says of itself now, by key, without those that are left out."""
        return self._survey()[0]

    def left_out(self) -> tuple[Fault, ...]:
        """Why files are not among the headings: they cannot be read, or another file has their series already."""
        return self._survey()[1]

    def choices(self, *chosen: str) -> tuple[str, ...]:
        """What there is to choose from next, in order, in the sequence Type, Brand, Class, Series, Model, where
        `chosen` are the choices made so far; nothing where they lead nowhere or all five are made."""
        levels = (
            (*heading.place, model)
            for heading in self.headings()
            for model in heading.models
            if (*heading.place, model)[: len(chosen)] == chosen
        )
        return tuple(sorted({names[len(chosen)] for names in levels if len(chosen) < len(names)}, key=str.casefold))

    def chosen(self, type_: str, brand: str, device_class: str, series: str) -> Heading | None:
        """The heading of that series, None where there is none."""
        place = (type_, brand, device_class, series)
        return next((heading for heading in self.headings() if heading.place == place), None)

    def faults(self) -> tuple[Fault, ...]:
        """Every fault of every file, and series that two files have: loads them all."""
        self._expect_many()
        faults = [fault for key in self.keys() for fault in self._faults_of(key)]
        return (*faults, *(fault for fault in self.left_out() if fault not in faults))

    def _faults_of(self, key: str) -> Sequence[Fault]:
        try:
            self.get(key)
        except ProfileError as error:
            return error.faults
        return ()

    def _survey(self) -> tuple[tuple[Heading, ...], tuple[Fault, ...]]:
        """The headings, and why others are none."""
        self._expect_many()
        found: dict[tuple[str, ...], Heading] = {}
        faults: list[Fault] = []
        files = self._files()
        for key in sorted(files, key=lambda key: (self._rank(files[key][0]), key)):
            path, *hidden = files[key]
            try:
                heading = self._heading(path, key, tuple(hidden))
            except ProfileError as error:
                faults += error.faults
                continue
            other = found.setdefault(heading.place, heading)
            if other is not heading:
                expected = f"a series of its own: {other.file} has this one"
                faults.append(Fault(str(path), "profile", "series", shown(heading.series), expected))
        return tuple(sorted(found.values(), key=lambda heading: heading.key)), tuple(faults)

    def _expect_many(self) -> None:
        if self._read is read_one:
            self._read = reader_of_many()

    def _heading(self, path: Path, key: str, hidden: tuple[Path, ...]) -> Heading:
        """The heading of a file, read again where the file was written since."""
        try:
            written = path.stat().st_mtime_ns
        except OSError:  # it is gone: to be told in words
            return read_heading(path, key, hidden, self._read)
        known = self._headings.get(path)
        if known is None or (known[0], known[1].hidden) != (written, hidden):
            known = self._headings[path] = written, read_heading(path, key, hidden, self._read)
        return known[1]

    def _rank(self, path: Path) -> int:
        """The place of a file's folder among the folders."""
        return self._folders.index(path.parents[1])

    def _files(self) -> dict[str, list[Path]]:
        """The files of each key, the one that counts first."""
        files: dict[str, list[Path]] = {}
        for folder in self._folders:
            for path in sorted(folder.glob("*/*.toml")):
                files.setdefault(f"{path.parent.name}/{path.stem}", []).append(path)
        return files
