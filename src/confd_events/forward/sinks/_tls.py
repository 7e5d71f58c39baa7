"""What sinks have in common that encrypt."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._config import Table

TLS_KEYS = ("ca", "certificate", "key")


def tls_context(table: Table, secure: bool, scheme: str) -> ssl.SSLContext | None:
    """The context for a server that is to be trusted, and to trust us; None when not secure.

    scheme -- what an address begins with for a server that encrypts
    """
    ca, certificate, key = (table.optional_text(each) for each in TLS_KEYS)
    if not secure:
        for each in TLS_KEYS:
            if each in table:
                raise table.error(each, f"is for {scheme}")
        return None
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise table.error("ca", f"{ca}: {error.strerror or error}") from error
    if certificate is None:
        if key is not None:
            raise table.error("key", "is for a certificate; give certificate, too")
        return context
    try:
        # A key with a password would have it asked for on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        raise table.error("certificate", f"{certificate}: {error.strerror or error}") from error
    return context
