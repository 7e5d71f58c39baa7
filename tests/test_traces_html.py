"""The page of traces, in a real browser."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from browser import Page, opened_browser
from tracing import START, STOP, assembled, commit, number, progress, span_of

from confd_events.traces import Span
from confd_events.traces.html import write_html

Open = Callable[..., Page]
ODD = "</script><img src=x onerror=\"document.title='caught'\">&amp; <!-- <script> \u2028 é \\u003c"


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with opened_browser() as page:
        yield page


@pytest.fixture
def opened(browser: Page, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of spans; at the end it must not have loaded anything, nor failed."""
    path = tmp_path / "traces.html"

    def open_page(spans: list[Span], **options: Any) -> Page:
        with path.open("w", encoding="utf-8") as file:
            write_html(spans, file, **options)
        browser.loaded.clear()
        browser.resize(1200, 800)
        browser.open(path)
        return browser

    yield open_page
    assert browser.errors == []
    assert browser.loaded == [path.as_uri()]


def devices() -> list[Span]:
    """A commit to two devices, one of which fails, and a session that connects to a third."""
    failed = progress(
        STOP, 7000, "push", duration=1000, span_id=number(6), parent_span_id=number(4),
        trace_id=commit()[0]["trace_id"], annotation="refused", device="ios1",
    )  # fmt: skip
    return assembled(
        [
            *commit(),
            *span_of("push", 5000, 7500, number(5), number(4), device="ios0"),
            *span_of("login", 5100, 5600, number(8), number(5), device="ios0"),
            failed,
            *span_of("connect", 2000, 4000, None, usid=50, device="ios2"),
        ]
    )


def names(page: Page) -> list[str]:
    return page.texts(".line .label")


def row(name: str) -> str:
    """A selector for the row whose step has this name, which is marked for that."""
    return f'.line[data-name="{name}"]'


def marked(page: Page) -> None:
    """Gives each row its step's name, so that a selector finds it."""
    page.value(
        "document.querySelectorAll('.line').forEach(row =>"
        " row.dataset.name = row.querySelector('.label').textContent)"
    )


def click(page: Page, name: str, times: int = 1, part: str = ".label") -> None:
    marked(page)
    page.click(f"{row(name)} {part}", times)


def bar(page: Page, name: str) -> tuple[float, float]:
    """Where the bar of a step begins and ends: parts of the track's width."""
    marked(page)
    found, track = page.box(f"{row(name)} .bar"), page.box(f"{row(name)} .track")
    left = (found["left"] - track["left"]) / track["width"]
    return left, left + found["width"] / track["width"]


def test_steps_lie_below_the_step_around_them(opened: Open) -> None:
    page = opened(devices(), title="Commit <of> today")
    assert page.texts("h1") == ["Commit <of> today"]
    assert page.value("document.title") == "Commit <of> today"
    assert page.texts("#facts") == [
        "2 traces · 8 steps · 9.0 ms · from 2023-11-14T22:13:20.000000Z · 1 failed"
    ]
    assert names(page) == [
        "session 41",
        "applying transaction",
        "validate",
        "holding transaction lock",
        "commit",
        "push",
        "login",
        "✗ push",
        "session 50",
        "connect",
    ]
    depths = page.value(
        "[...document.querySelectorAll('.name')].map(each => parseInt(each.style.paddingLeft))"
    )
    assert depths[1:] == [4 + 14 * depth for depth in (0, 1, 2, 3, 2, 3, 4, 3, 0, 1)]


def test_times_and_self_times(opened: Open) -> None:
    page = opened(assembled(commit()))
    rows = [text.split("\n") for text in page.texts(".line")]
    assert [row[-2:] for row in rows[1:]] == [
        ["9.0 ms", "1.2 ms"],
        ["3.9 ms", "2.9 ms"],
        ["5.5 ms", "5.5 ms"],
        ["3.9 ms", "3.9 ms"],
    ]
    assert bar(page, "applying transaction") == pytest.approx((0, 1), abs=0.01)
    assert bar(page, "holding transaction lock") == pytest.approx((3 / 9, 8.5 / 9), abs=0.01)
    assert len(page.texts(f"{row('validate')} .self")) == 1
    assert len(page.texts(f"{row('commit')} .event")) == 1
    assert "4 ms" in page.texts(".tick")


def test_below_devices(opened: Open) -> None:
    page = opened(devices())
    page.select("#nest", "device")
    assert names(page) == [
        "session 41",
        "transaction",
        "applying transaction",
        "validate",
        "holding transaction lock",
        "commit",
        "ios0",
        "push",
        "login",
        "ios1",
        "✗ push",
        "session 50",
        "ios2",
        "connect",
    ]


def test_folding(opened: Open) -> None:
    page = opened(devices())
    click(page, "commit", part=".fold")
    assert "login" not in names(page)
    assert "commit" in names(page)
    click(page, "commit", part=".fold")
    assert "login" in names(page)
    page.click("#collapse")
    assert names(page) == ["session 41", "session 50"]
    page.click("#unfold")
    assert len(names(page)) == 10


def test_finding(opened: Open) -> None:
    page = opened(devices())
    page.click("#collapse")
    page.write("#text", "IOS0")
    assert names(page) == ["session 41", "applying transaction", "commit", "push", "login"]
    assert page.texts(".line.around .label") == ["session 41", "applying transaction", "commit"]
    assert page.texts("#matches") == ["2 steps found"]
    page.write("#least", "1.5")
    assert page.texts("#matches") == ["1 step found"]
    page.write("#text", "")
    page.write("#least", "")
    page.click("#wrong")
    assert names(page) == ["session 41", "applying transaction", "commit", "✗ push"]
    page.click("#wrong")
    assert names(page) == ["session 41", "session 50"]


def test_zooming(opened: Open) -> None:
    page = opened(devices())
    click(page, "commit", times=2)
    left, right = bar(page, "commit")
    assert (left, right) == pytest.approx((0.02, 0.98), abs=0.01)
    page.key("Escape")
    assert bar(page, "applying transaction") == pytest.approx((0, 1), abs=0.01)
    track = page.box(f"{row('applying transaction')} .track")
    y = track["top"] + 5
    page.drag(track["left"] + track["width"] / 3, y, track["left"] + track["width"] * 2 / 3)
    # Of 9 ms, the middle 3: the commit from 4.1 to 8 begins there, and ends beyond.
    left, right = bar(page, "commit")
    assert left == pytest.approx(1.1 / 3, abs=0.02)
    assert right >= 1
    page.click("#whole")
    assert bar(page, "applying transaction") == pytest.approx((0, 1), abs=0.01)


def test_what_is_known_of_a_step(opened: Open) -> None:
    page = opened(devices())
    click(page, "✗ push")
    assert page.texts("#detail h2") == ["push"]
    told = dict(zip(page.texts("#detail dt"), page.texts("#detail dd")))
    assert told["failed"] == "refused"
    assert told["time"] == "1.0 ms, its own 1.0 ms"
    assert told["from"] == "2023-11-14T22:13:20.006000Z (+6.0 ms)"
    assert told["nso.device"] == "ios1"
    assert told["span"] == f"{number(6)}, within {number(4)}"
    click(page, "commit")
    told = dict(zip(page.texts("#detail dt"), page.texts("#detail dd")))
    assert told["+100 µs"] == "commit  nso.subsystem=cdb"
    page.click("#close")
    assert page.box("#detail")["height"] == 0


def test_keys(opened: Open) -> None:
    page = opened(devices())
    page.value("document.querySelector('#pane').focus()")
    for _ in range(3):
        page.key("ArrowDown")
    assert page.texts("#detail h2") == ["validate"]
    page.key("ArrowLeft")
    assert "holding transaction lock" not in names(page)
    page.key("ArrowRight")
    page.key("End")
    assert page.texts(".chosen .label") == ["connect"]


def test_what_failed_and_what_did_not_end_is_marked(opened: Open) -> None:
    page = opened([*devices(), *assembled([progress(START, 0, "hangs", span_id=number(99))])])
    assert page.texts(".failed .label") == ["✗ push"]
    assert page.texts(".failed .tag") == ["ios1", "refused"]
    assert page.texts(".incomplete .label") == ["hangs"]
    assert page.texts(".incomplete .tag") == ["end not seen"]


def test_odd_text_is_shown_and_not_run(opened: Open) -> None:
    said: dict[str, Any] = {"device": ODD, "service": ODD, "attributes": {ODD: ODD}}
    spans = assembled(span_of(ODD, 0, 5, number(1), annotation=f"error {ODD}", **said))
    page = opened(spans, title=ODD)
    assert page.value("document.title") == page.value("document.querySelector('h1').textContent")
    assert page.value("document.querySelector('h1').textContent") == ODD
    assert page.value("document.querySelectorAll('img').length") == 0
    assert page.value("document.querySelectorAll('script').length") == 2
    assert page.value("steps[0].name") == ODD
    assert page.value(f"document.querySelector('{'.failed .label'}').textContent") == f"✗ {ODD}"
    page.click(".failed .label")
    told = page.value("[...document.querySelectorAll('#detail dd')].map(e => e.textContent)")
    assert told.count(ODD) == 3


def test_no_steps(opened: Open) -> None:
    page = opened([])
    assert page.texts("#facts") == ["no steps"]
    assert names(page) == []


def many(count: int) -> list[Span]:
    """Spans of commits of a hundred steps each, without the assembler."""
    result = []
    for index in range(count):
        trace, step = divmod(index, 100)
        start = trace * 120_000 + step * 1000
        span = Span(f"{trace + 1:032x}", number(index + 1), f"step {step}", start, start + 900)
        if step:
            span.parent_id = number(index - step % 10 if step % 10 else trace * 100 + 1)
        else:
            span.end = start + 100_000
        span.attributes = {"nso.usid": trace % 7, "nso.device": f"ios{step % 10}"}
        result.append(span)
    return result


def test_ten_thousand_steps(opened: Open) -> None:
    page = opened(many(10_000))
    assert page.texts("#facts")[0].startswith("100 traces · 10,000 steps · ")
    assert page.value("shown.length") == 10_007
    # Those in sight alone are drawn, wherever one scrolls.
    assert 20 < len(names(page)) < 80
    page.value("pane.scrollTop = 5000 * HEIGHT; new Promise(requestAnimationFrame)")
    page.value("new Promise(requestAnimationFrame)")
    rows = page.value("[...document.querySelectorAll('.line')].map(row => row.dataset.line)")
    assert "5010" in rows
    page.write("#text", "step 42")
    assert page.texts("#matches") == ["100 steps found"]
    page.write("#text", "")
    page.select("#nest", "device")
    assert page.value("tree.length") == 10_000 + 7 + 7 * 10


def test_it_is_drawn(opened: Open) -> None:
    """In the colours of bars, failed ones too, by day and by night."""
    page = opened(devices())
    by_day = colours(page.picture())
    assert {(0x2F, 0x6F, 0xCE), (0xA9, 0xC6, 0xEF), (0xC6, 0x2F, 0x2F), (255, 255, 255)} <= by_day
    page.resize(1200, 800, dark=True)
    by_night = colours(page.picture())
    assert {(0x5B, 0x97, 0xEE), (0xF0, 0x64, 0x5F), (0x16, 0x19, 0x1E)} <= by_night


def test_nothing_is_loaded_from_elsewhere() -> None:
    class Links(HTMLParser):
        found: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [name for name, _ in attrs if name in ("src", "href")]

    file = io.StringIO()
    write_html(devices(), file)
    Links().feed(file.getvalue())
    assert Links.found == []
    assert "default-src 'none'" in file.getvalue()


def colours(png: bytes) -> set[tuple[int, ...]]:
    """The colours of a picture in PNG: 8 bits for each of three or four channels."""
    at, data, width, channels = 8, b"", 0, 3
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        content = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, _, depth, colour = struct.unpack(">IIBB", content[:10])
            assert (depth, colour) in ((8, 2), (8, 6))
            channels = 3 if colour == 2 else 4
        elif kind == b"IDAT":
            data += content
        at += 12 + length
    return _pixels(zlib.decompress(data), width, channels)


def _pixels(raw: bytes, width: int, channels: int) -> set[tuple[int, ...]]:
    size = width * channels
    before = bytearray(size)
    found = set()
    for start in range(0, len(raw), size + 1):
        line = _unfiltered(
            raw[start], bytearray(raw[start + 1 : start + 1 + size]), before, channels
        )
        found |= {tuple(line[x : x + 3]) for x in range(0, size, channels)}
        before = line
    return found


def _unfiltered(kind: int, line: bytearray, before: bytearray, channels: int) -> bytearray:
    """A line of a PNG as it was before one of its five filters."""
    for x in range(len(line)):
        left = line[x - channels] if x >= channels else 0
        corner = before[x - channels] if x >= channels else 0
        line[x] = (line[x] + _predicted(kind, left, before[x], corner)) & 255
    return line


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        estimate = left + up - corner
        return min((left, up, corner), key=lambda each: abs(estimate - each))
    return (0, left, up, (left + up) // 2)[kind]
