"""Which role a node has in its high availability cluster, by what it reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..enums import HaInfo

ROLES = ("primary", "secondary", "none")

_ROLES = {
    HaInfo.NOPRIMARY: "none",  # a secondary whose primary is lost
    HaInfo.SECONDARY_DIED: "primary",  # who has secondaries is one
    HaInfo.SECONDARY_ARRIVED: "primary",
    HaInfo.SECONDARY_INITIALIZED: "secondary",
    HaInfo.IS_PRIMARY: "primary",
    HaInfo.IS_NONE: "none",
}


def role_after(payload: Mapping[str, Any], before: str | None) -> str | None:
    """The role of a node that sends this ha-info notification; None while it is not known.

    payload -- the notification's
    before -- the role until then
    """
    if payload["type"] == HaInfo.BESECONDARY_RESULT:
        return "none" if payload["besecondary_result"] else "secondary"
    return _ROLES.get(payload["type"], before)
