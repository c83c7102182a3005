"""What many memories say together: a summary, or a form that a model fills in from them. Without a model, as they are.

Nothing of it is stored: a memory that is deleted is in no summary and in no export that is read afterwards.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from app.context import Context
from app.engine import asking, digests
from app.engine.llm import Llm
from app.services import selections
from app.services.selections import Selection
from app.services.views import Listing, MemoryView, Window

MOST = 1_000  # memories, the newest
BUDGET = 2  # times the timeout of one try

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Digest:
    """What a model made (`summary` or `form`) of the `used` newest of all; None where there is no model."""

    memories: Listing[MemoryView]
    model: str | None = None
    used: int = 0
    summary: str | None = None
    form: dict[str, Any] | None = None


def summarise(ctx: Context, selection: Selection, *, app: str | None) -> Digest:
    """A summary of what is selected and visible to `app`, logged as shown to it.

    Raises:
        Unavailable: there is a model, and it does not answer, or not usably.
    """
    found, texts, llm = _asked(ctx, selection, app)
    if llm is None or not texts:
        return Digest(found)
    summary = asking.ask(llm, digests.summary_prompt(texts), _until(llm), digests.read_summary)
    return Digest(found, llm.name, len(texts), summary=summary)


def fill(
    ctx: Context, selection: Selection, form: Mapping[str, Any], instructions: str | None, *, app: str | None
) -> Digest:
    """The form as a model fills it in from what is selected and visible to `app`, logged as shown to it.

    Raises:
        Unavailable: there is a model, and it does not answer, or not usably.
    """
    found, texts, llm = _asked(ctx, selection, app)
    if llm is None or not texts:
        return Digest(found)
    filled = asking.ask(llm, digests.form_prompt(texts, form, instructions), _until(llm), digests.read_form)
    return Digest(found, llm.name, len(texts), form=filled)


def _asked(
    ctx: Context, selection: Selection, app: str | None
) -> tuple[Listing[MemoryView], Sequence[str], Llm | None]:
    llm = ctx.engine.llm
    found = selections.listing(ctx, selection, Window(MOST), app=app)
    ctx.release()  # a model may think for long
    return found, digests.fitting([_dated(view) for view in found.items]), llm


def _dated(view: MemoryView) -> str:
    return f"({(view.occurred_at or view.created_at).date().isoformat()}) {view.content}"


def _until(llm: Llm) -> float:
    return time.monotonic() + BUDGET * llm.timeout
