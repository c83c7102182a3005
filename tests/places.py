"""Where the tests keep their files: in memory if there is room, for each has a database of its own and waits for it.

What is tested is the same: a process that is killed loses nothing there either, and no test cuts the power.
"""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 3 * 2**30  # bytes; a container has 64 MB there if nobody asks for more


def in_memory() -> str | None:
    """A folder whose files are in memory; None where there is none with room."""
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return str(MEMORY) if has_room else None
