"""A method for each notification, the same in a daemon of this process or of another."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Callable

from . import _notifications as shapes

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    from ._delivery import Delivery
    from ._notifications import Peer
    from ._terms import Terms

    P = ParamSpec("P")


def _sends(
    shape: Callable[Concatenate[Peer, P], Terms], name: str | None = None
) -> Callable[Concatenate[Notifier, P], Delivery]:
    """The method that sends notifications of a shape; it takes the shape's keyword arguments."""
    kind = name or shape.__name__

    def send(self: Notifier, /, *args: P.args, **fields: P.kwargs) -> Delivery:
        return self._notify(kind, *args, **fields)

    signature = inspect.signature(shape)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    fields = [*signature.parameters.values()][1:]
    send.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [own, *fields], return_annotation="Delivery"
    )
    send.__name__, send.__doc__ = kind, shape.__doc__
    send.__qualname__ = f"Notifier.{kind}"
    return send


class Notifier:
    """Sends notifications to the subscribers that asked for them, each at its protocol level.

    Arguments are keywords, named after the keys of the binding's dicts. Text may be str (sent as
    UTF-8) or bytes (sent as they are); None stands for an absent field where the default is None.
    Every method returns a `Delivery`, and raises TypeError or ValueError for an argument that
    can not be encoded.
    """

    audit = _sends(shapes.audit)
    daemon_log = _sends(shapes.log, "daemon_log")
    netconf = _sends(shapes.log, "netconf")
    devel = _sends(shapes.log, "devel")
    jsonrpc = _sends(shapes.log, "jsonrpc")
    webui = _sends(shapes.log, "webui")
    commit = _sends(shapes.commit)
    commit_diff = _sends(shapes.commit_diff)
    user_session = _sends(shapes.user_session)
    ha_noprimary = _sends(shapes.ha_noprimary)
    ha_secondary_died = _sends(shapes.ha_secondary_died)
    ha_secondary_arrived = _sends(shapes.ha_secondary_arrived)
    ha_initialized = _sends(shapes.ha_initialized)
    ha_is_primary = _sends(shapes.ha_is_primary)
    ha_is_none = _sends(shapes.ha_is_none)
    ha_besecondary_result = _sends(shapes.ha_besecondary_result)
    subagent = _sends(shapes.subagent)
    commit_failed = _sends(shapes.commit_failed)
    snmpa = _sends(shapes.snmpa)
    forward = _sends(shapes.forward)
    confirmed_commit = _sends(shapes.confirmed_commit)
    upgrade = _sends(shapes.upgrade)
    progress = _sends(shapes.progress)
    commit_progress = _sends(shapes.progress, "commit_progress")
    compaction = _sends(shapes.compaction)
    stream_event = _sends(shapes.stream_event)
    stream_replay_complete = _sends(shapes.stream_replay_complete)
    stream_notification_complete = _sends(shapes.stream_notification_complete)
    stream_replay_failed = _sends(shapes.stream_replay_failed)
    cq_progress = _sends(shapes.cq_progress)
    call_home = _sends(shapes.call_home)
    audit_network = _sends(shapes.audit_network)
    heartbeat = _sends(shapes.heartbeat)
    health_check = _sends(shapes.health_check)
    package_reload = _sends(shapes.package_reload)
    reopen_logs = _sends(shapes.reopen_logs)
    system_going_down = _sends(shapes.system_going_down)

    def _notify(self, kind: str, /, **fields: object) -> Delivery:
        raise NotImplementedError
