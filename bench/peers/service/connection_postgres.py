"""The pool of section 3: psycopg2's ThreadedConnectionPool, one in each worker, made at its first request."""

import contextlib
import os

import psycopg2.pool

_pool = None


def get_pool():
    global _pool
    if _pool is None:
        _pool = psycopg2.pool.ThreadedConnectionPool(
            minconn=int(os.getenv("DB_POOL_MIN", "10")),
            maxconn=int(os.getenv("DB_POOL_MAX", "100")),
            host=os.getenv("POSTGRES_HOST", "localhost"),
            port=os.getenv("POSTGRES_PORT", "5432"),
            dbname=os.getenv("POSTGRES_DB", "warrior_api"),
            user=os.getenv("POSTGRES_USER", "warrior"),
            password=os.getenv("POSTGRES_PASSWORD", "warrior_dev_password"),
            connect_timeout=10,
            options="-c statement_timeout=30000",
        )
    return _pool


@contextlib.contextmanager
def get_pooled_connection():
    pool = get_pool()
    connection = None
    try:
        connection = pool.getconn()
        connection.autocommit = False
        yield connection
        connection.commit()
    except Exception:
        if connection:
            connection.rollback()
        raise
    finally:
        if connection:
            pool.putconn(connection)
