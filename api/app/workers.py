"""Who works on something: a name for this process that others can see the end of."""

import os
import socket
from functools import cache
from uuid import uuid4


@cache
def _name(process: int) -> str:
    return f"{socket.gethostname()[:200]}:{process}:{uuid4().hex[:12]}"


def this_worker() -> str:
    """This process's name: host, process id, and something that tells it from an earlier process of that id."""
    return _name(os.getpid())


def is_gone(name: str) -> bool:
    """Whether the process of that name is known to have ended: one of this host that is not there any more.

    Of other hosts nothing is known: what their processes have claimed is free when the lease has run out.
    """
    host, _, rest = name.rpartition(":")[0].rpartition(":")
    if name == this_worker() or host != this_worker().rpartition(":")[0].rpartition(":")[0] or not rest.isdigit():
        return False
    if int(rest) == os.getpid():
        return True
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it is there, and another user's
    return False
