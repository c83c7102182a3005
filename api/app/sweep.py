"""The sweep: in the background, brings level what a request could not (a killed process, an embedder that was away)."""

import logging
import threading

from app.context import Runtime
from app.engine import return_memory
from app.engine.sync import sync_all
from app.errors import CommonplaceError
from app.services import accesses, configs, expiry, purges, rebuilds, retention

logger = logging.getLogger(__name__)


class Sweep:
    """A thread that loads the engine and then sweeps every `SWEEP_SECONDS`, or at once when it is woken."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the batch in hand."""
        self._stopped.set()
        self._runtime.wake.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        runtime = self._runtime
        while not self._stopped.is_set():
            try:
                configs.refresh(runtime)
                self._sweep()
                return_memory()
            except CommonplaceError as error:
                logger.warning("nothing swept: %s", error)
            except Exception:  # any store's any failure; the next sweep tries again
                logger.exception("the sweep failed and is tried again")
            runtime.wake.wait(runtime.settings.sweep_seconds)
            runtime.wake.clear()

    def _sweep(self) -> None:
        accesses.spread(self._runtime)
        expiry.expire(self._runtime)
        retention.sweep(self._runtime)
        self._sync()
        purges.sweep(self._runtime)
        for progress in rebuilds.run(self._runtime):
            logger.info("building the new index", extra={"memories": progress.done, "of": progress.total})
            self._sync()  # a build takes long, and what a request could not do does not wait for it
            if self._stopped.is_set():
                return

    def _sync(self) -> None:
        for done in sync_all(self._runtime.relaxed, self._runtime.engine.index):
            logger.info("swept", extra={"memories": done.total})
            if self._stopped.is_set():
                return
