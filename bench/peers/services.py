"""The services that are compared: how each starts on empty data, and what it has stored in the end."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

PEERS = pathlib.Path(__file__).parent
ROOT = PEERS.parent.parent
sys.path.insert(0, str(ROOT / "scripts/drills"))
import harness  # noqa: E402: the drills' throw-away stack

PYTHON = ROOT / "target/peers/bin/python"
READY_WITHIN_S = 30
# Names of the database and the role of the guide's service, beside ours in the same PostgreSQL.
GUIDE = "guide"
ROWS = "select json_build_array(id::text, name, dob::text, to_json(fight_skills)) from warrior"
MAKE_DUCKDB = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute(open(sys.argv[2]).read())"
ROWS_DUCKDB = """
import duckdb, json, sys
for row in duckdb.connect(sys.argv[1]).execute("SELECT id::TEXT, name, dob::TEXT, fight_skills FROM warrior").fetchall():
    print(json.dumps(row))
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_answered(url, process):
    until = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except OSError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{' '.join(map(str, process.args))} does not answer {url}: {error}") from error
        time.sleep(0.05)


def end(process, how):
    """Ends a process that leads a group of its own, and what it has started."""
    process.send_signal(how)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def python(code, *arguments):
    """What a few lines print that need DuckDB's package."""
    return subprocess.run([PYTHON, "-c", code, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def rows_of(lines):
    return {id: (name, dob, tuple(skills)) for id, name, dob, skills in map(json.loads, lines.splitlines())}


class Postgres:
    """The one PostgreSQL, with its PgBouncer, that all services on PostgreSQL take turns on."""

    def __init__(self, variables):
        self.variables = variables
        self.secrets = pathlib.Path(variables["POSTGRES_PASSWORD_FILE"]).parent
        self.psql("postgres", "postgres", f"create role {GUIDE} login password '{GUIDE}'")
        self.psql("postgres", "postgres", f"create database {GUIDE} owner {GUIDE}")
        self.psql(GUIDE, GUIDE, (PEERS / "schema.sql").read_text(), stop="0")
        self.version = self.psql("postgres", "postgres", "show server_version").split()[0]

    def psql(self, role, database, sql, stop="1"):
        files = {"postgres": "superuser.password", "warrior_owner": "owner.password"}
        password = (self.secrets / files[role]).read_text().strip() if role in files else role
        asked = subprocess.run(
            ["psql", "-qAtX", "-v", f"ON_ERROR_STOP={stop}", "-h", "127.0.0.1", "-U", role, "-d", database,
             "-p", self.variables["POSTGRES_DIRECT_PORT"]],
            input=sql, env=os.environ | {"PGPASSWORD": password}, capture_output=True, text=True)
        if asked.returncode:
            raise SystemExit(f"psql as {role}: {asked.stderr}")
        return asked.stdout


class Flask:
    """The guide's service: Flask on gunicorn, on a file of DuckDB or on PostgreSQL."""

    def __init__(self, key, title, config, way=None, postgres=None):
        self.key, self.title, self.config, self.way, self.postgres = key, title, config, way, postgres
        # nginx is the public service's, on DuckDB.
        self.proxied = postgres is None
        self.process = self.proxy = None

    def start(self, folder, proxied):
        port, self.file, self.log = free_port(), folder / "app.duckdb", folder / "gunicorn.log"
        variables = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        if self.postgres:
            self.postgres.psql(GUIDE, GUIDE, "truncate warrior")
            # Section 5: 20 to 100 connections, in each worker.
            variables |= {"DB_MODE": "postgresql", "POSTGRES_HOST": "127.0.0.1", "POSTGRES_DB": GUIDE, "POSTGRES_USER": GUIDE,
                          "POSTGRES_PORT": self.postgres.variables["POSTGRES_DIRECT_PORT"], "POSTGRES_PASSWORD": GUIDE,
                          "DB_POOL_MIN": "20", "DB_POOL_MAX": "100"}
        else:
            python(MAKE_DUCKDB, self.file, PEERS / "schema_duckdb.sql")
            variables |= {"DB_MODE": "local", "DUCKDB_FILE": str(self.file), "DUCKDB_CONNECTIONS": self.way}
        self.process = subprocess.Popen(
            [PYTHON, "-m", "gunicorn", "-c", f"{self.config}.py", "-b", f"127.0.0.1:{port}", "--error-logfile", self.log, "limiter:app"],
            cwd=PEERS / "service", env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        wait_until_answered(f"http://127.0.0.1:{port}/health", self.process)
        return self.before(folder, port) if proxied else port

    def before(self, folder, upstream):
        port = free_port()
        (folder / "nginx.conf").write_text((PEERS / "nginx.conf").read_text().format(port=port, upstream=upstream))
        self.proxy = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "nginx.log"], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                                      env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin"})
        wait_until_answered(f"http://127.0.0.1:{port}/health", self.proxy)
        return port

    def stop(self):
        # SIGQUIT is gunicorn's quick shutdown; the gentle one waits for workers that wait for a connection.
        for process in filter(None, [self.proxy, self.process]):
            end(process, signal.SIGQUIT)
        self.process = self.proxy = None

    def worker_timeouts(self):
        return self.log.read_text().count("WORKER TIMEOUT")

    def rows(self):
        if self.postgres:
            return rows_of(self.postgres.psql(GUIDE, GUIDE, ROWS))
        return rows_of(python(ROWS_DUCKDB, self.file))


class Ours:
    """`warrior-api serve`, on a file of DuckDB or on PostgreSQL through PgBouncer."""

    proxied = False

    def __init__(self, key, title, program, postgres=None):
        self.key, self.title, self.program, self.postgres, self.server = key, title, program, postgres, None

    def start(self, folder, proxied):
        del proxied  # It sheds load itself.
        self.file = folder / "app.duckdb"
        if self.postgres:
            self.postgres.psql("warrior_owner", "warrior_api", "truncate warrior")
            variables = self.postgres.variables
        else:
            variables = {"DB_MODE": "local", "DUCKDB_FILE": str(self.file), "PORT": "0", "ADMIN_PORT": "0"}
        self.server = harness.Server(self.program, variables)
        return self.server.public[1]

    def stop(self):
        if self.server:
            self.server.stop()
        self.server = None

    def worker_timeouts(self):
        return None

    def rows(self):
        if self.postgres:
            return rows_of(self.postgres.psql("warrior_owner", "warrior_api", ROWS))
        return rows_of(python(ROWS_DUCKDB, self.file))
