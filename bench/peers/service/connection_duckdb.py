"""Connections to the DuckDB file ("data/app.duckdb", section 7). The guide does not show this module; DUCKDB_CONNECTIONS
says how a worker gets one, in the ways that it may have been:

request     the file is opened for each request and closed after it; while another process holds it, tried again
pool        each worker keeps a pool, made at its first request, as section 3 does it. DuckDB lets one process hold a
            file: the first worker has it, the pools of the others stay empty, and who asks them waits in vain
published   the same with the settings of the public service, some of which DuckDB does not know, so that every pool
            stays empty
"""

import contextlib
import os
import queue
import time

import duckdb

FILE = os.environ["DUCKDB_FILE"]
WAY = os.environ["DUCKDB_CONNECTIONS"]
# A request waits for the file as long as section 3 waits for a new connection.
OPEN_WAIT_S = 10
RETRY_S = 0.01
# As many as in section 3.
POOL_MIN = int(os.getenv("DB_POOL_MIN", "10"))
# A request waits for a pooled connection as long as section 3 lets a statement run. gunicorn's timeout (section 8) ends
# its worker in the same moment.
POOL_WAIT_S = 30
PUBLISHED = ["PRAGMA threads=2", "PRAGMA memory_limit='256MB'", "PRAGMA wal_autocheckpoint=5000", "PRAGMA synchronous=NORMAL"]

_pool = None


@contextlib.contextmanager
def for_request():
    until = time.monotonic() + OPEN_WAIT_S
    while True:
        try:
            connection = duckdb.connect(FILE)
            break
        except duckdb.IOException:
            if time.monotonic() > until:
                raise
            time.sleep(RETRY_S)
    try:
        yield connection
    finally:
        connection.close()


def get_pool():
    global _pool
    if _pool is None:
        _pool = queue.Queue()
        with contextlib.suppress(duckdb.Error):
            for _ in range(POOL_MIN):
                connection = duckdb.connect(FILE)
                for setting in PUBLISHED if WAY == "published" else []:
                    connection.execute(setting)
                _pool.put(connection)
    return _pool


@contextlib.contextmanager
def from_pool():
    connection = get_pool().get(timeout=POOL_WAIT_S)
    try:
        yield connection
    finally:
        get_pool().put(connection)


get_pooled_connection = for_request if WAY == "request" else from_pool
