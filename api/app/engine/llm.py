"""A model of mem0's that is asked for JSON: in bounded time, again when it is worth trying again."""

import inspect
import logging
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from app.errors import Unavailable, Why

TRIES = 3
JSON_FORM = {"type": "json_object"}
PASSING_STATUS = frozenset({408, 425, 429})  # and everything from 500 on
REFUSED_FORM = frozenset({400, 422})  # how servers that do not know the JSON form say so

# What clients call a connection that failed, where they do not let Python's own error through.
PASSING_NAMES = frozenset(
    {
        *("APIConnectionError", "APITimeoutError", "TransportError", "ServiceUnavailableError", "HTTPClientError"),
        *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "DeadlineExceeded"),
    }
)

# What a status says of who is asked; of others those from 500 on are `away`, the rest `misfit`.
WHY = {401: Why.refused, 403: Why.refused, 429: Why.busy, 408: Why.slow, 504: Why.slow}

Messages = Sequence[Mapping[str, str]]
wait = wait_random_exponential(multiplier=0.5, max=8)

logger = logging.getLogger(__name__)


class LlmFailure(Unavailable):
    """The model did not answer; the message is in our words, for a provider's may quote the text or a key."""


class Late(TimeoutError):
    """A try took longer than it may."""


class TryFailed(Exception):
    """What a try ended with: `error`, whatever the client has thrown."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error


def let_go(model: Any) -> None:
    """Close the client of one of mem0's models, if it has one that can be closed."""
    close = getattr(getattr(model, "client", None), "close", None)
    if callable(close):
        close()


class _StopBefore(stop_base):
    """Stop when the next try would begin after `until`."""

    def __init__(self, until: float) -> None:
        self._until = until

    def __call__(self, retry_state: RetryCallState) -> bool:
        return time.monotonic() + retry_state.upcoming_sleep >= self._until


class Llm:
    """One configured model; safe to use from many threads.

    Args:
        model: mem0's.
        name: what memories say they were learned with, `provider:model`.
        timeout: the longest a try may take, in seconds.
    """

    def __init__(self, model: Any, name: str, timeout: float) -> None:
        self.name = name
        self.timeout = timeout
        self.took: float | None = None  # seconds of the last answer
        self._model = _bounded(model, timeout)
        self._asks_form = "response_format" in inspect.signature(model.generate_response).parameters

    def ask(self, messages: Messages, until: float) -> str:
        """The model's answer, after at most three tries, never later than `until` (of `time.monotonic`).

        Tried again after a timeout, a connection that failed, and the statuses 408, 425, 429 and 5xx.

        Raises:
            LlmFailure: there is none; the message says why.
        """
        started = time.monotonic()
        try:
            answer = self._tried(messages, until)
        except TryFailed as failed:
            reason = _brief(failed.error)
            logger.warning("the LLM does not answer: %s", reason, extra={"llm": self.name})
            raise LlmFailure(f"The LLM did not answer: {reason}", _why(failed.error)) from failed
        self.took = time.monotonic() - started
        return answer

    def close(self) -> None:
        """Let go of its connections: what is asked only once is not left to the garbage collector."""
        let_go(self._model)

    def ask_once(self, messages: Messages) -> str:
        """The model's answer to one try, in whatever form it likes.

        Raises:
            Exception: whatever its client raises, in its own words, which may quote a secret.
        """
        try:
            return _within(self.timeout, lambda: self._generate(messages, False))
        except TryFailed as failed:
            error = failed.error
        raise error  # out here: it keeps its own cause

    def _tried(self, messages: Messages, until: float) -> str:
        retrying = Retrying(
            stop=stop_any(stop_after_attempt(TRIES), _StopBefore(until)),
            wait=_pause,
            retry=retry_if_exception(_is_worth_another),
            reraise=True,
        )
        return retrying(self._once, messages, until)

    def _once(self, messages: Messages, until: float) -> str:
        seconds = min(self.timeout, until - time.monotonic())
        if seconds <= 0:
            raise TryFailed(Late())
        asked_form = self._asks_form
        try:
            return _within(seconds, lambda: self._generate(messages, asked_form))
        except TryFailed as failed:
            if not asked_form or status(failed.error) not in REFUSED_FORM:
                raise
        answer = self._once_bare(messages, until)
        self._asks_form = False  # it answers without the form, so it was the form that it refused
        return answer

    def _once_bare(self, messages: Messages, until: float) -> str:
        return _within(min(self.timeout, max(0.01, until - time.monotonic())), lambda: self._generate(messages, False))

    def _generate(self, messages: Messages, asks_form: bool) -> Any:
        form = {"response_format": JSON_FORM} if asks_form else {}
        return self._model.generate_response(messages=[dict(message) for message in messages], **form)


def _bounded(model: Any, timeout: float) -> Any:
    """The model with its client's own patience cut: otherwise what we wait for no longer would go on for minutes."""
    client: Any = getattr(model, "client", None)
    if hasattr(client, "with_options"):
        model.client = client.with_options(timeout=timeout, max_retries=0)
    elif hasattr(getattr(client, "_client", None), "timeout"):  # Ollama's, around httpx
        client._client.timeout = timeout
    return model


def _within(seconds: float, call: Any) -> str:
    """What `call` answers, if it does within so many seconds; a thread that hangs in it is left to end by itself."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(call())
        except Exception as error:  # noqa: BLE001 -- any client's any failure, raised where it is waited for
            answers.put(TryFailed(error))

    threading.Thread(target=run, name="llm", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TryFailed(Late()) from None
    if isinstance(answer, TryFailed):
        raise answer
    return answer if isinstance(answer, str) else ""


def _pause(state: RetryCallState) -> float:
    """Seconds before the next try: growing, random, and no less than the provider asks for."""
    failed = state.outcome.exception() if state.outcome else None
    error = failed.error if isinstance(failed, TryFailed) else failed
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = str(headers.get("retry-after", "")) if isinstance(headers, Mapping) else ""
    return max(wait(state), float(asked) if asked.isdecimal() else 0.0)


def status(error: BaseException) -> int | None:
    """The HTTP status that an error stands for, by whichever name its client has for it."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):  # botocore's
        response = response.get("ResponseMetadata", {})
        return response.get("HTTPStatusCode") if isinstance(response, Mapping) else None
    named = (getattr(error, "status_code", None), getattr(error, "code", None), getattr(response, "status_code", None))
    return next((value for value in named if isinstance(value, int) and 400 <= value < 600), None)


def _is_worth_another(error: BaseException) -> bool:
    return isinstance(error, TryFailed) and is_passing(error.error)


def is_passing(error: BaseException) -> bool:
    """Whether it may be gone in a moment: nobody was reached, or somebody who had no time."""
    number = status(error)
    if number is not None:
        return number in PASSING_STATUS or number >= 500
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    return not PASSING_NAMES.isdisjoint(kind.__name__ for kind in type(error).__mro__)


def _brief(error: BaseException) -> str:
    number = status(error)
    if number is not None:
        return f"it refused with the status {number}"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return "it took too long"
    if is_passing(error):
        return "it cannot be reached"
    return f"{type(error).__name__} in its client"


def _why(error: BaseException) -> Why:
    number = status(error)
    if number is not None:
        return WHY.get(number, Why.away if number >= 500 else Why.misfit)
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return Why.slow
    return Why.away if is_passing(error) else Why.unknown
