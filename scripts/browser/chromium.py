"""Chromium by its DevTools protocol over two pipes: no port, no WebSocket, nothing beside Python's own modules.

A driver from a package (Selenium, Playwright) would bring a browser, or a second server, of its own version along;
what is asked here are a dozen methods of the protocol.
"""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time

# Longest wait in seconds for an answer of the browser: a start on a busy machine takes most of it.
ANSWER_TIMEOUT = 120


class Chromium:
    """A headless browser with one page. Its events are kept, in order, in `events`."""

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            raise SystemExit("no Chromium is installed; run: scripts/install browser")
        self.profile = tempfile.mkdtemp(prefix="warrior-browser-")
        # The browser reads from its descriptor 3 and writes to 4.
        read_end, self.requests = os.pipe()
        self.answers, write_end = os.pipe()
        command = [program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--no-first-run",
                   "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
                   "--hide-scrollbars", "--lang=en"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        # The wrapper that distributions put before it keeps both open.
        redirect = f'exec "$@" 3<&{read_end} 4>&{write_end}'
        self.process = subprocess.Popen(["bash", "-c", redirect, "browser", *command], pass_fds=(read_end, write_end),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read_end)
        os.close(write_end)
        self.last, self.buffer, self.events, self.session = 0, b"", [], None
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ["Page", "Runtime", "Log", "Network"]:
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def call(self, method, **parameters):
        """What the browser answers to a method of the protocol."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.requests, data):]
        deadline = time.monotonic() + ANSWER_TIMEOUT
        while True:
            answer = self.receive(deadline - time.monotonic())
            if answer is None:
                raise SystemExit(f"Chromium did not answer {method} within {ANSWER_TIMEOUT} s")
            if answer.get("id") != self.last:
                self.events.append(answer)
            elif "error" in answer:
                raise SystemExit(f"Chromium refuses {method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def receive(self, seconds):
        """The next message, or None when none comes within so many seconds."""
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], max(0, seconds))[0]:
                return None
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                raise SystemExit("Chromium ended; start it by hand to see why: chromium --headless=new --dump-dom about:blank")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def ask(self, script):
        """The value of an expression of JavaScript, as JSON."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"{script}: {result['exceptionDetails']['text']}")
        return result["result"].get("value")

    def look(self, width, scheme):
        """Shows the page as wide as a window of so many CSS pixels, by day ("light") or by night ("dark")."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 700)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def close(self):
        """Ends the browser; its profile goes with it."""
        os.close(self.requests)
        os.close(self.answers)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
