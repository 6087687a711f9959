"""The web server's settings. docs/operations.md says how to size them."""

import gc
import os
import shutil
import sys
import tempfile
from typing import Any

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
# Loaded once, before the workers fork: they share its memory.
preload_app = True
# Each worker listens for itself: connections that are kept would else all be taken by whichever
# was quicker, and the others idle.
reuse_port = True
timeout = 30
graceful_timeout = 30
# Longer than a proxy's, so that the proxy is the one that closes.
keepalive = 75
# A kept answer is a request as well: with fewer, a busy worker would be gone within seconds, and
# what it had ready with it.
max_requests = 500_000
max_requests_jitter = 50_000
# The heartbeat must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
control_socket_disable = True
# The application logs each request itself, with its id.
accesslog = None
errorlog = "-"

# Every worker writes its figures here; any of them answers /metrics for all.
metrics = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="commerce-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics


def when_ready(server: Any) -> None:
    """Before the fork: every view is loaded, for all workers at once instead of by the first
    request of each. What lives then lives forever, so the collector need not touch (and so copy)
    its pages in the workers."""
    # Imported here: the application has to be set up first.
    from django.urls import get_resolver

    _views = get_resolver().url_patterns
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """A thread whose statement has been answered waits until another one's turn is over. By
    Python's own 5 ms, pages of several statements were served more slowly (docs/performance.md)."""
    sys.setswitchinterval(0.0005)


def child_exit(server: Any, worker: Any) -> None:
    # Imported here: the figures' directory has to be named first.
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    # Figures of processes that are gone would be counted again.
    shutil.rmtree(metrics, ignore_errors=True)
