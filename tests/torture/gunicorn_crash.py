"""One worker, which dies at the failpoint that the file names; the next one lives."""

import os
from pathlib import Path

worker_class = "gthread"
workers = 1
threads = 4
preload_app = True
control_socket_disable = True
accesslog = None


def post_fork(server: object, worker: object) -> None:
    order = Path(os.environ["FAILPOINT_FILE"])
    if order.is_file():
        os.environ["FAILPOINT"] = order.read_text()
        order.unlink()
