"""The fixtures of the pytest plugin, for who enables it by this name.

pytest finds them without that; see confd_events_pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confd_events_pytest import confd_daemon, confd_subscribe, confd_subscription

if TYPE_CHECKING:
    from confd_events_pytest import Subscribe

__all__ = ["Subscribe", "confd_daemon", "confd_subscribe", "confd_subscription"]
