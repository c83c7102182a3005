"""Threads that call what may hang: whoever waits for the answer stops waiting in time, and the rest of them are spared.

Not a ThreadPoolExecutor: at exit that waits for its threads, and one that hangs in a socket would keep the server from
stopping.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from app.errors import StoreUnavailable

PAUSE = 5.0  # seconds after a failure in which nobody asks again

T = TypeVar("T")
Task = tuple[Callable[[], Any], "Future[Any]"]


class Workers:
    """So many threads, started when they are needed; with one, what is asked is done one after the other, in order."""

    def __init__(self, count: int) -> None:
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._count = count
        self._started = 0
        self._lock = threading.Lock()
        self._silent_until = 0.0

    def ask(self, act: Callable[[], T], seconds: float) -> T:
        """What `act` answers within so many seconds.

        Raises:
            StoreUnavailable: it failed, it did not answer in time, or it did one of these a moment ago.
        """
        if time.monotonic() < self._silent_until:
            raise StoreUnavailable("The vector store did not answer a moment ago")
        answer: Future[T] = Future()
        self._start()
        self._tasks.put((act, answer))
        try:
            return answer.result(seconds)
        except TimeoutError:
            answer.cancel()  # one that has not begun is not done at all
            reason = f"The vector store did not answer within {seconds:g} seconds"
        except Exception as error:  # noqa: BLE001 -- any provider's any failure; its words may quote a secret
            reason = f"The vector store failed: {type(error).__name__}"
        self._silent_until = time.monotonic() + PAUSE
        raise StoreUnavailable(reason)

    def close(self) -> None:
        """Have the threads end after what they are at."""
        for _ in range(self._started):
            self._tasks.put(None)

    def _start(self) -> None:
        with self._lock:
            if self._started < self._count:
                self._started += 1
                threading.Thread(target=self._work, name="vector store", daemon=True).start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            act, answer = task
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(act())
            except BaseException as error:  # noqa: BLE001 -- told to whoever waits
                answer.set_exception(error)
