"""Section 8: workers and timeout. Everything else is gunicorn's default, synchronous workers among it."""

import multiprocessing

workers = multiprocessing.cpu_count() * 2 + 1
timeout = 30
