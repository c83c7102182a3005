"""A model is asked, and once more if what it answers cannot be read."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from app.engine import extraction
from app.engine.answers import Unusable
from app.engine.extraction import Message
from app.engine.llm import Llm, LlmFailure
from app.errors import Why

Read = TypeVar("Read")


def ask(llm: Llm, messages: Sequence[Message], until: float, read: Callable[[str], Read], more: float = 0.0) -> Read:
    """What the model answers, read; asked once more, with what was wrong, if it cannot be.

    Args:
        until: of `time.monotonic`; the second answer has `more` seconds beyond it.

    Raises:
        LlmFailure: it does not answer, or neither answer can be read.
    """
    answer = llm.ask(messages, until)
    try:
        return read(answer)
    except Unusable as error:
        second = llm.ask(extraction.repaired(messages, answer, str(error)), until + more)
    try:
        return read(second)
    except Unusable as error:
        raise LlmFailure(f"The LLM's answer cannot be used, nor its second one: {error}", Why.unknown) from error
