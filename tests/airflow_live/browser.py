"""A headless Chromium, driven by the W3C WebDriver protocol of chromedriver."""

import base64
import json
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import servers

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


class Browser:
    def __init__(self, driver: str, session: str) -> None:
        self.driver, self.session = driver, session

    def open(self, url: str) -> None:
        self.command("POST", "/url", {"url": url})

    def text(self) -> str:
        """The visible text of the page."""
        text: str = self.command("POST", "/execute/sync", {"script": "return document.body.innerText", "args": []})
        return text

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.command("GET", "/screenshot")))

    def command(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - as the command answers
        return send(f"{self.driver}/session/{self.session}{path}", method, body)


def send(url: str, method: str, body: object = None) -> Any:  # noqa: ANN401 - as the command answers
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/json"}, method=method)
    return json.loads(servers.ask(request, 120))["value"]


@contextmanager
def browser(folder: Path, width: int, height: int) -> Iterator[Browser]:
    """A browser with its own profile below `folder`; it ends with the block."""
    program = shutil.which("chromedriver")
    assert program, "chromedriver is not installed (Debian: chromium-driver)"
    port = servers.free_port()
    driver = f"http://127.0.0.1:{port}"
    environment = {**servers.clean_environment(), "HOME": str(folder)}
    with servers.running([program, f"--port={port}"], environment, folder / "chromedriver.log"):

        def ready() -> bool | None:
            try:
                return send(f"{driver}/status", "GET")["ready"] or None
            except OSError:
                return None

        servers.until("chromedriver answers", ready, 120)
        options = {"args": [*ARGUMENTS, f"--window-size={width},{height}", f"--user-data-dir={folder / 'profile'}"]}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        session = send(f"{driver}/session", "POST", wanted)["sessionId"]
        try:
            yield Browser(driver, session)
        finally:
            send(f"{driver}/session/{session}", "DELETE")
