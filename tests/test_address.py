"""Where subscribe() connects to: the argument, the environment, the product's default."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import LEVEL, PRODUCT, shared_library
from subscribing import subscribed

import confd_events as events
from confd_events import subscribe
from confd_events._address import Origin, default_address, endpoints
from confd_events.testing import Daemon

PORTS = {"NCS": events.NCS_PORT, "CONFD": events.CONFD_PORT}
PORT = PORTS[PRODUCT]
VARIABLES = ("NCS_IPC_PATH", "NCS_IPC_ADDR", "NCS_IPC_PORT", "CONFD_IPC_ADDR", "CONFD_IPC_PORT")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def works(daemon: Daemon, address: Any) -> None:
    with subscribe("audit", address=address) as subscription:
        daemon.audit(usid=5)
        assert next(subscription)["usid"] == 5


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("form", ["tuple", "text", "name"])
def test_tcp(daemon: Daemon, form: str) -> None:
    port = daemon.address["port"]
    works(
        daemon,
        {
            "tuple": ("127.0.0.1", port),
            "text": f"127.0.0.1:{port}",
            "name": f"localhost:{port}",  # which may also have an address where nobody listens
        }[form],
    )


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:5", "127.0.0.1", 5),
        ("127.0.0.1", "127.0.0.1", PORT),
        ("[::1]:65535", "::1", 65535),
        ("[::1]", "::1", PORT),
        ("::1", "::1", PORT),
    ],
)
def test_text(text: str, host: str, port: int) -> None:
    assert [endpoint.where for endpoint in endpoints(text)] == [{"ip": host, "port": port}]


def test_ipv6() -> None:
    if has_ipv6():
        with Daemon(ip="::1", product=PRODUCT.lower()) as daemon:
            works(daemon, ("::1", daemon.address["port"]))
            works(daemon, f"[::1]:{daemon.address['port']}")
    assert endpoints("[::1]:5")[0].family == socket.AF_INET6


# The interface that every network namespace has, and a link-local address that none has.
LOOPBACK = socket.if_nametoindex("lo")


@pytest.mark.parametrize("zone", ["lo", str(LOOPBACK)])
def test_the_interface_of_a_link_local_address_is_kept(zone: str) -> None:
    for address in (f"[fe80::1%{zone}]:5", ("fe80::1%" + zone, 5)):
        (endpoint,) = endpoints(address)
        assert endpoint.where == {"ip": f"fe80::1%{LOOPBACK}", "port": 5}


# Stands before the system's: no link-local address is sure to be there to connect to.
WATCHED_CONNECT = """
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
int connect(int fd, const struct sockaddr *to, socklen_t size)
{
    (void)fd;
    (void)size;
    printf("%u\\n", ((const struct sockaddr_in6 *)to)->sin6_scope_id);
    fflush(stdout);
    errno = ECONNREFUSED;
    return -1;
}
"""


@pytest.mark.parametrize(
    "call",
    [
        "events.subscribe('audit', address='[fe80::1%lo]:5')",
        "events.notifications_connect(sock, events.NOTIF_AUDIT, 'fe80::1%lo', 5)",
        f"events.notifications_connect(sock, events.NOTIF_AUDIT, 'fe80::1%{LOOPBACK}', 5)",
        "events.load_schemas('fe80::1%lo', 5)",
    ],
)
def test_the_interface_reaches_the_system(tmp_path: Path, call: str) -> None:
    source = tmp_path / "connect.c"
    source.write_text(WATCHED_CONNECT)
    watched = shared_library(source, tmp_path)
    program = (
        f"import socket, confd_events as events; sock = socket.socket(socket.AF_INET6); {call}"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "LD_PRELOAD": str(watched)},
        capture_output=True,
        text=True,
    )
    assert set(done.stdout.split()) == {str(LOOPBACK)}, done.stderr
    assert "Connection refused" in done.stderr


@pytest.mark.parametrize(
    ("ip", "said"), [("fe80::1%x", "no interface 'x'"), ("fe80::1%", "no interface ''")]
)
def test_an_interface_that_is_none(ip: str, said: str) -> None:
    with socket.socket(socket.AF_INET6) as sock, pytest.raises(ValueError, match=said):
        events.notifications_connect(sock, events.NOTIF_AUDIT, ip, 5)


@pytest.mark.parametrize("form", ["str", "bytes", "PathLike", "relative", "relative bytes"])
def test_unix_socket(tmp_path: Path, form: str) -> None:
    path = tmp_path / "ipc"
    with Daemon(path=path, product=PRODUCT.lower()) as daemon:
        addresses: dict[str, Any] = {
            "str": str(path),
            "bytes": bytes(path),
            "PathLike": path,
            "relative": "./ipc",
            "relative bytes": b"ipc",
        }
        works(daemon, addresses[form])


@pytest.mark.parametrize("kind", [str, bytes])
def test_abstract_unix_socket(tmp_path: Path, kind: type) -> None:
    name: Any = f"\0{tmp_path}"
    name = name if kind is str else name.encode()
    with Daemon(path=name, product=PRODUCT.lower()) as daemon:
        works(daemon, name)


# The environment


def test_default() -> None:
    """NSO from 6.7 on listens at a UNIX socket, all else at its port."""
    expected = "/tmp/nso/nso-ipc" if PRODUCT == "NCS" and LEVEL >= (8, 7) else (events.ADDR, PORT)
    assert default_address() == Origin(expected, ())


def test_a_variable_of_tcp_comes_before_the_default_path(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**events.library(), "product": "NCS"}
    monkeypatch.setattr("confd_events._address.library", lambda: known)
    monkeypatch.setattr("confd_events._address.PATH", "/tmp/nso/nso-ipc")
    assert default_address() == Origin("/tmp/nso/nso-ipc", ())
    monkeypatch.setenv("NCS_IPC_ADDR", "1.2.3.4")
    assert default_address() == Origin(("1.2.3.4", events.NCS_PORT), ("NCS_IPC_ADDR",))
    monkeypatch.setenv("NCS_IPC_PATH", "/p")
    assert default_address() == Origin("/p", ("NCS_IPC_PATH",))


@pytest.fixture(params=["NCS", "CONFD"])
def product(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    known = {**events.library(), "product": request.param}
    monkeypatch.setattr("confd_events._address.library", lambda: known)
    monkeypatch.setattr("confd_events._address.PATH", None)
    return str(request.param)


@pytest.mark.parametrize(
    ("name", "value", "address"),
    [
        ("NCS_IPC_PATH", "/p", "/p"),
        ("NCS_IPC_ADDR", "1.2.3.4", ("1.2.3.4", None)),
        ("CONFD_IPC_ADDR", "1.2.3.4", ("1.2.3.4", None)),
        ("NCS_IPC_PORT", "99", (events.ADDR, 99)),
        ("CONFD_IPC_PORT", "99", (events.ADDR, 99)),
    ],
)
def test_each_variable(
    monkeypatch: pytest.MonkeyPatch, product: str, name: str, value: str, address: Any
) -> None:
    """None stands for the product's port."""
    monkeypatch.setenv(name, value)
    if isinstance(address, tuple):
        address = (address[0], address[1] or PORTS[product])
    assert default_address() == Origin(address, (name,))


def test_the_variables_of_the_product_come_first(
    monkeypatch: pytest.MonkeyPatch, product: str
) -> None:
    for prefix, address, port in (("NCS", "1.1.1.1", "11"), ("CONFD", "2.2.2.2", "22")):
        monkeypatch.setenv(f"{prefix}_IPC_ADDR", address)
        monkeypatch.setenv(f"{prefix}_IPC_PORT", port)
    expected = ("1.1.1.1", 11) if product == "NCS" else ("2.2.2.2", 22)
    assert default_address().address == expected
    monkeypatch.delenv(f"{product}_IPC_PORT")
    other = 22 if product == "NCS" else 11
    assert default_address().address == (expected[0], other)


def test_the_path_is_that_of_nso(monkeypatch: pytest.MonkeyPatch, product: str) -> None:
    monkeypatch.setenv("NCS_IPC_PATH", "/p")
    monkeypatch.setenv("CONFD_IPC_PORT", "22")
    expected = "/p" if product == "NCS" else (events.ADDR, 22)
    assert default_address().address == expected


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, product: str) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert default_address() == Origin((events.ADDR, PORTS[product]), ())


def test_the_environment_is_used(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PRODUCT}_IPC_ADDR", "127.0.0.1")
    monkeypatch.setenv(f"{PRODUCT}_IPC_PORT", str(daemon.address["port"]))
    works(daemon, None)


def test_the_path_of_the_environment_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one without a slash."""
    monkeypatch.setenv("NCS_IPC_PATH", "ipc")
    with Daemon(path=tmp_path / "ipc", product=PRODUCT.lower()) as daemon:
        works(daemon, None)


def test_the_argument_comes_before_the_environment(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCS_IPC_PATH", "/nowhere")
    monkeypatch.setenv("NCS_IPC_PORT", "1")
    with subscribed(daemon, "audit"):
        pass


# What is wrong


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        (5, TypeError, "^address: .*int"),
        (["127.0.0.1", 5], TypeError, "^address: .*list"),
        (("127.0.0.1",), TypeError, "^address: "),
        (("127.0.0.1", 5, 0), TypeError, "^address: "),
        (("127.0.0.1", "5"), TypeError, "^address: "),
        ((None, 5), TypeError, "^address: "),
        (("", 5), ValueError, "^address: "),
        (("127.0.0.1", 0), ValueError, "^address: .*65535"),
        (("127.0.0.1", -1), ValueError, "^address: .*65535"),
        (("127.0.0.1", 65536), ValueError, "^address: .*65535"),
        (("a" * 70, 5), ValueError, "^address: 'aaa"),
        ("", ValueError, "^address: ''"),
        (":5", ValueError, "^address: ':5'"),
        ("host:", ValueError, "^address: 'host:'"),
        ("host:70000", ValueError, "^address: 'host:70000'"),
        ("host:http", ValueError, "^address: 'host:http'"),
        ("[::1", ValueError, r"^address: '\[::1'"),
        ("[::1]:", ValueError, r"^address: '\[::1\]:'"),
        ("no.such.host.invalid:5", events.Error, "address: no.such.host.invalid: "),
        ("/no/such/socket", events.Error, "No such file"),
    ],
)
def test_wrong_argument(address: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        subscribe("audit", address=address)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        (f"{PRODUCT}_IPC_PORT", "http", ValueError),
        (f"{PRODUCT}_IPC_PORT", "0", ValueError),
        (f"{PRODUCT}_IPC_PORT", "65536", ValueError),
        (f"{PRODUCT}_IPC_PORT", "-1", ValueError),
        (f"{PRODUCT}_IPC_ADDR", "no.such.host.invalid", events.Error),
        (f"{PRODUCT}_IPC_ADDR", "a" * 70, ValueError),
    ],
)
def test_wrong_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, error: type[Exception]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(error, match=f"{name}: ") as caught:
        subscribe("audit")
    assert value in str(caught.value)


def test_the_next_address_of_a_host_is_tried(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when this machine lacks the first one's family."""
    port = daemon.address["port"]

    def several(*_: object, **__: object) -> list[Any]:
        stream = (socket.SOCK_STREAM, 6, "")
        return [
            (socket.AF_X25, *stream, ("::1", port, 0, 0)),
            (socket.AF_INET, *stream, ("127.0.0.2", port)),
            (socket.AF_INET, *stream, ("127.0.0.1", port)),
        ]

    monkeypatch.setattr("socket.getaddrinfo", several)
    works(daemon, ("host", port))
