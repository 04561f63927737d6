"""Real FTP servers, pyftpdlib and vsftpd, each in processes of its own, which can be killed, and told to misbehave.

Faults of both, given at the start: `login` refuses everybody; `stor` refuses to store; `size` does not know SIZE;
`epsv` does not know EPSV. Of vsftpd: `nat` tells an address for PASV at which nobody is; `list` lists nothing; `tls12`
knows no newer TLS than 1.2. Of pyftpdlib: `walled` tells a port for EPSV at which nobody is; `die=N` is killed after N
bytes of a file; `rnto` renames, then hangs up without a word, once; `short=N` throws away what comes after N bytes;
`latin` greets in Latin-1; `stall` never confirms a file.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.brokers import PATIENCE_S, free_port

USER, PASSWORD = "meter", "s3cret-word"


class FtpServerProcess:
    """The server, always on the same port; `root` is the folder it shows."""

    user, password = USER, PASSWORD

    def __init__(self, root: Path, certificate: tuple[str, str] | None = None) -> None:
        self.root = root
        self.port = free_port()
        self._visits = root.with_name(f"{root.name}-visits")
        self._certificate = certificate
        self._process: subprocess.Popen[str] | None = None

    def start(self, *faults: str) -> None:
        """Starts it; back when it listens."""
        assert self._process is None
        self._visits.write_bytes(b"")
        arguments = [str(self.port), str(self.root), str(self._visits), ":".join(self._certificate or ()), *faults]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout.readline() == "listening\n"

    def kill(self) -> None:
        """Ends it as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
            process.stdout.close()

    def again(self, *faults: str) -> None:
        """Starts it anew with other faults, whether it still lives or not."""
        self.kill()
        self.start(*faults)

    def visits(self) -> int:
        """How many connections it has had since it was started."""
        return self._visits.read_bytes().count(b"\n")

    def directory(self, name: str) -> str:
        """What a folder under the root is called by whoever logs in."""
        return f"/{name}"

    def files(self) -> dict[str, bytes]:
        """Name, relative to the root, and content of every file."""
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


class VsftpdProcess(FtpServerProcess):
    """vsftpd as the user who runs the tests, who may be root or not: it serves anonymous visitors and, unprivileged as
    it is, cannot shut them into the root. Over TLS it demands that data connections resume the session."""

    user, password = "anonymous", "meter@example.org"

    def __init__(self, root: Path, certificate: tuple[str, str] | None = None) -> None:
        super().__init__(root, certificate)
        self._binary = shutil.which("vsftpd") or shutil.which("vsftpd", path="/usr/sbin:/usr/local/sbin")
        if self._binary is None:
            pytest.fail("this test needs vsftpd: apt-get install vsftpd")
        self._folder = root.with_name(f"{root.name}-vsftpd")
        (self._folder / "empty").mkdir(parents=True)

    def start(self, *faults: str) -> None:
        """Starts it; back when it listens."""
        assert self._process is None
        settings = self._folder / "vsftpd.conf"
        settings.write_text("".join(f"{name}={value}\n" for name, value in self._settings(faults).items()))
        settings.chmod(0o600)
        limits = self._folder / "openssl.cnf"
        newest = "TLSv1.2" if "tls12" in faults else "TLSv1.3"
        limits.write_text(
            f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = {newest}\n"
        )
        self._process = subprocess.Popen(
            [self._binary, str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OPENSSL_CONF": str(limits)},
            start_new_session=True,
        )
        for _ in range(round(PATIENCE_S * 100)):
            with suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.01)
                break
        pytest.fail(f"vsftpd did not start: {self._process.stdout.read()}")

    def kill(self) -> None:
        """Ends it as a power cut would, and with it its process for each visitor."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE_S)
            process.stdout.close()
            self._see_it_gone()

    def _see_it_gone(self) -> None:
        """Back when nobody listens: the process of a visitor, which has the door from its parent, may die later."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                return
            except ConnectionResetError:
                continue
        pytest.fail("vsftpd does not die")

    def directory(self, name: str) -> str:
        """What a folder under the root is called by whoever logs in: that is not where visitors are shut in."""
        return str(self.root / name)

    def _settings(self, faults: tuple[str, ...]) -> dict[str, object]:
        me = pwd.getpwuid(os.getuid()).pw_name
        denied = [name for name in ("size", "epsv") if name in faults]
        found: dict[str, object] = {
            "listen": "YES",
            "listen_address": "127.0.0.1",
            "listen_port": self.port,
            "background": "NO",
            "run_as_launching_user": "YES",
            "ftp_username": me,
            "nopriv_user": me,
            "secure_chroot_dir": self._folder / "empty",
            "isolate": "NO",  # a container gives nobody a name space of his own
            "isolate_network": "NO",
            "seccomp_sandbox": "NO",
            "connect_from_port_20": "NO",
            "xferlog_enable": "NO",
            "anonymous_enable": "NO" if "login" in faults else "YES",
            "local_enable": "YES" if "login" in faults else "NO",  # it wants one of both
            "anon_root": self.root,
            "anon_umask": "022",
            "anon_world_readable_only": "NO",
            "anon_upload_enable": "YES",
            "anon_mkdir_write_enable": "YES",
            "anon_other_write_enable": "YES",
            "write_enable": "NO" if "stor" in faults else "YES",
            "dirlist_enable": "NO" if "list" in faults else "YES",
        }
        if denied:
            found["cmds_denied"] = ",".join(denied).upper()
        if "nat" in faults:
            found["pasv_address"] = "192.0.2.1"  # RFC 5737
        if self._certificate:
            found |= {
                "ssl_enable": "YES",
                "ssl_tlsv1": "YES",
                "ssl_ciphers": "HIGH",
                "allow_anon_ssl": "YES",
                "force_anon_logins_ssl": "YES",
                "force_anon_data_ssl": "YES",
                "require_ssl_reuse": "YES",
                "rsa_cert_file": self._certificate[0],
                "rsa_private_key_file": self._certificate[1],
            }
        return found


def serve(port: str, root: str, visits: str, certificate: str, *faults: str) -> None:
    """The process's work."""
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

    numbers = {name: int(number) for name, _, number in (fault.partition("=") for fault in faults) if number}

    class Data(TLS_DTPHandler if certificate else DTPHandler):
        ac_in_buffer_size = 512

        def handle_read_event(self):
            super().handle_read_event()
            received = self.get_transmitted_bytes()
            if received >= numbers.get("die", received + 1):
                self.file_obj.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            if received > numbers.get("short", received):
                self.file_obj.truncate(numbers["short"])
                self.file_obj.seek(0, os.SEEK_END)

        def close(self):
            if "stall" not in faults or not self.receive:
                super().close()

    class Control(TLS_FTPHandler if certificate else FTPHandler):
        def on_connect(self):
            with open(visits, "a") as seen:
                seen.write("somebody\n")

        def ftp_EPSV(self, line):  # noqa: N802
            if "walled" in faults:
                self.respond("229 Entering extended passive mode (|||1|).")
            else:
                super().ftp_EPSV(line)

        def ftp_RNTO(self, path):  # noqa: N802
            if "rnto" not in faults_left:
                return super().ftp_RNTO(path)
            faults_left.remove("rnto")
            os.rename(self._rnfr, path)
            self.close()
            return None

    faults_left = list(faults)
    authorizer = DummyAuthorizer()
    if "login" not in faults:
        authorizer.add_user(USER, PASSWORD, root, perm="elradfm" if "stor" in faults else "elradfmw")
    Control.authorizer = authorizer
    Control.dtp_handler = Data
    Control.auth_failed_timeout = 0
    Control.banner = "bienvenido a la estación" if "latin" in faults else "ready"
    Control.encoding = "latin-1" if "latin" in faults else "utf-8"
    if certificate:
        Control.certfile, Control.keyfile = certificate.split(":")
        Control.tls_control_required = Control.tls_data_required = True
    unknown = {name.upper() for name in faults}
    Control.proto_cmds = {
        name: about for name, about in Control.proto_cmds.items() if name not in unknown - {"STOR", "RNTO"}
    }
    server = FTPServer(("127.0.0.1", int(port)), Control)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(*sys.argv[1:])
