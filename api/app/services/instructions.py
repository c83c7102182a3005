"""Standing instructions for a use case, written by the configured LLM; nothing is stored."""

import time

from app.context import Context
from app.engine import asking, instructions
from app.engine.instructions import Instructions
from app.errors import Invalid, NotConfigured, TooLarge
from app.services.drafts import checked_characters

MAX_USE_CASE = 10_000  # characters
NO_LLM = "No LLM is configured (mem0.llm)"


def generate(ctx: Context, use_case: str) -> Instructions:
    """Instructions that fit the use case, and a message to try them with.

    Raises:
        Invalid: an empty or overlong use case.
        NotConfigured: there is no LLM.
        Unavailable: it does not answer, or not usably, even when it is asked again.
    """
    if not use_case.strip():
        raise Invalid("The use case is empty")
    if len(use_case) > MAX_USE_CASE:
        raise TooLarge(f"The use case has {len(use_case)} characters; at most {MAX_USE_CASE} are taken")
    question = instructions.prompt(checked_characters(use_case))
    llm = ctx.engine.llm
    if llm is None:
        raise NotConfigured(NO_LLM)
    return asking.ask(llm, question, time.monotonic() + llm.timeout, instructions.read, more=llm.timeout)
