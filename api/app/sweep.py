"""The sweep: in the background, brings level what a request could not (a killed process, an embedder that was away).
Beside it the worker: the adds that were left to it, or that a dead process left behind. And the review, which looks at
what was written and waits for nobody."""

import logging
import threading
from collections.abc import Callable

from app.context import Runtime
from app.engine import return_memory
from app.engine.sync import sync_all
from app.errors import CommonplaceError, StoreUnavailable
from app.services import accesses, configs, examinations, expiry, inference, purges, rebuilds, retention

logger = logging.getLogger(__name__)


class Sweep:
    """A thread that loads the engine and then sweeps every `SWEEP_SECONDS`, or at once when it is woken."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)
        self._worker = threading.Thread(target=self._work, name="worker", daemon=True)
        self._reviewer = threading.Thread(target=self._review, name="review", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()
        self._worker.start()
        self._reviewer.start()

    def stop(self) -> None:
        """Stop after the batch in hand. An add in hand is not waited for long: another process takes it up."""
        self._stopped.set()
        self._runtime.wake.set()
        self._runtime.work.set()
        self._runtime.review.set()
        self._thread.join(timeout=30)
        self._worker.join(timeout=5)
        self._reviewer.join(timeout=5)

    def _run(self) -> None:
        runtime = self._runtime
        while not self._stopped.is_set():
            self._outlive(self._refresh_and_sweep)
            runtime.wake.wait(runtime.settings.sweep_seconds)
            runtime.wake.clear()

    def _work(self) -> None:
        """Do the adds that wait, beside the sweep: a model may take a minute, which the index must not wait for."""
        runtime = self._runtime
        while not self._stopped.is_set():
            runtime.work.clear()
            self._outlive(self._learn)
            runtime.work.wait(runtime.settings.sweep_seconds)

    def _review(self) -> None:
        """Examine what is new, beside both: neither the index nor an add waits for what a person looks at later."""
        runtime = self._runtime
        while not self._stopped.is_set():
            runtime.review.wait(runtime.settings.sweep_seconds)
            runtime.review.clear()
            self._outlive(self._examine)

    def _examine(self) -> None:
        examinations.sweep(self._runtime, self._stopped.wait)

    def _outlive(self, act: Callable[[], None]) -> None:
        try:
            act()
        except CommonplaceError as error:
            logger.warning("nothing swept: %s", error)
        except Exception:  # any store's any failure; the next round tries again
            logger.exception("the sweep failed and is tried again")

    def _learn(self) -> None:
        while not self._stopped.is_set() and inference.perform_next(self._runtime):
            pass

    def _refresh_and_sweep(self) -> None:
        configs.refresh(self._runtime)
        self._sweep()
        return_memory()

    def _sweep(self) -> None:
        accesses.spread(self._runtime)
        expiry.expire(self._runtime)
        retention.sweep(self._runtime)
        self._sync()
        purges.sweep(self._runtime)
        self._runtime.engine.index.tend()
        for progress in rebuilds.run(self._runtime):
            logger.info("building the new index", extra={"memories": progress.done, "of": progress.total})
            self._sync()  # a build takes long, and what a request could not do does not wait for it
            if self._stopped.is_set():
                return

    def _sync(self) -> None:
        try:
            for done in sync_all(self._runtime.relaxed, self._runtime.engine.index):
                logger.info("swept", extra={"memories": done.total})
                if self._stopped.is_set():
                    return
        except StoreUnavailable as error:  # a dead store does not keep the sweep from the rest, nor from a new store
            logger.warning("the index is behind: %s", error)
