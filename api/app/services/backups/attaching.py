"""What hangs on the imported memories: categories, versions, status history, access rules, successors.

Rows that are there already are left alone, so importing again adds nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import and_, bindparam, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.context import Context
from app.database import new_id
from app.models import AccessControl, Memory, MemoryVersion, StatusChange, memory_categories
from app.services.backups.records import Change, Rule, Version
from app.services.backups.staging import Staging

Values = dict[str, Any]

PAIR = """INSERT OR IGNORE INTO pairs (memory_id, category_id)
    SELECT m.target, c.target FROM memory_categories l
    JOIN memories m ON m.id = l.memory_id JOIN categories c ON c.id = l.category_id WHERE m.outcome != 'skipped'"""
PAIRS = "SELECT seq, memory_id, category_id FROM pairs WHERE seq > ? ORDER BY seq"
CHILDREN = """SELECT s.seq, s.record, m.target FROM {} s JOIN memories m ON m.id = s.parent
    WHERE m.outcome != 'skipped' AND s.seq > ? ORDER BY s.seq"""
WRITTEN = "SELECT seq, target FROM memories WHERE outcome IN ('imported', 'updated') AND seq > ? ORDER BY seq"
RULES = """SELECT r.seq, r.record, a.target, CASE json_extract(r.record, '$.object_type')
        WHEN 'memory' THEN m.target WHEN 'app' THEN o.target WHEN 'category' THEN c.target END
    FROM access_controls r JOIN apps a ON a.id = r.parent
    LEFT JOIN memories m ON m.id = replace(json_extract(r.record, '$.object_id'), '-', '')
    LEFT JOIN apps o ON o.id = replace(json_extract(r.record, '$.object_id'), '-', '')
    LEFT JOIN categories c ON c.id = replace(json_extract(r.record, '$.object_id'), '-', '')
    WHERE json_extract(r.record, '$.subject_type') = 'app' AND r.seq > ? ORDER BY r.seq"""
SUCCESSORS = """SELECT m.seq, m.target, COALESCE(s.target, json_extract(m.record, '$.superseded_by'))
    FROM memories m LEFT JOIN memories s ON s.id = replace(json_extract(m.record, '$.superseded_by'), '-', '')
    WHERE m.outcome != 'skipped' AND json_extract(m.record, '$.superseded_by') IS NOT NULL AND m.seq > ?
    ORDER BY m.seq"""

memories: Any = Memory.__table__

# `updated_at` is said, or it would become now.
SUCCEED = (
    update(memories)
    .where(Memory.id == bindparam("b_id"))
    .values(superseded_by=bindparam("b_successor"), updated_at=memories.c.updated_at)
)


def attach(ctx: Context, staging: Staging, owner_id: UUID, when: datetime) -> None:
    """Write all that hangs on the staged memories, which are written and know their `target`.

    Args:
        when: the time for rows that come without one.
    """
    _Attachment(ctx, staging, owner_id, when).run()


class _Attachment:
    def __init__(self, ctx: Context, staging: Staging, owner_id: UUID, when: datetime) -> None:
        self._caller_id = ctx.caller.user_id
        self._session = ctx.session
        self._staging = staging
        self._owner_id = owner_id
        self._when = when

    def run(self) -> None:
        """Everything."""
        self._link()
        self._add_versions()
        self._add_current_versions()
        self._add_history()
        self._add_rules()
        self._name_successors()

    def _insert(self, table: Any, rows: Sequence[Values]) -> None:
        if rows:
            self._session.connection().execute(insert(table), rows)

    def _link(self) -> None:
        self._staging.run(PAIR)
        for batch in self._staging.read(PAIRS):
            rows = [{"memory_id": UUID(memory), "category_id": UUID(category)} for _, memory, category in batch]
            self._insert(memory_categories, rows)

    def _changer(self, changed_by: str | None) -> UUID | None:
        """The file knows its owner's id only."""
        return self._owner_id if changed_by is not None and changed_by == self._staging.person.id else None

    def _add_versions(self) -> None:
        for batch in self._staging.read(CHILDREN.format("memory_versions")):
            rows = [self._version(Version.model_validate_json(text), UUID(target)) for _, text, target in batch]
            fitting = self._fitting(rows)
            self._insert(MemoryVersion.__table__, _unseen(self._session, MemoryVersion.memory_id, "memory_id", fitting))

    def _version(self, record: Version, memory_id: UUID) -> Values:
        return {
            "id": record.id,
            "memory_id": memory_id,
            "version": record.version,
            "event": record.event,
            "content": record.content,
            "metadata": record.metadata,
            "state": record.state,
            "changed_by": self._changer(record.changed_by),
            "created_at": record.created_at or self._when,
        }

    def _fitting(self, rows: Sequence[Values]) -> list[Values]:
        """Those whose number is not used yet, and not beyond the memory's own."""
        ids = {row["memory_id"] for row in rows}
        query = select(Memory.id, Memory.version).where(Memory.id.in_(ids))
        current: dict[UUID, int] = dict(self._session.execute(query).all())
        numbers = {row["version"] for row in rows}
        taken = select(MemoryVersion.memory_id, MemoryVersion.version).where(
            MemoryVersion.memory_id.in_(ids), MemoryVersion.version.in_(numbers)
        )
        used = {(row.memory_id, row.version) for row in self._session.execute(taken)}
        fitting = []
        for row in rows:
            key = (row["memory_id"], row["version"])
            if key not in used and row["version"] <= current[row["memory_id"]]:
                used.add(key)
                fitting.append(row)
        return fitting

    def _add_current_versions(self) -> None:
        """Every memory has a version row that says what it says now; a genuine export has none at all."""
        version = and_(MemoryVersion.memory_id == Memory.id, MemoryVersion.version == Memory.version)
        missing = select(
            Memory.id, Memory.version, Memory.content, Memory.metadata_, Memory.state, Memory.updated_at
        ).outerjoin(MemoryVersion, version)
        for batch in self._staging.read(WRITTEN):
            ids = [UUID(target) for _, target in batch]
            found = self._session.execute(missing.where(Memory.id.in_(ids), MemoryVersion.id.is_(None)))
            rows = [
                {
                    "id": new_id(),
                    "memory_id": row.id,
                    "version": row.version,
                    "event": "ADD" if row.version == 1 else "UPDATE",
                    "content": row.content,
                    "metadata": row.metadata_,
                    "state": row.state,
                    "changed_by": self._caller_id,
                    "created_at": row.updated_at,
                }
                for row in found
            ]
            self._insert(MemoryVersion.__table__, rows)

    def _add_history(self) -> None:
        for batch in self._staging.read(CHILDREN.format("status_history")):
            rows = [self._step(Change.model_validate_json(text), UUID(target)) for _, text, target in batch]
            self._insert(StatusChange.__table__, _unseen(self._session, StatusChange.memory_id, "memory_id", rows))

    def _step(self, record: Change, memory_id: UUID) -> Values:
        return {
            "id": record.id,
            "memory_id": memory_id,
            "old_state": record.old_state,
            "new_state": record.new_state,
            "changed_by": self._changer(record.changed_by),
            "changed_at": record.changed_at or self._when,
        }

    def _add_rules(self) -> None:
        for batch in self._staging.read(RULES):
            rows = []
            for _, text, subject, target in batch:
                record = Rule.model_validate_json(text)
                if record.object_id is None or target:  # a rule about what is not in the file says nothing here
                    rows.append(self._rule(record, UUID(subject), UUID(target) if target else None))
            self._insert(AccessControl.__table__, _unseen(self._session, AccessControl.subject_id, "subject_id", rows))

    def _rule(self, record: Rule, subject_id: UUID, object_id: UUID | None) -> Values:
        return {
            "id": record.id,
            "subject_type": record.subject_type,
            "subject_id": subject_id,
            "object_type": record.object_type,
            "object_id": object_id,
            "effect": record.effect,
            "created_at": record.created_at or self._when,
        }

    def _name_successors(self) -> None:
        for batch in self._staging.read(SUCCESSORS):
            pairs = [(UUID(target), UUID(successor)) for _, target, successor in batch]
            wanted = {successor for _, successor in pairs}
            own = set(
                self._session.scalars(select(Memory.id).where(Memory.id.in_(wanted), Memory.user_id == self._owner_id))
            )
            rows = [{"b_id": id, "b_successor": successor} for id, successor in pairs if successor in own]
            if rows:
                self._session.connection().execute(SUCCEED, rows)


def _unseen(session: Session, owner: InstrumentedAttribute[Any], key: str, rows: Sequence[Values]) -> list[Values]:
    """The rows that an earlier import did not make, each with an id that is free: its own, else one made from it.

    Args:
        owner: the column, called `key` in the rows, by which a row with the same id is known to be the same.
    """
    known = _owners(session, owner, [row["id"] for row in rows])
    foreign = {row["id"]: uuid5(row[key], row["id"].hex) for row in rows if known.get(row["id"], row[key]) != row[key]}
    made = _owners(session, owner, list(foreign.values())) if foreign else {}
    return [
        {**row, "id": foreign.get(row["id"], row["id"])}
        for row in rows
        if (foreign[row["id"]] not in made if row["id"] in foreign else row["id"] not in known)
    ]


def _owners(session: Session, owner: InstrumentedAttribute[Any], ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Whose each row is, of those of `ids` that exist."""
    id = owner.class_.id
    return dict(session.execute(select(id, owner).where(id.in_(ids))).all())
