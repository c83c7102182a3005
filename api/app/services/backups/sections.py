"""What the zip's members hold, a record at a time, read in slices of a thousand memories.

Equal contents give equal records: rows are in a fixed order, and ids that mean something only in this database's table
of users are replaced by ones made from the user's name.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.database import now
from app.models import AccessControl, App, Category, Memory, MemoryVersion, State, StatusChange, memory_categories

SIZE = 1_000  # memories in a slice
VERSION = "1"  # of the format; the genuine exporter's

links = memory_categories.c
Fields = dict[str, Any]
Bound = tuple[datetime, UUID]
Slice = tuple[Bound, Bound]  # its first and its last memory


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for: whose, which apps', from when to when; `conditions` hold all of it for memories."""

    user: Row[*tuple[Any, ...]]
    app_id: UUID | None
    from_date: int | None
    to_date: int | None
    conditions: Sequence[ColumnElement[bool]]

    @property
    def alias(self) -> UUID:
        """The user's id inside the file: made from the name, so that it is the same on every server."""
        return uuid5(NAMESPACE_URL, f"commonplace:user:{self.user.user_id}")

    @property
    def is_whole(self) -> bool:
        """Whether everything the user has is asked for."""
        return (self.app_id, self.from_date, self.to_date) == (None, None, None)


def written(record: Fields) -> bytes:
    """The record as JSON on one line."""
    try:
        return orjson.dumps(record)
    except TypeError:  # whole numbers beyond 64 bits, halves of surrogate pairs: rare, but no reason not to export
        return json.dumps(record, separators=(",", ":"), default=_text).encode()


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def sliced(session: Session, selection: Selection) -> Iterator[Slice]:
    """The first and last of every thousand memories, in the order of the owner's index: when created, then the id."""
    query = (
        select(Memory.created_at, Memory.id)
        .where(*selection.conditions)
        .order_by(Memory.created_at, Memory.id)
        .limit(SIZE)
    )
    rows = session.execute(query).all()
    while rows:
        last = rows[-1]
        yield (rows[0].created_at, rows[0].id), (last.created_at, last.id)
        rows = session.execute(query.where(_place() > _at((last.created_at, last.id)))).all()


def _place() -> Any:
    return tuple_(Memory.created_at, Memory.id)


def _at(bound: Bound) -> Any:
    return tuple_(*bound, types=[Memory.created_at.type, Memory.id.type])


def _within(query: Select[*tuple[Any, ...]], selection: Selection, piece: Slice) -> Select[*tuple[Any, ...]]:
    """The query's rows of one slice, its memories in order."""
    first, last = piece
    return query.where(*selection.conditions, _place() >= _at(first), _place() <= _at(last)).order_by(
        Memory.created_at, Memory.id
    )


def document(session: Session, selection: Selection, slices: Sequence[Slice]) -> Iterator[bytes]:
    """`memories.json`, a record at a time."""
    yield b'{"user":' + written(_user(selection))
    sections: dict[str, Iterator[Fields]] = {
        "apps": _apps(session, selection),
        "categories": _categories(session, selection),
        "memories": (row for piece in slices for row in _memories(session, selection, piece)),
        "memory_categories": (row for piece in slices for row in _links(session, selection, piece)),
        "status_history": (row for piece in slices for row in _history(session, selection, piece)),
        "access_controls": _rules(session, selection),
        "memory_versions": (row for piece in slices for row in _versions(session, selection, piece)),
    }
    for name, records in sections.items():
        yield f',\n"{name}":['.encode()
        for number, record in enumerate(records):
            yield (b",\n" if number else b"\n") + written(record)
        yield b"\n]"
    yield b',\n"export_meta":' + written(_meta(selection)) + b"}\n"


def _user(selection: Selection) -> Fields:
    user = selection.user
    return {
        "id": selection.alias,
        "user_id": user.user_id,
        "name": user.name,
        "email": user.email,
        "metadata": user.metadata,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def _meta(selection: Selection) -> Fields:
    return {
        "app_id_filter": selection.app_id,
        "from_date": selection.from_date,
        "to_date": selection.to_date,
        "version": VERSION,
    }


def _apps(session: Session, selection: Selection) -> Iterator[Fields]:
    query = (
        select(
            App.id,
            App.name,
            App.description,
            App.metadata_.label("metadata"),
            App.is_active,
            App.created_at,
            App.updated_at,
        )
        .where(*_these_apps(selection))
        .order_by(App.id)
    )
    for row in session.execute(query).yield_per(SIZE).mappings():
        yield {"id": row["id"], "owner_id": selection.alias, **row}


def _these_apps(selection: Selection) -> list[ColumnElement[bool]]:
    only = [App.id == selection.app_id] if selection.app_id else []
    return [App.owner_id == selection.user.id, *only]


def _categories(session: Session, selection: Selection) -> Iterator[Fields]:
    query = (
        select(Category.id, Category.name, Category.description, Category.created_at, Category.updated_at)
        .where(Category.user_id == selection.user.id)
        .order_by(Category.id)
    )
    if not selection.is_whole:
        used = select(links.category_id).join(Memory, Memory.id == links.memory_id).where(*selection.conditions)
        query = query.where(Category.id.in_(used))
    for row in session.execute(query).yield_per(SIZE).mappings():
        yield {**row}


def _memories(session: Session, selection: Selection, piece: Slice) -> Iterator[Fields]:
    # A successor that is not in the file is not named in it: nobody could find it there.
    successor = aliased(Memory)
    living = and_(
        successor.id == Memory.superseded_by,
        successor.user_id == selection.user.id,
        successor.state != State.deleted,
        or_(successor.expires_at.is_(None), successor.expires_at > now()),
    )
    query = select(
        Memory.id,
        Memory.app_id,
        Memory.content,
        Memory.metadata_.label("metadata"),
        Memory.state,
        Memory.created_at,
        Memory.updated_at,
        Memory.archived_at,
        Memory.deleted_at,
        Memory.agent_id,
        Memory.run_id,
        Memory.author,
        Memory.memory_type,
        Memory.tags,
        Memory.priority,
        Memory.source,
        Memory.version,
        successor.id.label("superseded_by"),
        Memory.occurred_at,
        Memory.expires_at,
    ).outerjoin(successor, living)
    rows = session.execute(_within(query, selection, piece)).mappings().all()
    categories: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for link in _links(session, selection, piece):
        categories[link["memory_id"]].append(link["category_id"])
    for row in rows:
        yield {"id": row["id"], "user_id": selection.alias, **row, "category_ids": categories[row["id"]]}


def _links(session: Session, selection: Selection, piece: Slice) -> Iterator[Fields]:
    query = select(links.memory_id, links.category_id).join(Memory, Memory.id == links.memory_id)
    for row in session.execute(_within(query, selection, piece).order_by(links.category_id)).mappings():
        yield {**row}


def _history(session: Session, selection: Selection, piece: Slice) -> Iterator[Fields]:
    step = StatusChange
    query = select(step.id, step.memory_id, step.changed_by, step.old_state, step.new_state, step.changed_at).join(
        Memory, Memory.id == step.memory_id
    )
    rows = session.execute(_within(query, selection, piece).order_by(step.changed_at, step.id))
    for row in rows.yield_per(SIZE).mappings():
        yield {**row, "changed_by": _changer(selection, row["changed_by"])}


def _versions(session: Session, selection: Selection, piece: Slice) -> Iterator[Fields]:
    version = MemoryVersion
    query = select(
        version.id,
        version.memory_id,
        version.version,
        version.event,
        version.content,
        version.metadata_.label("metadata"),
        version.state,
        version.changed_by,
        version.created_at,
    ).join(Memory, Memory.id == version.memory_id)
    rows = session.execute(_within(query, selection, piece).order_by(version.version))
    for row in rows.yield_per(SIZE).mappings():
        yield {**row, "changed_by": _changer(selection, row["changed_by"])}


def _changer(selection: Selection, changed_by: UUID | None) -> UUID | None:
    """The owner or nobody: a backup of one person's memories does not name another."""
    return selection.alias if changed_by == selection.user.id else None


def _rules(session: Session, selection: Selection) -> Iterator[Fields]:
    rule = AccessControl
    about = {
        "memory": select(Memory.id).where(*selection.conditions),
        "app": select(App.id).where(*_these_apps(selection)),
        "category": select(Category.id).where(Category.user_id == selection.user.id),
    }
    inside = [and_(rule.object_type == kind, rule.object_id.in_(ids)) for kind, ids in about.items()]
    query = (
        select(
            rule.id,
            rule.subject_type,
            rule.subject_id,
            rule.object_type,
            rule.object_id,
            rule.effect,
            rule.created_at,
        )
        .where(
            rule.subject_type == "app",
            rule.subject_id.in_(select(App.id).where(*_these_apps(selection))),
            or_(rule.object_id.is_(None), *inside),
        )
        .order_by(rule.id)
    )
    for row in session.execute(query).yield_per(SIZE).mappings():
        yield {**row}


def lines(session: Session, selection: Selection, slices: Sequence[Slice]) -> Iterator[Fields]:
    """`memories.jsonl.gz`, a record at a time."""
    query = select(
        Memory.id,
        Memory.content,
        Memory.metadata_.label("metadata"),
        Memory.created_at,
        Memory.updated_at,
        Memory.state,
        App.name.label("app"),
    ).join(App, App.id == Memory.app_id)
    topics = (
        select(links.memory_id, Category.name)
        .join(Memory, Memory.id == links.memory_id)
        .join(Category, Category.id == links.category_id)
    )
    for piece in slices:
        names: defaultdict[UUID, list[str]] = defaultdict(list)
        for memory_id, name in session.execute(_within(topics, selection, piece).order_by(Category.name)):
            names[memory_id].append(name)
        for row in session.execute(_within(query, selection, piece)).mappings():
            yield {**row, "categories": names[row["id"]]}
