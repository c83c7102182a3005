"""Memories: adding, reading one, changing what one says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import EllipsisType
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, insert, select, update

from app.context import Context
from app.database import Base, new_id, now
from app.engine.index import Vectors
from app.engine.text import compose
from app.errors import Forbidden, NotFound
from app.models import App, Memory, State, User
from app.services import accounts, apps, categories, drafts, scopes
from app.services.apps import Writer
from app.services.drafts import Draft
from app.services.scopes import Reader, Scope
from app.services.views import VIEW, MemoryView, fetch, read

VERBATIM = "verbatim"  # what `infer: true` means without an LLM: the text is stored as it came
NO_MEMORY = "Memory not found"

# Made once: making a statement costs more than running it.
WHOSE = (
    select(Memory.user_id, User.user_id, App.id, App.is_active, scopes.ruled(App.id))
    .join(User, User.id == Memory.user_id)
    .outerjoin(App, and_(App.owner_id == Memory.user_id, App.name == bindparam("app")))
    .where(Memory.id == bindparam("id"))
)
MEMORIES, VERSIONS, RECEIPTS = (
    insert(Base.metadata.tables[name]) for name in ("memories", "memory_versions", "events")
)
GOVERNED = VIEW.where(Memory.id == bindparam("id"), *scopes.living(scopes.OWNER, scopes.GOVERNED))


@dataclass(frozen=True, slots=True)
class Added:
    """What an add did: the memories, in the order of the drafts, and the receipt."""

    memories: list[MemoryView]
    event_id: UUID
    inference: str | None

    @property
    def results(self) -> list[dict[str, Any]]:
        """What was decided for each candidate."""
        return [{"id": str(view.id), "memory": view.content, "event": "ADD"} for view in self.memories]


def add(ctx: Context, user_id: str | None, drafted: Sequence[Draft], *, app: str | None, infer: bool = False) -> Added:
    """Store each draft as one memory, all in one transaction, embedded in one call before it begins.

    Raises:
        Forbidden: the app is paused, or the caller may not write for this user.
    """
    composed = [compose(item.content, item.author, item.occurred_at) for item in drafted]
    vectors = ctx.engine.embed(composed)
    names = ctx.engine.categories(vectors, len(drafted))
    owner = user_id or ctx.caller.name
    owner_id = accounts.ensure_user(ctx, owner)
    client = apps.for_writing(ctx, owner_id, app)
    views = [fresh(item, owner, client, of_one) for item, of_one in zip(drafted, names, strict=True)]
    store(ctx, owner_id, views, composed, vectors)
    inference = VERBATIM if infer else None
    return Added(views, _receipt(ctx, owner_id, client.id, views, inference), inference)


def store(
    ctx: Context,
    owner_id: UUID,
    views: Sequence[MemoryView],
    composed: Sequence[str],
    vectors: Sequence[Vectors] | Vectors | None,
) -> None:
    """Write new memories with their versions and categories, each ready for the index with its vector."""
    if views:
        _insert(ctx, owner_id, views)
        categories.assign(ctx, owner_id, {view.id: view.categories for view in views})
        _make_ready(ctx, views, composed, vectors)


def fresh(item: Draft, owner: str, client: Writer, names: list[str]) -> MemoryView:
    """The memory that a draft becomes, with a new id, not written yet."""
    when = now()
    return MemoryView(
        id=item.id or new_id(),
        user_id=owner,
        app_id=client.id,
        app_name=client.name,
        content=item.content,
        state=State.active,
        metadata=item.metadata,
        agent_id=item.agent_id,
        run_id=item.run_id,
        author=item.author,
        memory_type=item.memory_type,
        tags=item.tags,
        priority=item.priority,
        source=item.source,
        version=1,
        occurred_at=item.occurred_at,
        expires_at=item.expires_at,
        created_at=item.created_at or when,
        updated_at=when,
        archived_at=None,
        deleted_at=None,
        updated_by=item.source,
        categories=sorted(names),
        provenance=item.provenance,
    )


def _insert(ctx: Context, owner_id: UUID, views: Sequence[MemoryView]) -> None:
    rows = [
        {
            "id": view.id,
            "user_id": owner_id,
            "app_id": view.app_id,
            "agent_id": view.agent_id,
            "run_id": view.run_id,
            "author": view.author,
            "content": view.content,
            "content_hash": drafts.content_hash(view.content),
            "memory_type": view.memory_type,
            "state": view.state,
            "metadata": view.metadata,
            "tags": view.tags,
            "priority": view.priority,
            "source": view.source,
            "updated_by": view.updated_by,
            "provenance": view.provenance,
            "version": view.version,
            "occurred_at": view.occurred_at,
            "expires_at": view.expires_at,
            "created_at": view.created_at,
            "updated_at": view.updated_at,
        }
        for view in views
    ]
    ctx.write(MEMORIES, rows)
    ctx.write(VERSIONS, [version_row(ctx, view, "ADD") for view in views])


def version_row(ctx: Context, view: MemoryView, event: str) -> dict[str, Any]:
    """The row that says what the memory says from now on, and why."""
    return {
        "id": new_id(),
        "memory_id": view.id,
        "version": view.version,
        "event": event,
        "content": view.content,
        "metadata": view.metadata,
        "state": view.state,
        "expires_at": view.expires_at,
        "changed_by": ctx.caller.user_id,
        "created_at": view.updated_at,
    }


def _make_ready(
    ctx: Context, views: Sequence[MemoryView], composed: Sequence[str], vectors: Sequence[Vectors] | Vectors | None
) -> None:
    if vectors is None:
        ctx.touch(view.id for view in views)
        return
    for view, text, vector in zip(views, composed, vectors, strict=True):
        ctx.ready(view.id, text, vector)


def _receipt(ctx: Context, owner_id: UUID, app_id: UUID, views: Sequence[MemoryView], inference: str | None) -> UUID:
    # The receipt names the memories and does not repeat them: a purge then has one place less to clean.
    event_id = new_id()
    row = {
        "id": event_id,
        "user_id": owner_id,
        "app_id": app_id,
        "kind": "ADD",
        "status": "SUCCEEDED",
        "inference": inference,
        "results": [{"id": str(view.id), "event": "ADD", "version": view.version} for view in views],
        "attempts": 1,
    }
    ctx.write(RECEIPTS, row)
    return event_id


def get(ctx: Context, memory_id: UUID, user_id: str | None = None, *, door: str | None = None) -> MemoryView:
    """One memory, logged as shown to the reading app.

    Args:
        door: the app that a caller reads as who names none (`scopes.of_door`); then only what is visible is found.

    Raises:
        NotFound: no such memory, a deleted one, or one that the caller may not see.
    """
    scope = scope_of(ctx, memory_id, user_id, door)
    found = _find(ctx, memory_id, scope, door)
    if found is None:
        raise NotFound(NO_MEMORY)
    apps.log_reads(ctx, scope.reader, [memory_id], "get")
    return replace(found, provenance=ctx.session.scalar(select(Memory.provenance).where(Memory.id == memory_id)))


def _find(
    ctx: Context, memory_id: UUID, scope: Scope, door: str | None = None, show_expired: bool = False
) -> MemoryView | None:
    if ctx.caller.app or door:
        found = fetch(ctx, [memory_id], *scopes.visible(scope, show_expired=show_expired))
    else:
        found = read(ctx, GOVERNED, {"id": memory_id, "owner": scope.owner_id})
    return found[0] if found else None


def require(ctx: Context, memory_id: UUID) -> None:
    """Raise NotFound unless the caller may see the memory."""
    scope = scope_of(ctx, memory_id, None)
    if ctx.session.scalar(select(Memory.id).where(Memory.id == memory_id, *scopes.governed(ctx, scope))) is None:
        raise NotFound(NO_MEMORY)


def scope_of(ctx: Context, memory_id: UUID, user_id: str | None, door: str | None = None) -> Scope:
    """The scope in which one memory is read, whatever its state: its owner's, as the app of the caller's app's name.

    Through a `door` as the app that it gives to who names none.

    Raises:
        NotFound: no such memory, or somebody else's.
    """
    name = scopes.of_door(ctx, door) if door else scopes.reading_app(ctx, None)
    row = ctx.row(WHOSE, {"id": memory_id, "app": name or ""})
    if row is None or (row[0] != ctx.caller.user_id and not ctx.caller.is_admin) or user_id not in (None, row[1]):
        raise NotFound(NO_MEMORY)
    owner, _, app_id, is_active, has_rules = row
    reader = Reader(owner, name, app_id, is_active is not False, bool(app_id and has_rules)) if name else None
    return Scope(owner, reader)


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be changed of a memory; what is left out stays as it is.

    Attributes:
        expires_at: None is never.
        metadata: in the place of what there is, or with `merges` laid over it. Author, session and times follow it.
        longest: characters of the content.
        occurred_at: when it happened, whatever the metadata says.
        memory_type: "pinned" keeps models and retention away from it.
    """

    content: str | None = None
    expires_at: datetime | EllipsisType | None = ...
    metadata: Mapping[str, Any] | None = None
    merges: bool = False
    longest: int = drafts.MAX_TEXT
    occurred_at: datetime | None = None
    memory_type: str | None = None

    def of(self, found: MemoryView) -> MemoryView:
        """The memory as it is to be."""
        named = drafts.draft("-", self.metadata)
        metadata = found.metadata
        if self.metadata is not None:
            metadata = drafts.checked_metadata({**(found.metadata if self.merges else {}), **self.metadata})
        until = named.expires_at or found.expires_at if self.expires_at is ... else self.expires_at
        return replace(
            found,
            content=found.content if self.content is None else self.content,
            metadata=metadata,
            author=named.author or found.author,
            agent_id=named.agent_id or found.agent_id,
            run_id=named.run_id or found.run_id,
            occurred_at=self.occurred_at or named.occurred_at or found.occurred_at,
            expires_at=until,
            memory_type=self.memory_type or found.memory_type,
        )


def edit(
    ctx: Context,
    memory_id: UUID,
    content: str | None,
    user_id: str | None = None,
    *,
    expires_at: datetime | EllipsisType | None = ...,
    metadata: Mapping[str, Any] | None = None,
    memory_type: str | None = None,
) -> MemoryView:
    """Change what a memory says, when it expires (None: never), what is said of it; what is left out stays as it is.

    The old version is kept, the index and the categories follow.

    Raises:
        NotFound: no such memory, a deleted one, or one that the caller may not see.
        Invalid: the text cannot be a memory's, or the time is past.
        Forbidden: the app of the key is paused.
    """
    until = expires_at if expires_at is ... else drafts.checked_expiry(expires_at)
    return change(ctx, memory_id, Edit(content, until, metadata, memory_type=memory_type), user_id)


def change(
    ctx: Context, memory_id: UUID, wanted: Edit, user_id: str | None = None, *, door: str | None = None
) -> MemoryView:
    """`edit` of all that can be changed; through a `door` (as `get`) of what is visible, be it expired.

    Raises:
        as `edit`; a time that is past is taken as it is.
    """
    drafts.checked_metadata(wanted.metadata)
    content = None if wanted.content is None else drafts.checked_text(wanted.content, wanted.longest)
    before = _peek(ctx, memory_id)
    composed, vectors = "", None
    if content is not None and before is not None and before[0] != content:
        named = drafts.draft("-", wanted.metadata)
        composed = compose(content, named.author or before[1], wanted.occurred_at or named.occurred_at or before[2])
        vectors = ctx.engine.embed([composed])
    names = ctx.engine.categories(vectors, 1)[0]
    scope = scope_of(ctx, memory_id, user_id, door)
    if ctx.caller.app and scope.reader and not scope.reader.is_active:
        raise Forbidden(f"App {scope.reader.name} is currently paused.")
    found = _find(ctx, memory_id, scope, door, show_expired=door is not None)
    if found is None:
        raise NotFound(NO_MEMORY)
    new = wanted.of(found)
    if new == found:
        return found
    view = rewrite(ctx, new)
    if vectors is not None and scope.owner_id is not None:
        categories.replace(ctx, scope.owner_id, memory_id, names)
        view.categories = sorted(names)
        ctx.ready(memory_id, composed, vectors[0])
    ctx.touch([memory_id])
    return view


def _peek(ctx: Context, memory_id: UUID) -> Any:
    """What has to be known to embed before the transaction begins; whether the caller may is asked inside it."""
    with ctx.runtime.database.reading() as session:
        return session.execute(
            select(Memory.content, Memory.author, Memory.occurred_at).where(Memory.id == memory_id)
        ).first()


def rewrite(ctx: Context, new: MemoryView, by: str | None = None) -> MemoryView:
    """Write what a memory says from now on, and what is said of it; a new version.

    Its provenance only if it has a new one. `by` is the agent that says so, where the door knows it.
    """
    view = replace(new, version=new.version + 1, updated_at=now(), updated_by=by)
    learned = {} if new.provenance is None else {"provenance": new.provenance}
    ctx.session.execute(
        update(Memory)
        .where(Memory.id == view.id)
        .values(
            content=view.content,
            content_hash=drafts.content_hash(view.content),
            metadata_=view.metadata,
            author=view.author,
            agent_id=view.agent_id,
            run_id=view.run_id,
            expires_at=view.expires_at,
            occurred_at=view.occurred_at,
            tags=view.tags,
            memory_type=view.memory_type,
            version=view.version,
            updated_at=view.updated_at,
            updated_by=view.updated_by,
            indexed_at=None,
            **learned,
        )
        .execution_options(synchronize_session=False)
    )
    ctx.write(VERSIONS, version_row(ctx, view, "UPDATE"))
    return view
