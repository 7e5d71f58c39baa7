"""A headless Chromium, driven by its DevTools protocol through a pair of pipes."""

from __future__ import annotations

import base64
import itertools
import json
import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PATIENCE = 60.0
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
_OPTIONS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-extensions --mute-audio --hide-scrollbars
--disable-dev-shm-usage --remote-debugging-pipe
""".split()


def found() -> str:
    """The path of Chromium; AssertionError when there is none."""
    paths = filter(None, map(shutil.which, _NAMES))
    path = next(paths, None)
    assert path is not None, "Chromium is not installed: run ci/browser"
    return path


class Page:
    """A page of the browser. Errors of its scripts, and what it tries to load, are kept."""

    def __init__(self, to: int, answers: int) -> None:
        self.errors: list[str] = []
        self.loaded: list[str] = []
        self._to, self._from = to, answers
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session = ""
        target = self._asked("Target.createTarget", url="about:blank")["targetId"]
        attached = self._asked("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._asked(f"{domain}.enable")

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Gives the window's inner size, and the colours that the user prefers."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._asked("Emulation.setDeviceMetricsOverride", **size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._asked("Emulation.setEmulatedMedia", features=scheme)

    def open(self, path: Path) -> None:
        """Opens a file, and waits until it is loaded."""
        self._asked("Page.navigate", url=path.as_uri())
        end = time.monotonic() + PATIENCE
        while self.value("document.readyState + ' ' + location.protocol") != "complete file:":
            assert time.monotonic() < end

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is."""
        answer = self._asked(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """The text of each element that a CSS selector names."""
        found: list[str] = self.value(
            f"[...document.querySelectorAll({json.dumps(selector)})].map(each => each.innerText)"
        )
        return found

    def box(self, selector: str) -> dict[str, float]:
        """Where an element is: left, top, width, height."""
        box: dict[str, float] = self.value(
            f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()"
        )
        return box

    def click(self, selector: str, times: int = 1) -> None:
        """Clicks into the middle of an element."""
        box = self.box(selector)
        x, y = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
        for number in range(1, times + 1):
            self._mouse("mousePressed", x, y, number)
            self._mouse("mouseReleased", x, y, number)

    def drag(self, x: float, y: float, to_x: float) -> None:
        """Drags the mouse along a line."""
        self._mouse("mousePressed", x, y, 1)
        self._mouse("mouseMoved", (x + to_x) / 2, y, 1)
        self._mouse("mouseMoved", to_x, y, 1)
        self._mouse("mouseReleased", to_x, y, 1)

    def key(self, name: str) -> None:
        """Presses a key, such as ArrowDown."""
        for kind in ("rawKeyDown", "keyUp"):
            self._asked("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def write(self, selector: str, text: str) -> None:
        """Replaces what is in a field, as if typed."""
        field = f"document.querySelector({json.dumps(selector)})"
        self.value(f"{field}.focus(), {field}.select()")
        if text:
            self._asked("Input.insertText", text=text)
        else:
            self._asked("Input.dispatchKeyEvent", type="rawKeyDown", windowsVirtualKeyCode=46)
        assert self.value(f"{field}.value") == text

    def select(self, selector: str, choice: str) -> None:
        """Makes a choice of a select element."""
        self.value(
            f"{{ const field = document.querySelector({json.dumps(selector)});"
            f" field.value = {json.dumps(choice)};"
            " field.dispatchEvent(new Event('input', { bubbles: true })); }"
        )

    def picture(self) -> bytes:
        """What is in sight, as PNG."""
        return base64.b64decode(self._asked("Page.captureScreenshot", format="png")["data"])

    def _mouse(self, kind: str, x: float, y: float, count: int) -> None:
        pressed = {"button": "left", "buttons": 0 if kind == "mouseReleased" else 1}
        self._asked("Input.dispatchMouseEvent", type=kind, x=x, y=y, clickCount=count, **pressed)

    def _asked(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer.get("method"), answer.get("params", {}))
        raise AssertionError("the browser has ended")

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.errors.append(str(params["entry"]))
        elif method == "Network.requestWillBeSent":
            self.loaded.append(params["request"]["url"])

    def _messages(self) -> Iterator[dict[str, Any]]:
        with selectors.DefaultSelector() as selector:
            selector.register(self._from, selectors.EVENT_READ)
            while True:
                message, found, rest = self._rest.partition(b"\0")
                if found:
                    self._rest = rest
                    yield json.loads(message)
                    continue
                assert selector.select(PATIENCE), "the browser does not answer"
                more = os.read(self._from, 1 << 20)
                if not more:
                    return
                self._rest += more


@contextmanager
def opened_browser() -> Iterator[Page]:
    """A page of a browser that is gone at the end."""
    with TemporaryDirectory() as directory:
        for_it, to_it = os.pipe()
        from_it, of_it = os.pipe()
        # It reads 3 and writes 4, whatever these are here.
        shell = f'exec "$@" 3<&{for_it} 4>&{of_it}'
        command = [found(), *_OPTIONS, f"--user-data-dir={directory}", "about:blank"]
        process = subprocess.Popen(
            ["bash", "-c", shell, "browser", *command],
            pass_fds=(for_it, of_it),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(for_it)
        os.close(of_it)
        try:
            yield Page(to_it, from_it)
        finally:
            os.close(to_it)  # then it ends
            os.close(from_it)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
