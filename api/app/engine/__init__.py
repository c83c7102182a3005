"""The engine thinks: embedders, the index, ranking. The only folder that imports mem0.

mem0 reads its environment while it is imported, and starts its telemetry then: it is told here, before anything in
this package can import it, to send nothing and to keep its files out of the home directory.
"""

import os
import tempfile

os.environ["MEM0_TELEMETRY"] = "False"
os.environ.setdefault("MEM0_DIR", os.path.join(tempfile.gettempdir(), f"commonplace-mem0-{os.getuid()}"))
# numpy's matrix products are small and come from many threads at once: a second BLAS thread only fights the first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
