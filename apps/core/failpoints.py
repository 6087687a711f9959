"""Named places where a test may kill the process, to prove that a crash there loses nothing."""

import os


def failpoint(name: str) -> None:
    """Exit at once, as `kill -9` would, when the environment names this point.

    Read on every call: the crash tests start a server with `FAILPOINT=name`.
    """
    if os.environ.get("FAILPOINT") == name:
        os._exit(137)
