"""Sessions: the raw turns of conversations, kept once however often a client sends them, and as memories of their own.

A turn and its memory have one id, so whoever may see the memory sees the turn: deleted, edited or hidden as one.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.context import Context
from app.database import Base, new_id
from app.models import Event, Memory, SessionMessage
from app.services import apps, scopes, similars
from app.services.apps import Writer
from app.services.drafts import Draft
from app.services.intakes import Intake, Session
from app.services.scopes import Scope

CHUNK = 500
_TURNS = Base.metadata.tables["session_messages"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a conversation is new: the intake of it alone, and the ids of its turns."""

    intake: Intake
    ids: list[UUID]


@dataclass(frozen=True, slots=True)
class TurnView:
    """A raw turn as it may be shown; `content` and `tags` are its memory's where it has one."""

    id: UUID
    run_id: str | None
    agent_id: str | None
    source: str | None
    seq: int
    role: str
    content: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime


def kind_of(content: str) -> str:
    """`json` for what looks like an object or a list, else `text`."""
    bare = content.strip()
    return "json" if bare[:1] + bare[-1:] in ("{}", "[]") else "text"


def drafts_of(taken_in: Intake, ids: Sequence[str]) -> list[Draft]:
    """The memories of a conversation's turns, in the words in which they were said."""
    session, template = taken_in.session, taken_in.template
    if session is None:
        return []
    return [
        replace(
            template,
            id=UUID(id),
            content=turn.content,
            author=turn.name or turn.role,
            memory_type=similars.SESSION,
            metadata={**template.metadata, "role": turn.role, "seq": place, "content_type": kind_of(turn.content)},
        )
        for turn, place, id in zip(taken_in.turns, session.places, ids, strict=True)
        if turn.is_said
    ]


def keep(
    ctx: Context, owner_id: UUID, client: Writer, event_id: UUID, taken_in: Intake, session: Session, when: datetime
) -> Kept:
    """Write the turns that are not kept already.

    A turn whose add has failed counts as new: it comes back because nothing was learned from it. Two statements and
    one more for each 500 turns.
    """
    rows = _rows(owner_id, client, event_id, taken_in, session, when)
    written = set[str]()
    insert = (sqlite if ctx.runtime.database.is_sqlite else postgresql).insert(_TURNS)
    fresh = insert.on_conflict_do_nothing(index_elements=["user_id", "content_hash"])
    # In one order, or two who send the same turns at once could wait for each other.
    for some in _chunks([rows[hash] for hash in sorted(rows)]):
        found = ctx.session.execute(fresh.values(some).returning(_TURNS.c.content_hash))
        written |= set(found.scalars())
    known = {hash: row["id"] for hash, row in rows.items() if hash in written}
    known |= _of_failed(ctx, owner_id, event_id, [hash for hash in rows if hash not in written])
    left = {place: known[hash] for hash, place in _firsts(taken_in, session).items() if hash in known}
    turns = tuple(taken_in.turns[place] for place in left)
    places = Session(tuple(session.places[place] for place in left), remembers=session.remembers)
    return Kept(replace(taken_in, turns=turns, session=places), list(left.values()))


def _firsts(taken_in: Intake, session: Session) -> dict[str, int]:
    """By its hash, where each turn comes first."""
    seen = dict[str, int]()
    for place in range(len(taken_in.turns)):
        seen.setdefault(_hash(taken_in, session, place), place)
    return seen


def _hash(taken_in: Intake, session: Session, place: int) -> str:
    """What makes a turn the same turn: session, role, words, and its number where the client numbered it."""
    turn = taken_in.turns[place]
    number = str(session.places[place]) if session.sent and session.sent[place] else ""
    said = "\x1f".join((taken_in.template.run_id or "", turn.role, number, turn.content))
    return hashlib.sha256(said.encode()).hexdigest()


def _rows(
    owner_id: UUID, client: Writer, event_id: UUID, taken_in: Intake, session: Session, when: datetime
) -> dict[str, dict[str, Any]]:
    template = taken_in.template
    return {
        hash: {
            "id": new_id(),
            "user_id": owner_id,
            "app_id": client.id,
            "agent_id": template.agent_id,
            "run_id": template.run_id,
            "role": taken_in.turns[place].role,
            "author": taken_in.turns[place].name,
            "content": taken_in.turns[place].content,
            "metadata": {},
            "source": template.source,
            "tags": template.tags,
            "seq": session.places[place],
            "content_hash": hash,
            "event_id": event_id,
            "created_at": when,
        }
        for hash, place in _firsts(taken_in, session).items()
    }


def _of_failed(ctx: Context, owner_id: UUID, event_id: UUID, hashes: Sequence[str]) -> dict[str, UUID]:
    """The turns of failed adds among these, now this add's."""
    found: dict[str, UUID] = {}
    for some in _chunks(hashes):
        failed = select(Event.id).where(Event.id == SessionMessage.event_id, Event.status == "FAILED").exists()
        mine = [SessionMessage.user_id == owner_id, SessionMessage.content_hash.in_(some), failed]
        taking = update(SessionMessage).where(*mine).values(event_id=event_id)
        rows = ctx.session.execute(
            taking.returning(SessionMessage.content_hash, SessionMessage.id).execution_options(
                synchronize_session=False
            )
        )
        found |= {hash: id for hash, id in rows if hash is not None}
    return found


def listing(ctx: Context, run_ids: Sequence[str], each: int, app: str) -> list[TurnView]:
    """The turns of these sessions of the caller's that the app may see, at most `each` of a session, oldest first.

    Sessions come in the order of their names. One statement beside the scope's; logged as shown to the app.
    """
    scope = scopes.resolve(ctx, ctx.caller.name, app)
    if scope.reader and not scope.reader.is_active:
        return []
    rows = ctx.rows(_statement(scope, run_ids, each))
    views = [TurnView(*row[:-1]) for row in rows]
    apps.log_reads(ctx, scope.reader, [row.id for row in rows if row[-1]], "session")
    return views


def _statement(scope: Scope, run_ids: Sequence[str], each: int) -> Select[*tuple[Any, ...]]:
    turn, memory = SessionMessage, Memory
    order = (turn.created_at, turn.seq, turn.id)
    place = func.row_number().over(partition_by=turn.run_id, order_by=order)
    numbered = (
        select(turn.id, memory.id.label("memory_id"), place.label("place"))
        .outerjoin(memory, memory.id == turn.id)
        .where(turn.user_id == scope.owner_id, turn.run_id.in_(run_ids), turn.seq.is_not(None), _is_shown(scope))
        .subquery()
    )
    return (
        select(
            turn.id,
            turn.run_id,
            turn.agent_id,
            turn.source,
            turn.seq,
            turn.role,
            func.coalesce(memory.content, turn.content),
            case((memory.id.is_not(None), memory.tags), else_=turn.tags),
            turn.created_at,
            case((memory.version > 1, memory.updated_at), else_=turn.created_at),
            numbered.c.memory_id,
        )
        .join(numbered, numbered.c.id == turn.id)
        .outerjoin(memory, memory.id == turn.id)
        .where(numbered.c.place <= each)
        .order_by(turn.run_id, *order)
    )


def _is_shown(scope: Scope) -> ColumnElement[bool]:
    """Whether a turn may be: as its memory may; one without, unless rules say which memories the app sees."""
    as_memory = and_(Memory.id.is_not(None), *scopes.visible(scope))
    ruled = scope.reader is not None and scope.reader.has_rules
    return as_memory if ruled else or_(Memory.id.is_(None), as_memory)


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
