"""A real FTP server (pyftpdlib) in a process of its own, which can be killed, and told to misbehave.

Faults, given at the start: `login` refuses everybody; `stor` refuses to store; `die=N` is killed after N bytes of a
file; `rnto` renames, then hangs up without a word, once; `size` does not know SIZE; `short=N` throws away what comes
after N bytes; `latin` greets in Latin-1; `stall` never confirms a file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.brokers import PATIENCE_S, free_port

USER, PASSWORD = "meter", "s3cret-word"


class FtpServerProcess:
    """The server, always on the same port; `root` is the folder it shows."""

    def __init__(self, root: Path, certificate: tuple[str, str] | None = None) -> None:
        self.root = root
        self.port = free_port()
        self._certificate = certificate
        self._process: subprocess.Popen[str] | None = None

    def start(self, *faults: str) -> None:
        """Starts it; back when it listens."""
        assert self._process is None
        arguments = [str(self.port), str(self.root), ":".join(self._certificate or ()), *faults]
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

    def files(self) -> dict[str, bytes]:
        """Name, relative to the root, and content of every file."""
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


def serve(port: str, root: str, certificate: str, *faults: str) -> None:
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
            if "stall" not in faults:
                super().close()

    class Control(TLS_FTPHandler if certificate else FTPHandler):
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
    if "size" in faults:
        Control.proto_cmds = {name: about for name, about in Control.proto_cmds.items() if name != "SIZE"}
    server = FTPServer(("127.0.0.1", int(port)), Control)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(*sys.argv[1:])
