"""A stream of Redis or Valkey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .._errors import BusyError
from ._naming import Naming
from ._tls import TLS_KEYS, tls_context

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record


class RedisSink:
    """Adds records to a stream, a batch in one transaction: all of it, or nothing."""

    def __init__(self, table: Table) -> None:
        self._options = _address(table)
        self._stream = Naming(table, "stream", "confd-events")
        self._most = table.count("max_length")
        self._options["socket_timeout"] = table.seconds("timeout", 10.0)
        self._options["username"] = table.optional_text("user")
        self._options["password"] = table.secret("password")
        if self._options["username"] and not self._options["password"]:
            raise table.error("user", "give password_env or password_file, too")
        self._client: redis.Redis | None = None

    def open(self) -> None:
        """Makes ready to connect."""
        # What fails is for the forwarder to try again, when its batch is to come once more.
        self._client = redis.Redis(**self._options, retry=Retry(NoBackoff(), 0))

    def send(self, batch: Sequence[Record]) -> None:
        """Adds them; the server has them when it answers."""
        assert self._client is not None
        pipeline = self._client.pipeline(transaction=True)
        for record in batch:
            about = record.attributes()
            fields: dict[Any, Any] = {key: about[key] for key in ("id", "source", "type", "time")}
            fields["record"] = record.json
            pipeline.xadd(self._stream.of(about), fields, maxlen=self._most, approximate=True)
        try:
            pipeline.execute()
        except redis.RedisError as error:
            where = f"{self._options['host']}:{self._options['port']}"
            raise BusyError(f"{where}: {error}") from None

    def close(self) -> None:
        """Closes the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _address(table: Table) -> dict[str, Any]:
    """The options of the client by which it finds the server."""
    url = table.text("url")
    try:
        parts = urlsplit(url)
        port = parts.port or 6379
    except ValueError as error:
        raise table.error("url", str(error)) from error
    if parts.username is not None or parts.password is not None:
        raise table.error("url", "has a user or a password; use user, password_env, password_file")
    database = parts.path.strip("/") or "0"
    is_right = parts.scheme in ("redis", "rediss") and parts.hostname and database.isdecimal()
    if not is_right or parts.query or parts.fragment:
        raise table.error("url", f"{url!r} is not as redis://host:6379/0 or rediss://host:6379/0")
    options: dict[str, Any] = {"host": parts.hostname, "port": port, "db": int(database)}
    if tls_context(table, parts.scheme == "rediss", "rediss://") is None:
        return options
    ca, certificate, key = (table.optional_text(each) for each in TLS_KEYS)
    files = {"ssl_ca_certs": ca, "ssl_certfile": certificate, "ssl_keyfile": key}
    return {**options, "ssl": True, "ssl_check_hostname": True, **files}
