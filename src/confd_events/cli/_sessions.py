"""Who is behind a session: notifications of progress tell its number alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from confd_events.traces import Span


class Sessions:
    """The users of sessions, from what other notifications tell of them."""

    def __init__(self) -> None:
        self._users: dict[int, str] = {}

    def note(self, payload: Mapping[str, Any]) -> None:
        """Takes in the payload of an audit record, of a session, or of a commit."""
        session = payload.get("uinfo")
        if session is None:
            usid, user = payload.get("usid"), payload.get("user")
        elif isinstance(session, Mapping):
            usid, user = session.get("usid"), session.get("username")
        else:
            usid, user = session.usid, session.username
        if usid and user:
            self._users[usid] = user

    def user_of(self, trace: Sequence[Span]) -> str | None:
        """The user of a trace's session; None when nothing told it."""
        for span in trace:
            usid = span.attributes.get("nso.usid")
            if isinstance(usid, int) and usid in self._users:
                return self._users[usid]
        return None
