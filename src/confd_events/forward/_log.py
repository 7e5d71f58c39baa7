"""The package's logger: silent unless the program configures logging."""

from __future__ import annotations

import logging

logger = logging.getLogger("confd_events.forward")
