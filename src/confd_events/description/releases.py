"""Releases of NSO and ConfD by the version of their libconfd, and what the one in use lacks."""

from __future__ import annotations

from .. import _events
from . import catalog
from .catalog import PRODUCTS


def release(product: str, version: str) -> str:
    """The release that has this libconfd: NSO 6.2.5 for 8.2.5 of NCS; ConfD's has its own number.

    product -- NCS or CONFD
    version -- of the library, or its API level
    """
    major, _, rest = version.partition(".")
    number = version if product == "CONFD" else f"{int(major) - 2}.{rest}"
    return f"{PRODUCTS[product]} {number}"


def in_use(constant: str) -> bool:
    """Whether the library in use has what the constant stands for.

    ConfD's headers once declared NSO's bits, too.
    """
    product = catalog.span(constant).product
    return hasattr(_events, constant) and product in ("", _events.library()["product"])


def lacking(name: str) -> str:
    """Why the library in use does not have this name of the catalog, and which releases do."""
    library = _events.library()
    return (
        f"{name} is not in {release(library['product'], library['version'])}, whose libconfd is "
        f"in use; {_owners(catalog.span(name))}"
    )


def not_found() -> list[str]:
    """What the library in use should have and the module lacks, by name.

    There is such when the build did not understand the headers.
    """
    library = _events.library()
    spans = {name: [catalog.span(name)] for name in catalog.CONSTANTS}
    for notification in catalog.NOTIFICATIONS:
        for field in notification.fields:
            spans[f"{notification.name}.{field.key}"] = [*spans[notification.name], field.span]
    return [
        name
        for name in library["missing"]
        if all(each.includes(library["api_level"], library["product"]) for each in spans[name])
    ]


def _owners(span: catalog.Span) -> str:
    products = [span.product] if span.product else list(PRODUCTS)
    if not span.since:
        return f"only {' and '.join(PRODUCTS[each] for each in products)} has it"
    first = " and ".join(release(each, span.since) for each in products)
    return f"{first} and later have it"
