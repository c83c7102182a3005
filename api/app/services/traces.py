"""What a memory's text has left elsewhere: receipts, raw turns, queries in the access log; and how to remove it.

A trace is what an add was learned from whose memories are all gone, and a text that is the memory's (in any version of
it): a raw turn or an input that says just the same, a query that quotes it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, type_coerce, update
from sqlalchemy import String as Text

from app.context import Context
from app.models import AccessBatch, AccessLog, App, Event, Memory, SessionMessage, State
from app.services import drafts

LOGGED_QUERY = 500  # characters of a query that the access log keeps: a longer text is quoted by its beginning
KEPT = ("id", "event", "version")  # what a receipt's result says without any text
CHUNK = 500
NO_INPUT = "The input was purged with the memory that came from it"


def remove(ctx: Context, owner_id: UUID, ids: Collection[UUID], texts: Collection[str]) -> dict[str, int]:
    """Remove what the memories `ids` of one owner, which said `texts`, have left; how much of what."""
    said = {text.strip() for text in texts}
    named = {str(id) for id in ids}
    receipts = _receipts(ctx, owner_id, named)
    return {
        "messages": _remove_messages(ctx, owner_id, ids, said) + _remove_turns(ctx, receipts, named),
        "receipts": _clean_receipts(ctx, receipts, named, said),
        "queries": _forget_queries(ctx, owner_id, said),
    }


def _receipts(ctx: Context, owner_id: UUID, ids: Collection[str]) -> Sequence[Event]:
    """The receipts that name one of the memories, and those that still hold what was sent."""
    query = select(Event).where(Event.user_id == owner_id, or_(_names(ctx, ids), Event.input.is_not(None)))
    return ctx.session.scalars(query).all()


def _named(event: Event) -> set[str]:
    """The memories that a receipt made or changed."""
    return {result["id"] for result in event.results if result.get("id") and result.get("event") != "NONE"}


def _clean_receipts(ctx: Context, receipts: Sequence[Event], ids: Collection[str], said: Collection[str]) -> int:
    """Receipts that name one of the memories keep which and what, and lose every text; inputs that say the same go."""
    cleaned = 0
    for event in receipts:
        is_done = event.status in ("SUCCEEDED", "FAILED")  # what waits was said after the memory was deleted
        if any(result.get("id") in ids for result in event.results) or (is_done and _quotes(event.input, said)):
            event.input = None
            event.error = NO_INPUT if event.status == "FAILED" else None
            event.results = [{key: result[key] for key in KEPT if key in result} for result in event.results]
            cleaned += 1
    ctx.session.flush()
    return cleaned


def _remove_turns(ctx: Context, receipts: Sequence[Event], ids: Collection[str]) -> int:
    """The raw turns of the adds that made or changed the memories, but those that a memory not deleted came from.

    An add's turns are as old as its receipt, to the microsecond: both are written in one transaction with one time.
    """
    mine = [event for event in receipts if event.kind == "ADD" and _named(event) & set(ids)]
    others = {UUID(id) for event in mine for id in _named(event) - set(ids)}
    living = select(Memory.id, Memory.provenance).where(Memory.id.in_(others), Memory.state != State.deleted)
    origins = {str(id): provenance or {} for id, provenance in ctx.rows(living)}
    removed = 0
    for event in mine:
        kept = [origins[id] for id in _named(event) if id in origins]
        if all(origin.get("event_id") == str(event.id) for origin in kept):  # else nobody knows which turns it was
            removed += _remove_turns_of(ctx, event, {UUID(id) for origin in kept for id in origin.get("messages", ())})
    return removed


def _remove_turns_of(ctx: Context, event: Event, but: Collection[UUID]) -> int:
    turns = delete(SessionMessage).where(
        SessionMessage.user_id == event.user_id,
        SessionMessage.app_id == event.app_id,
        SessionMessage.created_at == event.created_at,
        SessionMessage.id.not_in(but),
    )
    return int(ctx.session.execute(turns).rowcount)  # type: ignore[attr-defined]


def _names(ctx: Context, ids: Collection[str]) -> ColumnElement[bool]:
    """Whether a receipt's results name one of the memories."""
    if ctx.runtime.database.is_sqlite:
        each = func.json_each(Event.results).table_valued("value", name="each")
        id = func.json_extract(each.c.value, "$.id")
    else:
        each = func.jsonb_array_elements(Event.results).table_valued("value", name="each").render_derived()
        id = func.jsonb_extract_path_text(each.c.value, "id")
    return select(each.c.value).where(type_coerce(id, Text).in_(ids)).correlate(Event).exists()


def _quotes(input: object, said: Collection[str]) -> bool:
    return any(text.strip() in said for text in _texts(input))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _remove_messages(ctx: Context, owner_id: UUID, ids: Collection[UUID], said: Collection[str]) -> int:
    """Raw turns that say just what the memories said, unless a memory that is not deleted says it too."""
    hashes = {drafts.content_hash(text) for text in said}
    living = Memory.state != State.deleted
    kept = set(
        ctx.session.scalars(
            select(Memory.content_hash).where(Memory.user_id == owner_id, Memory.content_hash.in_(hashes), living)
        )
    )
    runs = set(ctx.session.scalars(select(Memory.run_id).where(Memory.id.in_(ids)).distinct()))
    of_runs = or_(SessionMessage.run_id.in_(runs - {None}), SessionMessage.run_id.is_(None) & (None in runs))
    turns = select(SessionMessage.id, SessionMessage.content).where(SessionMessage.user_id == owner_id, of_runs)
    gone = [
        row.id
        for row in ctx.session.execute(turns)
        if row.content.strip() in said and drafts.content_hash(row.content) not in kept
    ]
    for some in _chunks(gone):
        ctx.session.execute(delete(SessionMessage).where(SessionMessage.id.in_(some)))
    return len(gone)


def _forget_queries(ctx: Context, owner_id: UUID, said: Collection[str]) -> int:
    """Queries in the access log that quote what the memories said; that something was asked stays, without the words.

    One look at all of the owner's queries, each once however many memories it found.
    """
    forgotten = 0
    for log in (AccessLog, AccessBatch):
        mine = log.app_id.in_(select(App.id).where(App.owner_id == owner_id))
        query = log.metadata_["query"].as_string()
        asked = ctx.session.scalars(select(query).where(mine, query.is_not(None)).distinct()).all()
        quoting = [text for text in asked if any(_is_quoted(text, one) for one in said)]
        for some in _chunks(quoting):
            done = ctx.session.execute(
                update(log)
                .where(mine, query.in_(some))
                .values(metadata_={})
                .execution_options(synchronize_session=False)
            )
            forgotten += int(done.rowcount)  # type: ignore[attr-defined]
    return forgotten


def _is_quoted(query: str, text: str) -> bool:
    return text[:LOGGED_QUERY] in query or (len(query) == LOGGED_QUERY and query in text)


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
