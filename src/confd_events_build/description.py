"""The package's catalog, without the package: that would import the extension yet to be built."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parents[2]

if TYPE_CHECKING:
    from confd_events.description import catalog
else:
    _spec = importlib.util.spec_from_file_location(
        "catalog", PROJECT / "src" / "confd_events" / "description" / "catalog.py"
    )
    catalog = importlib.util.module_from_spec(_spec)
    sys.modules[_spec.name] = catalog
    _spec.loader.exec_module(catalog)

__all__ = ["PROJECT", "catalog"]
