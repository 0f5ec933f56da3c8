#!/usr/bin/env python3
"""Opens a page or a file in headless Chromium, says what is wrong with it, and takes pictures of it.

    scripts/browser/check.py URL|FILE [--out target/browser-test] [--name page] [--widths 1280 390]
                             [--shows SELECTOR ...] [--moves SELECTOR ...]

Wrong are: an error on the console, a request to anywhere else, something to scroll sideways, an element of --shows
without text, and one of --moves whose text stays the same. Pictures: NAME-WIDTH-light.png and NAME-WIDTH-dark.png.
"""

import argparse
import base64
import contextlib
import json
import pathlib
import sys
import time
import urllib.parse

from chromium import Chromium

# Longest wait in seconds until an element shows something, or something else.
PATIENCE = 60


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("page", metavar="URL|FILE")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("target/browser-test"))
    parser.add_argument("--name", default="page", help="how the pictures' names begin")
    parser.add_argument("--widths", type=int, nargs="+", default=[1280, 390], help="CSS pixels")
    parser.add_argument("--shows", nargs="*", default=[], metavar="SELECTOR", help="elements that must show a text")
    parser.add_argument("--moves", nargs="*", default=[], metavar="SELECTOR", help="elements whose text must change")
    return parser.parse_args()


def address(page):
    if urllib.parse.urlsplit(page).scheme in ("http", "https", "file"):
        return page
    file = pathlib.Path(page).resolve()
    if not file.is_file():
        raise SystemExit(f"{page} is neither a file nor an address that begins with http:// or https://")
    return file.as_uri()


def check(options):
    """Sentences about what is wrong with the page, none when all is well."""
    with opened(options.page, options.widths[0]) as browser:
        wrong = contents(browser, options.shows, options.moves)
        wrong += pictures(browser, options.out, options.name, options.widths)
        return wrong + events(browser)


@contextlib.contextmanager
def opened(page, width):
    """A browser that shows the page, by day."""
    url = address(page)
    with contextlib.closing(Chromium()) as browser:
        browser.look(width, "light")
        answer = browser.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise SystemExit(f"{url} cannot be opened: {answer['errorText']}")
        yield browser


def contents(browser, shows, moves):
    """Which of `shows` show no text, and which of `moves` the same text all the time."""
    wrong = [f"{selector} shows no text" for selector in shows if not becomes(browser, selector, lambda text: text)]
    for selector in moves:
        first = text_of(browser, selector)
        if not becomes(browser, selector, lambda text, first=first: text not in (None, first)):
            wrong.append(f"{selector} shows {first!r} all the time")
    return wrong


def pictures(browser, out, name, widths):
    """Takes a picture of each width, by day and by night; says where there is something to scroll sideways."""
    out.mkdir(parents=True, exist_ok=True)
    wrong = []
    for width in widths:
        for scheme in ["light", "dark"]:
            browser.look(width, scheme)
            wrong += overflow(browser, width, scheme)
            picture(browser, out / f"{name}-{width}-{scheme}.png")
    return wrong


def text_of(browser, selector):
    return browser.ask(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")


def becomes(browser, selector, condition):
    deadline = time.monotonic() + PATIENCE
    while not condition(text_of(browser, selector)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def overflow(browser, width, scheme):
    """What is wider than the window, by its tag and id."""
    wide = browser.ask("""(() => {
        const root = document.documentElement;
        if (root.scrollWidth <= root.clientWidth) return null;
        const out = [...document.querySelectorAll("body *")].find((e) => e.getBoundingClientRect().right > root.clientWidth + 1);
        return `${root.scrollWidth} px: ${out ? `${out.tagName} ${out.id || out.className}` : "no element alone"}`;
    })()""")
    return [f"at {width} px ({scheme}) there is something to scroll sideways, {wide}"] if wide else []


def picture(browser, file):
    size = browser.call("Page.getLayoutMetrics")["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    data = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
    file.write_bytes(base64.b64decode(data))


def events(browser):
    """What the console complained of so far, and who else was asked."""
    here = urllib.parse.urlsplit(browser.ask("location.href"))
    return list(complaints(browser, here))


def complaints(browser, here):
    for event in browser.events:
        what = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            yield f"an exception: {details.get('exception', {}).get('description', details['text'])}"
        elif event.get("method") == "Runtime.consoleAPICalled" and what["type"] in ("error", "assert"):
            yield f"console.{what['type']}: {[a.get('value', a.get('description')) for a in what['args']]}"
        elif event.get("method") == "Log.entryAdded" and what["entry"]["level"] == "error":
            yield f"the console says: {what['entry']['text']} {what['entry'].get('url', '')}"
        elif event.get("method") == "Network.requestWillBeSent":
            to = urllib.parse.urlsplit(what["request"]["url"])
            same = (to.scheme, to.netloc) == (here.scheme, here.netloc) and (here.scheme != "file" or to.path == here.path)
            if not same and to.scheme not in ("data", "blob"):
                yield f"it asks elsewhere: {what['request']['url']}"


def report(wrong, out, name):
    """Prints what is wrong, or that nothing is, and exits so."""
    for sentence in wrong:
        print(f"{name}: {sentence}", file=sys.stderr)
    print(f"{name}: {'wrong' if wrong else 'good'}; pictures in {out}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    options = arguments()
    report(check(options), options.out, options.name)
