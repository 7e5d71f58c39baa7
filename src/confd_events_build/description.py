"""The package's catalog, without the package: that would import the extension yet to be built."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parents[2]

if TYPE_CHECKING:
    from confd_events.description import catalog, shapes
else:
    _spec = importlib.util.spec_from_file_location(
        "confd_events_description", PROJECT / "src" / "confd_events" / "description" / "__init__.py"
    )
    _package = importlib.util.module_from_spec(_spec)
    sys.modules[_spec.name] = _package
    _spec.loader.exec_module(_package)
    catalog = importlib.import_module(f"{_spec.name}.catalog")
    shapes = importlib.import_module(f"{_spec.name}.shapes")

__all__ = ["PROJECT", "catalog", "shapes"]
