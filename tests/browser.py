"""A real Chromium for tests of pages, driven by chromedriver over its HTTP protocol (W3C WebDriver)."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# The protocol's characters for keys that have none.
LEFT, RIGHT, UP, DOWN, HOME, END, SPACE = "\ue012", "\ue014", "\ue013", "\ue015", "\ue011", "\ue010", " "


class Browser:
    """One window: ``with Browser() as browser: browser.open(path); browser.click("#next")``.

    Arguments:
        width, height: of the window.
        dark: whether the page is told that its reader prefers dark colours.
    """

    def __init__(self, width=1280, height=800, dark=False):
        driver = shutil.which("chromedriver")
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if driver is None or chromium is None:
            raise RuntimeError("these tests need Chromium: apt-get install chromium chromium-driver")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.address = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(
            [driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
            f"--user-data-dir={self.folder.name}", f"--window-size={width},{height}",
        ]  # fmt: skip
        options = {"binary": chromium, "args": arguments}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = ""
        try:
            self._until_ready()
            made = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self.session = f"/session/{made['sessionId']}"
            if dark:
                self.prefer("dark")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            if self.session:
                self._send("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(10)
            self.folder.cleanup()

    def _until_ready(self):
        for _ in range(200):
            try:
                if self._send("GET", "/status")["ready"]:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError("chromedriver did not start")

    def _send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        # No proxy of the machine's is asked for what is on the machine itself.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise RuntimeError(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def prefer(self, scheme):
        """Tells pages which colours their reader prefers, "dark" or "light"."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        body = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
        self._send("POST", f"{self.session}/goog/cdp/execute", body)

    def open(self, path):
        """Opens a file, or an address."""
        path = os.fspath(path)
        address = path if "://" in path else pathlib.Path(path).absolute().as_uri()
        self._send("POST", f"{self.session}/url", {"url": address})

    def run(self, script, *arguments):
        """What JavaScript returns: ``run("return document.title")``; ``arguments[0]`` is the first argument."""
        return self._send("POST", f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})

    def _find(self, selector):
        body = {"using": "css selector", "value": selector}
        return self._send("POST", f"{self.session}/element", body)[ELEMENT]

    def click(self, selector):
        """A click with the mouse on the middle of the element, which must be in sight and not covered."""
        self._send("POST", f"{self.session}/element/{self._find(selector)}/click", {})

    def text(self, selector):
        """The text of the element as a reader sees it."""
        return self._send("GET", f"{self.session}/element/{self._find(selector)}/text")

    def visible(self, selector):
        """Whether the element is there to be seen."""
        return self._send("GET", f"{self.session}/element/{self._find(selector)}/displayed")

    def keys(self, text):
        """Presses keys one after the other, wherever the focus is."""
        presses = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.actions([{"type": "key", "id": "keyboard", "actions": presses}])

    def drag(self, selector, start, end):
        """Presses the mouse at ``start`` of the element (fractions of its width and height) and drags it to ``end``."""
        box = self.run(
            "const b = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height]",
            selector,
        )
        places = [[round(box[i] + box[2 + i] * at[i]) for i in (0, 1)] for at in (start, end)]
        moves = [{"type": "pointerMove", "duration": 50, "x": x, "y": y} for x, y in places]
        steps = [moves[0], {"type": "pointerDown", "button": 0}, moves[1], {"type": "pointerUp", "button": 0}]
        self.actions([{"type": "pointer", "id": "mouse", "actions": steps}])

    def actions(self, actions):
        """The protocol's input actions."""
        self._send("POST", f"{self.session}/actions", {"actions": actions})

    def frame(self, selector):
        """Goes into an ``<iframe>``; None goes back out."""
        target = None if selector is None else {ELEMENT: self._find(selector)}
        self._send("POST", f"{self.session}/frame", {"id": target})

    def wait(self, script, seconds=10.0):
        """Waits until JavaScript returns something true, and returns it."""
        end = time.monotonic() + seconds
        while not (value := self.run(script)):
            if time.monotonic() > end:
                raise AssertionError(f"still not so after {seconds} s: {script}")
            time.sleep(0.05)
        return value

    def errors(self):
        """What the page's scripts and its policy complained about since the last time it was asked."""
        log = self._send("POST", f"{self.session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path):
        """Writes what is in the window to a PNG file."""
        data = base64.b64decode(self._send("GET", f"{self.session}/screenshot"))
        pathlib.Path(path).write_bytes(data)
