"""The engine thinks: embedders, the index, ranking. The only folder that imports mem0.

mem0 reads its environment while it is imported, and starts its telemetry then: it is told here, before anything in
this package can import it, to send nothing and to keep its files out of the home directory.

Of mem0 only the factories and base classes are used. `import mem0` itself would bring in its clients, Qdrant's and
PostHog (2.1 s and 69 MB, measured in decision 0009), so the package is registered without being executed; whoever
asks it for a name of its own (`from mem0 import Memory`) executes it then.
"""

import importlib.util
import os
import sys
import tempfile
from typing import Any

os.environ["MEM0_TELEMETRY"] = "False"
os.environ.setdefault("MEM0_DIR", os.path.join(tempfile.gettempdir(), f"commonplace-mem0-{os.getuid()}"))
# numpy's matrix products are small and come from many threads at once: a second BLAS thread only fights the first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


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


if "mem0" not in sys.modules:
    _register_unexecuted("mem0")
