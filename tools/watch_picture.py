"""Pictures of the operators' page for the README, from the store that `make demo` leaves behind; needs Chromium.

    python tools/watch_picture.py [build/demo] [host/watch.png]

The clock of the page stands where the story ends, so the same story gives the same picture.
"""

import asyncio
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from groundnet.collector.database import Database
from groundnet.provision.registry import Registry
from groundnet.watch.app import Options, Page
from groundnet.watch.desk import Desk
from groundnet.web.server import listen, server_of
from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1180, 1110
CASE, AFTER_MS = 1, 20_000


def main(story: Path, picture: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(shutil.copy(story / name, folder)) for name in ("collector.db", "registry.db")]
        store = Database(files[0])
        row = store.row("SELECT max(time_ms) AS at_ms FROM beacons")
        store.close()
        assert row is not None
        now_ms = row["at_ms"] + AFTER_MS
        desk = Desk(lambda: (Database(files[0]), Registry(files[1])), "李华", lambda: now_ms)
        bound = listen("127.0.0.1", 0)
        server = server_of(Page(desk, Options(language="en")).app)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
        thread.start()
        try:
            _take(f"http://127.0.0.1:{bound.getsockname()[1]}/case/{CASE}", picture)
        finally:
            server.should_exit = True
            thread.join()
            desk.close()


def _take(url: str, picture: Path) -> None:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(url)
        page.wait_for_selector("#until")
        page.screenshot(path=str(picture))
        browser.close()


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:]]
    main(*(arguments + [Path("build/demo"), Path("host/watch.png")][len(arguments) :]))
