"""The engine thinks: embedders, the index, ranking. The only folder that imports mem0.

mem0 reads its environment while it is imported, and starts its telemetry then: it is told here, before anything in
this package can import it, to send nothing and to keep its files out of the home directory.

Of mem0 only the factories and base classes are used. `import mem0` itself would bring in its clients, Qdrant's and
PostHog (2.1 s and 69 MB, measured in decision 0009), so the package is registered without being executed; whoever
asks it for a name of its own (`from mem0 import Memory`) executes it then.
"""

import ctypes
import importlib.util
import os
import platform
import sys
import tempfile
from typing import Any

os.environ["MEM0_TELEMETRY"] = "False"
os.environ.setdefault("MEM0_DIR", os.path.join(tempfile.gettempdir(), f"commonplace-mem0-{os.getuid()}"))
# numpy's matrix products are small and come from many threads at once: a second BLAS thread only fights the first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


M_ARENA_MAX = -8  # from malloc.h


def _register_unexecuted(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} is not installed")
    loader, module = spec.loader, importlib.util.module_from_spec(spec)

    def execute(wanted: str) -> Any:
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        del module.__getattr__
        loader.exec_module(module)
        return getattr(module, wanted)

    module.__getattr__ = execute  # type: ignore[method-assign]
    sys.modules[name] = module


IS_GLIBC = sys.platform == "linux" and platform.libc_ver()[0] == "glibc"


def _share_arenas() -> None:
    # glibc gives each of some forty threads a heap of its own, and keeps what each freed: 45 MB more after some hundred
    # requests. Two heaps are no slower under Python's lock. Other C libraries have no such knob.
    if IS_GLIBC:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def return_memory() -> None:
    """Give freed memory back to the system: loading the model alone leaves 15 MB, an import more."""
    if IS_GLIBC:
        ctypes.CDLL(None).malloc_trim(0)


_share_arenas()
if "mem0" not in sys.modules:
    _register_unexecuted("mem0")
