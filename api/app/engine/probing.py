"""One real call to a provider, before anything is built on it: what it answers, how soon, or its own reason why not.

Nothing here is in use, and nothing is kept: a probe builds a client of its own, and a store is tried in a collection of
its own that is dropped again. No call can be interrupted, so each has a thread of its own, and so few may be at work
that a host which hangs costs no more than those.
"""

import dataclasses
import logging
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from app.database import new_id
from app.engine.llm import Late, Llm, is_passing, let_go, status
from app.errors import CommonplaceError, Invalid

SECONDS = 30.0
AT_WORK = 4  # calls at once, those that are late already among them

QUESTION = [{"role": "user", "content": "Say hello in five words."}]
TEXT = "Is anybody there?"
OWNER = str(UUID(int=0))  # nobody's
SIDES = 8  # dimensions of the vector that a store is tried with
COLLECTION = "commonplace:probe"
LOOK_AGAIN, APPEARS = 0.25, 5.0  # seconds; some stores find what they were given only after a while
QUERY = "Which animal barks?"
RANKED = ("The sun rises in the east.", "A dog is an animal that barks.")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What a provider answered, in a sentence; `seconds` is how long the call took, making the client left out."""

    text: str
    seconds: float
    model: str | None = None
    dimensions: int | None = None
    answer: str | None = None


class ProbeFailed(Exception):
    """The provider does not do what it is wanted for; the message is its own words, which may quote a secret."""


class Prober:
    """Calls in threads of their own, so many at once; safe to use from many threads."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(AT_WORK)

    def ask(self, call: Callable[[], Found]) -> Found:
        """What `call` answers within SECONDS.

        Raises:
            ProbeFailed: it failed, it took too long, or too many are at work.
        """
        if not self._free.acquire(blocking=False):
            raise ProbeFailed(f"{AT_WORK} other tests have not ended yet; try again in a moment")
        answers: queue.SimpleQueue[Found | ProbeFailed] = queue.SimpleQueue()
        threading.Thread(target=self._run, args=(call, answers), name="probe", daemon=True).start()
        try:
            answer = answers.get(timeout=SECONDS)
        except queue.Empty:
            raise ProbeFailed(f"It did not answer within {SECONDS:g} seconds") from None
        if isinstance(answer, ProbeFailed):
            raise answer
        return answer

    def _run(self, call: Callable[[], Found], answers: "queue.SimpleQueue[Found | ProbeFailed]") -> None:
        try:
            answers.put(call())
        except Exception as error:  # noqa: BLE001 -- any provider's any failure, told to whoever waits
            answers.put(ProbeFailed(told(error)))
        finally:
            self._free.release()


def told(error: BaseException) -> str:
    """What a client raised, as a sentence for a person."""
    if isinstance(error, CommonplaceError | ProbeFailed):
        return str(error)
    chain = list(_chain(error))
    said, number = _said(chain), status(error)
    if number is not None:
        return f"It refused with the status {number}: {said}"
    if isinstance(error, Late) or "Timeout" in type(error).__name__:
        return "It took too long"
    if isinstance(error, ImportError):
        return f"It needs a package that is not installed: {said}"
    if _is_unreached(chain):
        return f"It cannot be reached: {said}"
    return f"{type(error).__name__}: {said}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what led to it, down to the bottom."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_unreached(chain: list[BaseException]) -> bool:
    return any(is_passing(one) or "ConnectError" in type(one).__name__ for one in chain)


def _said(chain: list[BaseException]) -> str:
    """A client's own words: the body's sentence if it has one; of a lost connection the operating system's."""
    body = getattr(chain[0], "body", None)
    for _ in range(2):  # OpenAI's own is {"message"}, others' {"error": {"message"}}
        if isinstance(body, Mapping):
            if isinstance(body.get("message"), str):
                return str(body["message"])
            body = body.get("error")
    named = chain[-1] if status(chain[0]) is None and _is_unreached(chain) else chain[0]
    return str(named) or type(named).__name__


def llm(providers: Any, config: Json, place: Any) -> Found:
    """A tiny question, in plain words."""
    model = providers.build_llm(config["mem0"]["llm"], min(SECONDS, config["openmemory"]["llm_timeout"]))
    if model is None:
        raise Invalid("No provider is chosen, so there is nothing to ask")
    with closing(model):
        return _asked(model)


def _asked(model: Llm) -> Found:
    started = time.perf_counter()
    answer = model.ask_once(QUESTION).strip()
    seconds = time.perf_counter() - started
    if not answer:
        raise ProbeFailed("It answered nothing at all")
    return Found("It answered", seconds, model=model.name, answer=answer)


def embedder(providers: Any, config: Json, place: Any) -> Found:
    """One text."""
    section = config["mem0"]["embedder"]
    built = providers.build_embedder(section, place)
    started = time.perf_counter()
    try:
        vector = np.asarray(built.embed_batch([TEXT], "add")[0], dtype=np.float32)
    finally:
        let_go(built)
    seconds = time.perf_counter() - started
    if vector.ndim != 1 or not np.isfinite(vector).all() or not vector.any():
        raise ProbeFailed("What it answered is no vector")
    name = section["config"].get("model") or getattr(built.config, "model", None) or "default"
    return Found("It embedded a text", seconds, model=f"{section['provider']}:{name}", dimensions=len(vector))


def vector_store(providers: Any, config: Json, place: Any) -> Found:
    """A vector is put, found and removed, in a collection that is nobody's and is dropped again."""
    section = config["mem0"]["vector_store"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # One in this process would open the files that are in use, so it is tried in an empty directory.
        there = dataclasses.replace(place, cache_dir=Path(folder) / "models")
        store = providers.build_store(section, f"{COLLECTION}:{new_id().hex}", SIDES, there)
        started = time.perf_counter()
        found = _tried(store)
        seconds = time.perf_counter() - started
    if not found:
        raise ProbeFailed("A vector was written, but not found again")
    return Found("It wrote, found and removed a vector", seconds, model=section["provider"])


def _tried(store: Any) -> bool:
    id, vector = str(new_id()), np.eye(1, SIDES, dtype=np.float32)
    if hasattr(store, "probe"):
        found: bool = store.probe(vector[0], OWNER, id, is_found)
        return found
    try:
        store.insert(vector, [{"user_id": OWNER}], [id])
        return is_found(lambda: [hit.id for hit in store.search(TEXT, vector[0], 1, {"user_id": OWNER})], id)
    finally:
        store.delete_many([id])
        if hasattr(store, "close"):
            store.close()


def is_found(search: Callable[[], list[str]], id: str) -> bool:
    """Whether a search has the id among its hits before long."""
    until = time.monotonic() + APPEARS
    while UUID(id) not in {UUID(str(hit)) for hit in search()}:
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_AGAIN)
    return True


def reranker(providers: Any, config: Json, place: Any) -> Found:
    """Two texts, of which the second answers the question."""
    built = providers.build_reranker(config["mem0"]["reranker"])
    if built is None:
        raise Invalid("No provider is chosen, so there is nothing to ask")
    started = time.perf_counter()
    with _Overheard() as overheard:
        scores = built.scores(QUERY, RANKED)
    seconds = time.perf_counter() - started
    if overheard.errors:
        raise ProbeFailed(told(overheard.errors[0]))
    if len(set(scores)) < len(RANKED):
        raise ProbeFailed("It finds both texts alike: mem0's rerankers do so when they fail")
    if scores[0] > scores[1]:
        return Found(f"It answered, and finds “{RANKED[0]}” the better answer to “{QUERY}”", seconds, model=built.name)
    return Found("It put two texts in the right order", seconds, model=built.name)


class _Overheard(logging.Handler):
    """What mem0's rerankers, who answer a failure of theirs with scores all alike, say of it in the log meanwhile."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[BaseException] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the errors that this very thread tells."""
        told = record.args if isinstance(record.args, tuple) else ()
        if record.thread == self._thread:
            self.errors += [one for one in told if isinstance(one, BaseException)]

    def __enter__(self) -> "_Overheard":
        logging.getLogger("mem0.reranker").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("mem0.reranker").removeHandler(self)


PROBES: Mapping[str, Callable[[Any, Json, Any], Found]] = {
    "llm": llm,
    "embedder": embedder,
    "vector_store": vector_store,
    "reranker": reranker,
}
