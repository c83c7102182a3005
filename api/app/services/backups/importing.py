"""From the staged backup into the database: one transaction, a constant number of statements a thousand records.

Whose a row is decides where a record goes. An id that nobody has, or that the owner has already, stays what it is; one
that is another owner's is replaced by one made from the target and the original, so that the other is neither touched
nor shown, and a second import finds what the first one made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from sqlite3 import IntegrityError
from typing import Any, BinaryIO, Literal
from uuid import UUID, uuid5

from sqlalchemy import Row, bindparam, delete, exists, insert, or_, select, update

from app.context import Context
from app.database import new_id, now
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import App, Category, Memory, State, StatusChange, User, memory_categories
from app.services import accounts, apps, drafts, scopes
from app.services.backups import attaching
from app.services.backups.records import Client, Remembered, Topic
from app.services.backups.staging import Staging, staged

MODES = ("skip", "overwrite")
SYNC_NOW = 256  # more memories than these are left to the sweep: nobody waits for so many embeddings

memories: Any = Memory.__table__
steps: Any = StatusChange.__table__
Values = dict[str, Any]
Outcome = Literal["imported", "updated", "unchanged", "skipped"]

# What a record says about a memory, by column; `given` tells which of them it really says.
SAID = (
    "content",
    "metadata",
    "state",
    "archived_at",
    "deleted_at",
    "agent_id",
    "run_id",
    "author",
    "memory_type",
    "tags",
    "priority",
    "source",
    "occurred_at",
    "expires_at",
    "created_at",
    "updated_at",
)
ALWAYS = ("created_at", "updated_at")  # what every memory has; a null says nothing
CHANGE = update(memories).where(memories.c.id == bindparam("b_id"))


@dataclass(slots=True)
class Imported:
    """What an import did, in memories; `apps` and `categories` are those it created."""

    user_id: str
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    apps: int = 0
    categories: int = 0


@dataclass(slots=True)
class _Batch:
    """What is to be done for one batch of memories."""

    fresh: list[Values] = field(default_factory=list)
    changed: list[Values] = field(default_factory=list)
    steps: list[Values] = field(default_factory=list)
    kept: list[UUID] = field(default_factory=list)
    outcomes: list[tuple[str, Outcome, int]] = field(default_factory=list)


def import_file(ctx: Context, file: BinaryIO, user_id: str, mode: str = "overwrite") -> Imported:
    """Import the zip in `file` for a user: all of it, or nothing when anything is wrong with it.

    With `skip` memories that the user has already, deleted ones included, stay as they are; with `overwrite` they
    become what the file says (the old version is kept, and a deleted memory that the file holds is restored). Apps
    and categories are matched by name and made when missing. The index follows after the commit.

    Raises:
        Invalid: the file is no sound backup, or there is no such mode; TooLarge: it holds more than MAX_IMPORT_BYTES.
        Forbidden: the key is bound to an app.
        NotFound: the user is not the caller's own, and the caller is no admin (an admin's new names are created).
    """
    if mode not in MODES:
        raise Invalid("Invalid mode. Must be 'skip' or 'overwrite'.")
    if ctx.caller.app:
        raise Forbidden("An app's key may not import")
    if user_id != ctx.caller.name and not ctx.caller.is_admin:
        raise NotFound(scopes.NO_USER)
    accounts.check_name(user_id)
    with staged(file, ctx.settings.max_import_bytes) as staging:
        return _Import(ctx, staging, user_id, mode).run()


class _Import:
    """One import under way: everything that its steps share."""

    def __init__(self, ctx: Context, staging: Staging, user_id: str, mode: str) -> None:
        self._ctx = ctx
        self._session = ctx.session
        self._staging = staging
        self._skips = mode == "skip"
        self._when = now()
        self._done = Imported(user_id)
        self._touched: list[UUID] = []
        self._fallback: UUID | None = None
        accounts.ensure_user(ctx, user_id)
        self._owner = self._session.scalars(select(User.id).where(User.user_id == user_id)).one()

    def run(self) -> Imported:
        """All of it, in the order in which rows refer to each other."""
        self._restore_person()
        self._done.apps = self._name("apps", App, App.owner_id, Client)
        self._done.categories = self._name("categories", Category, Category.user_id, Topic)
        self._remember()
        attaching.attach(self._ctx, self._staging, self._owner, self._when)
        if len(self._touched) <= SYNC_NOW:
            self._ctx.touch(self._touched)
        return self._done

    def _restore_person(self) -> None:
        """A user who comes back to an empty account gets back what it said of them."""
        person = self._staging.person
        owns = or_(
            exists(select(Memory.id).where(Memory.user_id == self._owner)),
            exists(select(App.id).where(App.owner_id == self._owner)),
        )
        if person.user_id != self._done.user_id or self._session.scalar(select(owns)):
            return
        user = self._session.get_one(User, self._owner)
        user.name = user.name or person.name
        user.metadata_ = user.metadata_ or person.metadata
        if self._ctx.caller.is_admin:  # an address may be what somebody is known by: not everyone's to choose
            user.email = user.email or person.email
        user.created_at = min(user.created_at, person.created_at or user.created_at)
        user.updated_at = person.updated_at or user.updated_at
        self._session.flush()

    def _name(self, section: str, model: type[Any], owner: Any, shape: type[Client] | type[Topic]) -> int:
        """Match the section's records with the owner's rows by name, make those that are missing. How many."""
        made = 0
        query = f"SELECT seq, record FROM {section} WHERE seq > ? ORDER BY seq"  # noqa: S608 -- one of two literals
        for batch in self._staging.read(query):
            records = [shape.model_validate_json(record) for _, record in batch]
            names, ids = [record.name for record in records], [record.id for record in records]
            known: dict[str, UUID] = dict(
                self._session.execute(
                    select(model.name, model.id).where(owner == self._owner, model.name.in_(names))
                ).all()
            )
            taken = set(self._session.scalars(select(model.id).where(model.id.in_(ids))))
            fresh = []
            for record in records:
                if record.name not in known:
                    known[record.name] = record.id if record.id not in taken else new_id()
                    fresh.append(self._named(record, known[record.name], owner.key))
            if fresh:
                self._session.execute(insert(model.__table__), fresh)
            targets = [(known[record.name].hex, seq) for record, (seq, _) in zip(records, batch, strict=True)]
            self._staging.write(f"UPDATE {section} SET target = ? WHERE seq = ?", targets)  # noqa: S608 -- as above
            made += len(fresh)
        return made

    def _named(self, record: Client | Topic, id: UUID, owner_key: str) -> Values:
        values = record.model_dump(exclude={"parent"})
        created = record.created_at or self._when
        return values | {
            "id": id,
            owner_key: self._owner,
            "created_at": created,
            "updated_at": record.updated_at or created,
        }

    def _remember(self) -> None:
        """The memories themselves."""
        query = (
            "SELECT m.seq, m.record, a.target FROM memories m LEFT JOIN apps a ON a.id = m.parent"
            " WHERE m.seq > ? ORDER BY m.seq"
        )
        for rows in self._staging.read(query):
            records = [(seq, Remembered.model_validate_json(text), app) for seq, text, app in rows]
            places = self._places([record.id for _, record, _ in records])
            known = {} if self._skips else self._rows([target for target, is_there in places if is_there])
            batch = _Batch()
            for (seq, record, app), place in zip(records, places, strict=True):
                self._decide(batch, seq, record, UUID(app) if app else None, place, known)
            self._write(batch)

    def _places(self, ids: Sequence[UUID]) -> list[tuple[UUID, bool]]:
        """Where each memory goes, and whether the owner has it there already."""
        variants = [uuid5(self._owner, id.hex) for id in ids]
        query = select(memories.c.id, memories.c.user_id).where(memories.c.id.in_([*ids, *variants]))
        owners = {row.id: row.user_id for row in self._session.execute(query)}
        return [self._place(candidates, owners) for candidates in zip(ids, variants, strict=True)]

    def _place(self, candidates: tuple[UUID, UUID], owners: Mapping[UUID, UUID]) -> tuple[UUID, bool]:
        for id in candidates:
            if owners.get(id) == self._owner:
                return id, True
        for id in candidates:
            if id not in owners:
                return id, False
        raise Conflict(f"The memory {candidates[0]} cannot be imported: its id is in use")

    def _rows(self, ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
        if not ids:
            return {}
        return {row.id: row for row in self._session.execute(select(memories).where(memories.c.id.in_(ids)))}

    def _decide(
        self,
        batch: _Batch,
        seq: int,
        record: Remembered,
        app_id: UUID | None,
        place: tuple[UUID, bool],
        known: Mapping[UUID, Row[Any]],
    ) -> None:
        target, is_there = place
        outcome: Outcome
        if not is_there:
            batch.fresh.append(self._fresh(record, target, app_id))
            outcome = "imported"
        elif self._skips:
            outcome = "skipped"
        else:
            batch.kept.append(target)
            outcome = self._compare(batch, known[target], record, app_id)
        batch.outcomes.append((target.hex, outcome, seq))

    def _fresh(self, record: Remembered, target: UUID, app_id: UUID | None) -> Values:
        created = record.created_at or self._when
        updated = record.updated_at or created
        values = {name: getattr(record, name) for name in SAID} | _spoken_for(record)
        return values | {
            "id": target,
            "user_id": self._owner,
            "app_id": app_id or self._default_app(),
            "content_hash": drafts.content_hash(record.content),
            "version": record.version,
            "created_at": created,
            "updated_at": updated,
            "deleted_at": (record.deleted_at or updated) if record.state == State.deleted else record.deleted_at,
        }

    def _default_app(self) -> UUID:
        if self._fallback is None:
            self._fallback = apps.ensure(self._ctx, self._owner, scopes.DEFAULT_APP).id
        return self._fallback

    def _compare(self, batch: _Batch, row: Row[Any], record: Remembered, app_id: UUID | None) -> Outcome:
        """Note what the record changes in the row, if anything."""
        given = {name: getattr(record, name) for name in SAID if name in record.model_fields_set}
        given = {name: value for name, value in given.items() if value is not None or name not in ALWAYS}
        if app_id:
            given["app_id"] = app_id
        if "superseded_by" in record.model_fields_set and record.superseded_by is None:
            given["superseded_by"] = None
        before = row._mapping
        if all(before[name] == value for name, value in given.items()):
            return "unchanged"
        after = {name: before[name] for name in (*SAID, "app_id", "superseded_by")} | given
        batch.changed.append(
            after
            | {
                "b_id": row.id,
                "content_hash": drafts.content_hash(after["content"]),
                "version": max(row.version + 1, record.version),
                "indexed_at": None,
            }
        )
        if row.state != after["state"]:
            batch.steps.append(self._step(row, after["state"]))
        return "updated"

    def _step(self, row: Row[Any], state: str) -> Values:
        return {
            "id": new_id(),
            "memory_id": row.id,
            "old_state": row.state,
            "new_state": state,
            "changed_by": self._ctx.caller.user_id,
            "changed_at": self._when,
        }

    def _write(self, batch: _Batch) -> None:
        try:
            self._staging.write("UPDATE memories SET target = ?, outcome = ? WHERE seq = ?", batch.outcomes)
        except IntegrityError as error:
            raise Invalid("The backup holds a memory twice, under two ids") from error
        connection = self._session.connection()
        if batch.fresh:
            connection.execute(insert(memories), batch.fresh)
        if batch.changed:
            connection.execute(CHANGE, batch.changed)
        if batch.steps:
            connection.execute(insert(steps), batch.steps)
        if batch.kept:
            # The file's categories take their place.
            connection.execute(delete(memory_categories).where(memory_categories.c.memory_id.in_(batch.kept)))
        self._count(batch)

    def _count(self, batch: _Batch) -> None:
        for _, outcome, _ in batch.outcomes:
            setattr(self._done, outcome, getattr(self._done, outcome) + 1)
        if len(self._touched) <= SYNC_NOW:
            self._touched += [row["id"] for row in batch.fresh] + [row["b_id"] for row in batch.changed]


def _spoken_for(record: Remembered) -> Values:
    """Session, author and event time from the metadata, where the file (a genuine export) has no fields for them."""
    columns = ("agent_id", "run_id", "author", "occurred_at")
    if record.model_fields_set.intersection(columns):
        return {}
    try:
        draft = drafts.draft("-", record.metadata)
    except Invalid:  # metadata that we would not take today is kept, and speaks for nothing
        return {}
    return {name: getattr(draft, name) for name in columns}
