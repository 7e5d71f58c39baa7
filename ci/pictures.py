"""Write the pictures of the documentation; run by ci/pictures."""

from __future__ import annotations

import io
import sys
from datetime import timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "docs" / "assets"
sys.path.insert(0, str(ROOT / "tests"))

from browser import Page, opened_browser  # noqa: E402

from confd_events.traces import read_csv, spans  # noqa: E402
from confd_events.traces.html import write_html  # noqa: E402


def main() -> None:
    """Shoots the page of the commit that docs/traces.md walks through."""
    with TemporaryDirectory() as directory, opened_browser() as page:
        path = Path(directory) / "traces.html"
        csv = ASSETS / "slow-commit.csv"
        with csv.open() as rows, path.open("w", encoding="utf-8") as file:
            found = spans(read_csv(rows, zone=timezone.utc))
            write_html(found, file, title=csv.name)
        page.resize(1000, 760)
        page.open(path)
        shoot(page, "waterfall.png")
        page.resize(1000, 420)
        page.write("#text", "lock")
        shoot(page, "waterfall-lock.png")


def shoot(page: Page, name: str) -> None:
    """Writes what is in sight, in few colours, for it to be small."""
    picture = Image.open(io.BytesIO(page.picture())).convert("RGB")
    picture.quantize(48).save(ASSETS / name, optimize=True)


main()
