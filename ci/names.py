"""Write the names of notifications for type checkers. Run it from the root of the project.

A test compares what is committed with what this writes.
"""

from __future__ import annotations

from pathlib import Path

from confd_events.description.catalog import CONSTANTS
from confd_events.enums import Notif

STUB = Path("src/confd_events/subscription/_names.pyi")

HEAD = '''\
"""The names that subscribe() takes, as a type checker knows them. Written by ci/names.py.

At run time more spellings will do, see confd_events.notif(); for a name that may be any text, write
subscribe(notif(name)).
"""

from typing import Literal

from typing_extensions import TypeAlias

Name: TypeAlias = Literal[
'''


def names() -> list[str]:
    """Each notification as label() writes it, as the member of Notif, and as its constants."""
    constants = [name for name in CONSTANTS if name.startswith(("NOTIF_", "NCS_NOTIF_"))]
    constants = [name for name in constants if "_FLAG_" not in name]
    members = {name.partition("NOTIF_")[2] for name in constants} | {*Notif.__members__}
    labels = {name.lower().replace("_", "-") for name in members}
    return sorted(labels) + sorted(members) + sorted(constants)


def text() -> str:
    """The file."""
    return HEAD + "".join(f'    "{name}",\n' for name in names()) + "]\n"


if __name__ == "__main__":
    STUB.write_text(text(), encoding="utf-8")
