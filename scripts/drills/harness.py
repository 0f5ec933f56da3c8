"""A throw-away stack and servers before it, for the drills in this folder: standard library alone."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

# A drill that is stopped stops what it started, too.
for stopped in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(stopped, lambda number, _: sys.exit(128 + number))

# Longest start of a server, in seconds.
START_MAX = 60
SECRET = "of a drill, long enough to be one"


def warrior(name="small", skills=("judo",)):
    return json.dumps({"name": name, "dob": "1990-01-31", "fight_skills": skills}, ensure_ascii=False).encode()


def exchange(address, head, body=b"", timeout=30.0, kept=None):
    """Status of one request, and the connection, to be used again."""
    kept = kept or socket.create_connection(address, timeout)
    kept.sendall(f"{head} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = kept.recv(65536)
        if not part:
            raise ConnectionError("no answer")
        answer += part
    head, _, got = answer.partition(b"\r\n\r\n")
    length = next(int(l.split(b":")[1]) for l in head.lower().split(b"\r\n") if l.startswith(b"content-length"))
    while len(got) < length:
        part = kept.recv(65536)
        if not part:
            raise ConnectionError("half an answer")
        got += part
    return int(answer.split(b" ", 2)[1]), kept


class Server:
    """One `warrior-api serve`, whose process calls `preexec` first; what it logs is read away."""

    def __init__(self, program, variables, preexec=None):
        self.process = subprocess.Popen([program, "serve"], env=variables, cwd="/", stderr=subprocess.PIPE, text=True,
                                        preexec_fn=preexec)
        try:
            self.begin()
        except BaseException:
            self.kill()
            raise

    def begin(self):
        said, until = [], time.monotonic() + START_MAX
        while not said or "serving http://" not in said[-1]:
            said.append(self.process.stderr.readline())
            if not said[-1]:
                raise SystemExit("the server did not start:\n" + "".join(said))
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.public, self.admin = [(host, int(port)) for host, port in re.findall(r"http://([\d.]+):(\d+)", said[-1])]
        while self.ready() != 200:
            if time.monotonic() > until:
                raise SystemExit(f"the server is not ready after {START_MAX} s")
            time.sleep(0.05)

    def ready(self):
        status, kept = exchange(self.admin, "GET /ready")
        kept.close()
        return status

    def stop(self):
        self.process.terminate()
        return self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def commanded(program, *flags):
    """Variables of a server before a stack of its own, with the schema applied, and what has that stack carry out `stop
    postgres` and the like."""
    running = subprocess.Popen([program, "stack", *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, cwd="/", text=True,
                               env=os.environ | {"POSTGRES_PORT": "0", "POSTGRES_DIRECT_PORT": "0"})

    def command(line):
        running.stdin.write(line + "\n")
        running.stdin.flush()
        said = json.loads(running.stdout.readline())
        if "error" in said:
            raise SystemExit(f"{line}: {said['error']}")

    try:
        where = json.loads(running.stdout.readline())["running"]
        secrets = os.path.join(where["data"], "secrets")
        with tempfile.NamedTemporaryFile("w", suffix=".secret") as secret:
            secret.write(SECRET)
            secret.flush()
            variables = {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(where["pooler"]["port"]),
                         "POSTGRES_PASSWORD_FILE": f"{secrets}/warrior.password",
                         "POSTGRES_DIRECT_PORT": str(where["postgres"]["port"]),
                         "POSTGRES_OWNER_PASSWORD_FILE": f"{secrets}/owner.password",
                         "IDEMPOTENCY_SECRET_FILE": secret.name, "PORT": "0", "ADMIN_PORT": "0"}
            subprocess.run([program, "schema", "apply"], env=variables, cwd="/", check=True, capture_output=True)
            yield variables, command
    finally:
        running.stdin.close()
        running.wait()


@contextlib.contextmanager
def stack(program):
    """As `commanded`, thrown away: the variables alone."""
    with commanded(program, "--ephemeral") as (variables, _):
        yield variables


def psql(variables, sql, **streams):
    """A process that runs statements as the owner; what they answer is read from it."""
    with open(variables["POSTGRES_OWNER_PASSWORD_FILE"]) as file:
        password = file.read().strip()
    return subprocess.Popen(["psql", "-qAtX", "-h", "127.0.0.1", "-p", variables["POSTGRES_DIRECT_PORT"], "-U", "warrior_owner",
                             "-d", "warrior_api", "-c", sql], env=os.environ | {"PGPASSWORD": password}, stdout=subprocess.PIPE, text=True, **streams)
