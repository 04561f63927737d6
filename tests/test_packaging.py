"""The package as people get it: from a wheel in a fresh environment, from an editable install, and from a checkout."""

import os
import shutil
import socket
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from concentrator.web.vendor import FILES

ROOT = Path(__file__).parents[1]
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", "dropin.cache", "vendor"
)
EXAMPLE = """
[line.native]
endpoint = "serial:/dev/ttyRS485-0:baudrate=9600"

[device.main]
line = "native"
profile = "energycm/ccm"
address = 1
"""


def run(*command, cwd, env=None, timeout=120):
    """What a command prints, once it has ended well."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=clean | (env or {}), capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout, which builds may write into."""
    copy = tmp_path_factory.mktemp("checkout") / "ccmaster"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=NOT_COPIED)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout):
    """The wheel, made from the source archive, as for the package index."""
    run(sys.executable, "-m", "build", "--outdir", checkout / "dist", checkout, cwd=checkout, timeout=300)
    (found,) = (checkout / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory, wheel):
    """A fresh environment with what the package needs, and its Python."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=True)
    run(folder / "bin/pip", "install", "--quiet", f"{wheel}[demo]", cwd=folder, timeout=600)
    return folder / "bin/python"


@pytest.fixture(scope="module", params=["wheel", "editable", "checkout"])
def installed(request, python, wheel, checkout, tmp_path_factory):
    """A way to have the package: gives a function that runs one of its commands, anywhere."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    pip = (python, "-m", "pip", "--quiet")
    run(*pip, "uninstall", "--yes", "ccmaster", cwd=elsewhere)
    if request.param == "checkout":
        return lambda name, *arguments: run(
            *(python, "-m", "concentrator.app.cli") if name == "ccmaster" else (python.with_name(name),),
            *arguments,
            cwd=elsewhere,
            env={"PYTHONPATH": str(checkout)},
        )
    what = ("--editable", checkout) if request.param == "editable" else (wheel,)
    run(*pip, "install", "--no-deps", *what, cwd=elsewhere)
    return lambda name, *arguments: run(python.with_name(name), *arguments, cwd=elsewhere)


def test_twistd_lists_and_knows_the_service(installed):
    assert "\n    ccmaster " in installed("twistd", "--help")
    assert "--config" in installed("twistd", "ccmaster", "--help")


def test_a_configuration_is_checked_with_the_profiles_that_come_along(installed, tmp_path):
    example = tmp_path / "example.toml"
    example.write_text(EXAMPLE)
    assert "main: energycm/ccm, ID 1; read every " in installed("ccmaster", "check", example)
    assert "energycm/ccm" in installed("ccmaster", "profiles")


def test_the_demo_runs_and_leaves_what_it_made(installed, tmp_path):
    ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    names = ("--mqtt-port", "--ftp-port", "--http-port")
    options = [str(each) for name, port in zip(names, ports, strict=True) for each in (name, port.getsockname()[1])]
    for port in ports:
        port.close()
    installed("ccmaster", "demo", "--dir", tmp_path, *options, "--meters", "2", "--for", "5")
    assert (tmp_path / "ccmaster.toml").is_file()
    assert (tmp_path / "state" / "journal.db").stat().st_size
    assert "no faults" in installed("ccmaster", "check", tmp_path / "ccmaster.toml")


def test_the_wheel_holds_what_runs_and_nothing_else(wheel, checkout):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    code = {path.relative_to(checkout).as_posix() for path in checkout.glob("concentrator/**/*.py")}
    kinds = {".toml", ".sql", ".html", ".css", ".js", ".svg", ".woff2", ".png", ".ico", ".txt", ".webmanifest"}
    files = {p.relative_to(checkout).as_posix() for p in checkout.glob("concentrator/**/*") if p.suffix in kinds}
    profiles = {
        f"ccmaster_profiles/{path.relative_to(checkout / 'plugins').as_posix()}"
        for path in checkout.glob("plugins/*/*")
    }
    drawn_with = {f"concentrator/web/static/vendor/{name}" for name in FILES.values()}
    assert held == code | files | profiles | drawn_with | {"twisted/plugins/ccmaster.py"}


def test_taking_it_away_leaves_twisted_whole(python, tmp_path):
    run(python, "-m", "pip", "--quiet", "uninstall", "--yes", "ccmaster", cwd=tmp_path)
    assert "ccmaster" not in run(python.with_name("twistd"), "--help", cwd=tmp_path)
