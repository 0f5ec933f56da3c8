#!/usr/bin/env python3
"""The live page in a browser, while warrior-load loads the server: `make browser-test`.

    scripts/browser/test.py [--programs target/release] [--out target/browser-test] [--seconds 30]

The stack is a throw-away one. While it serves, the page must show figures that move, and the sentence about what binds;
when it has gone, the page must say so. Look at the pictures, too: no program says what is ugly.
"""

import argparse
import contextlib
import json
import pathlib
import signal
import subprocess
import time

import check

FOLDER = pathlib.Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path("target/release"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("target/browser-test"))
    parser.add_argument("--seconds", type=int, default=30, help="history in the pictures")
    options = parser.parse_args()
    with contextlib.ExitStack() as running:
        server = Server(options.programs)
        running.callback(server.stop)
        browser = running.enter_context(check.opened(f"{server.admin}/", 1280))
        with load(options, server.public):
            wrong = check.contents(browser, shows=["#limit", "#why", "#build"], moves=["#routes tbody", "#state"])
            look(browser, options.seconds)
            wrong += check.pictures(browser, options.out, "page", [1280, 390])
        # Without a server each question is an error on the console, and should be.
        wrong += check.events(browser)
        server.stop()
        wait(browser, "the page says that its server has gone", "document.getElementById('state').dataset.kind === 'gone'", 60)
        wrong += check.pictures(browser, options.out, "gone", [1280, 390])
    check.report(wrong, options.out, "page")


def look(browser, seconds):
    """What only the live page has."""
    wait(browser, f"{seconds} samples are drawn", f"Number(document.body.dataset.drawn) >= {seconds}", seconds * 20)
    assert_that(browser, "the state is live", "document.getElementById('state').dataset.kind === 'live'")
    lanes = "[...document.querySelectorAll('#stages .lane')].map((lane) => lane.firstChild.textContent).join()"
    assert_that(browser, "each lane shows where its time goes", f"{lanes} === 'create,find,search'")
    for group in ["Lanes", "r2d2", "PgBouncer", "PostgreSQL", "Process and machine"]:
        has = f"[...document.querySelectorAll('.group h3')].some((h) => h.firstChild.textContent === '{group}')"
        assert_that(browser, f"{group} is shown", has)


def wait(browser, what, condition, seconds):
    deadline = time.monotonic() + seconds
    while not browser.ask(condition):
        if time.monotonic() > deadline:
            raise SystemExit(f"within {seconds} s it never came true: {what}")
        time.sleep(0.2)


def assert_that(browser, what, condition):
    if not browser.ask(condition):
        raise SystemExit(f"not so: {what}")


class Server:
    """A throw-away stack, and the server before it."""

    def __init__(self, programs):
        program = programs / "warrior-api"
        if not program.exists():
            raise SystemExit(f"{program} is missing; build it with: cargo build --release --locked")
        self.process = subprocess.Popen([program, "up", "--ephemeral", "--until-stdin-ends"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the stack did not start; see why: {program} up --ephemeral")
        told = json.loads(line)
        self.public, self.admin = f"http://{told['http']}", f"http://{told['admin']}"

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(60)


@contextlib.contextmanager
def load(options, url):
    """Load until the end of the block, with its report in a folder of its own."""
    out = options.out / "load"
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "output.txt", "w", encoding="utf-8") as output:
        process = subprocess.Popen([options.programs / "warrior-load", "run", "--url", url, "--profile", FOLDER / "load.toml",
                                    "--out", out, "--no-tui"], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield
            if process.poll() is not None:
                raise SystemExit(f"the load ended by itself; {output.name} says why")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(120)


if __name__ == "__main__":
    main()
