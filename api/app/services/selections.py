"""Which memories a request means that speaks mem0: `user_id`, `agent_id`, `run_id`, and filters that may name them too.

    {"AND": [{"user_id": "alice"}, {"OR": [{"agent_id": "a1"}, {"topic": "food"}]}]}

Whose memories they are is found here; all the rest is a filter, in SQL (`services.filters`). Without a user they are
the caller's own. Only an admin reaches several users, or with "*" in the filters everybody; for others that is what of
it is theirs. A "*" as an identifier beside the filters is just a name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from app.context import Context
from app.errors import Forbidden, Invalid, NotFound
from app.models import Memory, MemoryVersion, State, User
from app.services import accounts, apps, chores, filters, listings, memories, scopes, searches, states
from app.services.chores import Results
from app.services.scopes import Scope
from app.services.searches import Embedded, Query, Result
from app.services.views import Listing, MemoryView, Window, fetch

IDENTIFIERS = ("user_id", "agent_id", "run_id")
USER = "user_id"
BATCH = 2_000  # memories that are deleted at a time
MOST_SEARCHED = 10  # users whose memories one search goes through: each has a ranking of its own
KIND = "DELETE"


@dataclass(frozen=True, slots=True)
class Selection:
    """Whose memories (`users` by name; None: everybody's; none: nobody's that the caller may reach), and which."""

    users: tuple[str, ...] | None
    filters: Mapping[str, Any]

    @property
    def owner(self) -> str | None:
        """The one user, if it is just one."""
        return self.users[0] if self.users is not None and len(self.users) == 1 else None


def chosen(
    ctx: Context,
    identifiers: Mapping[str, str | None],
    sent: Mapping[str, Any] | None = None,
    *,
    all_users: bool = False,
) -> Selection:
    """What identifiers and filters select together. With `all_users` no user named means everybody's, for an admin.

    Raises:
        Invalid: the filters are not in the grammar.
    """
    named = {name: _literal(value) for name, value in identifiers.items() if value is not None}
    given = {name: value for name, value in (sent or {}).items() if value is not None}
    filters.clauses(given)  # whoever sends nonsense is told so, whatever it would have found
    users: set[str] | None = None
    is_open = all_users
    rest: list[tuple[str, Any]] = []
    for name, value in [*named.items(), *_conjuncts(given)]:
        some = _names(value) if name == USER else None
        if some is not None:
            users = some if users is None else users & some
        elif not (name == USER and value == filters.ANY):
            rest.append((name, value))
        is_open = is_open or _mentions_user(name, value)
    return Selection(_reach(ctx, users, is_open), _all_of(rest))


def own(ctx: Context) -> Selection:
    """All of the caller's own."""
    return Selection((ctx.caller.name,), {})


def of_list(ctx: Context, identifiers: Mapping[str, str | None]) -> Selection:
    """What a list by identifiers means; without one everybody's, for an admin alone.

    Raises:
        Forbidden: nobody is named, and the caller is no admin.
    """
    if not any(identifiers.values()):
        accounts.require(ctx.caller, "admin")
    return chosen(ctx, identifiers, all_users=not any(identifiers.values()))


def of_delete(ctx: Context, identifiers: Mapping[str, str | None]) -> Selection:
    """What an admin's delete by identifiers means.

    Raises:
        Forbidden: the caller is no admin.
        Invalid: nobody is named.
    """
    accounts.require(ctx.caller, "admin")
    if not any(identifiers.values()):
        raise Invalid("At least one identifier is required.")
    return chosen(ctx, identifiers)


def _literal(value: str) -> Any:
    return {"eq": value} if value == filters.ANY else value


def _all_of(conditions: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The conditions as one filter; flat, because there the search sees a session that is named."""
    flat = dict(reversed(conditions))
    more = [{name: value} for name, value in conditions if flat[name] is not value]
    return {**flat, "AND": more} if more else flat


def _conjuncts(sent: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The conditions that must all hold, `AND` opened up."""
    for name, value in sent.items():
        if name == "AND" and depth < filters.MAX_DEPTH:
            for member in [value] if isinstance(value, Mapping) else value:
                yield from _conjuncts(member, depth + 1)
        else:
            yield name, value


def _names(value: Any) -> set[str] | None:
    """The users that a condition on `user_id` names; None if it says it otherwise."""
    match value:
        case str() if value != filters.ANY:
            return {value}
        case {"eq": str(name), **others} if not others:
            return {name}
        case [*names] | {"in": [*names]} if names and all(isinstance(name, str) for name in names):
            return set(names) if isinstance(value, list) or len(value) == 1 else None
    return None


def _mentions_user(name: str, value: Any) -> bool:
    if name == USER:
        return True
    below = value if isinstance(value, list) else [value]
    is_logic = name in filters.LOGIC
    return is_logic and any(_mentions_user(key, inner) for member in below for key, inner in member.items())


def _reach(ctx: Context, users: set[str] | None, is_open: bool) -> tuple[str, ...] | None:
    own = ctx.caller.name
    if ctx.caller.is_admin:
        return tuple(sorted(users)) if users is not None else None if is_open else (own,)
    return (own,) if users is None or own in users else ()


def listing(
    ctx: Context,
    selection: Selection,
    window: Window,
    *,
    app: str | None,
    show_expired: bool = False,
    is_counted: bool = True,
) -> Listing[MemoryView]:
    """A window of what is selected and visible to `app`, newest first, and logged as shown to it.

    A user that is not there, or not the caller's to read, has none. Three statements, four where the total has to be
    counted, and one more for the dates of what was deleted because it has expired. Without `is_counted` the total is
    only what the window knows of it.
    """
    clauses = [clause.condition for clause in filters.clauses(selection.filters)]
    if not clauses and not show_expired and (selection.owner or selection.users is None):
        return _whole(ctx, selection, window, app)
    scope = _scope(ctx, selection, app)
    if scope is None:
        return Listing([], 0)
    shown = scopes.with_expired(scope) if show_expired else scopes.visible(scope)
    seen = [*shown, *_of_users(selection), *clauses]
    newest = select(Memory.id).where(*seen).order_by(Memory.created_at.desc(), Memory.id.desc())
    ids = ctx.session.scalars(newest.limit(window.limit).offset(window.offset)).all()
    total = _total(ctx, seen, window, len(ids)) if is_counted else window.offset + len(ids)
    apps.log_reads(ctx, scope.reader, ids, "list")
    return Listing(_dated(ctx, fetch(ctx, ids)), total)


def _whole(ctx: Context, selection: Selection, window: Window, app: str | None) -> Listing[MemoryView]:
    try:
        return listings.shown(ctx, window, user_id=selection.owner, app=app)
    except NotFound:
        return Listing([], 0)


def _dated(ctx: Context, views: list[MemoryView]) -> list[MemoryView]:
    """The memories, those that the worker has deleted with the time when they expired."""
    gone = {view.id: view for view in views if view.state == State.deleted}
    if gone:
        versions = select(MemoryVersion.memory_id, MemoryVersion.expires_at).where(
            MemoryVersion.memory_id.in_(gone), MemoryVersion.event == scopes.EXPIRED
        )
        for row in ctx.rows(versions.order_by(MemoryVersion.version)):
            gone[row.memory_id].expires_at = row.expires_at
    return views


def get(ctx: Context, memory_id: UUID, *, door: str, show_expired: bool = False) -> MemoryView:
    """`memories.get` through a door; with `show_expired` one that has expired, too, until it is purged.

    Raises:
        NotFound: no such memory, a deleted one, or one that the caller may not see.
    """
    if not show_expired:
        return memories.get(ctx, memory_id, door=door)
    scope = memories.scope_of(ctx, memory_id, None, door)
    found = _dated(ctx, fetch(ctx, [memory_id], *scopes.with_expired(scope)))
    if not found:
        raise NotFound(memories.NO_MEMORY)
    apps.log_reads(ctx, scope.reader, [memory_id], "get")
    return found[0]


def _total(ctx: Context, seen: list[ColumnElement[bool]], window: Window, found: int) -> int:
    if 0 < found < window.limit or (found == 0 and window.offset == 0 and window.limit):
        return window.offset + found  # the last page knows
    return ctx.session.scalar(select(func.count()).select_from(Memory).where(*seen)) or 0


def _scope(ctx: Context, selection: Selection, app: str | None) -> Scope | None:
    """The scope of one user, or of all whom an admin reaches; None if there is nobody to read."""
    if selection.users == ():
        return None
    try:
        return scopes.resolve(ctx, selection.owner, app)
    except NotFound:
        return None


def _of_users(selection: Selection) -> list[ColumnElement[bool]]:
    if selection.users is None or selection.owner:
        return []
    return [Memory.user_id.in_(select(User.id).where(User.user_id.in_(selection.users)))]


def search(ctx: Context, query: Query, selection: Selection, *, app: str | None) -> Result:
    """What of the selected answers the query best, logged as shown to `app`; `query.filters` are the selection's.

    A limit of 0 is none.

    Over several users each has a ranking of its own, whose scores say nothing of another's: there the score is the
    confidence, 0 to 1.

    Raises:
        Invalid: an empty or overlong query, or more than ten users.
        Unavailable: neither leg of the index can answer.
    """
    asked = replace(query, filters=selection.filters)
    searches.checked(replace(asked, limit=asked.limit or 1))
    if not asked.limit:
        return Result([], asked.mode)
    users = _searched(ctx, selection)
    if len(users) == 1:
        return _of_one(ctx, asked, users[0], app)
    question = searches.embedded(ctx, asked) if users else None
    found = [_of_one(ctx, replace(asked, threshold=None), name, app, question) for name in users]
    hits = [replace(hit, score=hit.confidence / 100) for one in found for hit in one.hits]
    best = sorted((hit for hit in hits if hit.score >= (query.threshold or 0)), key=lambda hit: -hit.score)
    modes, warnings = {one.mode for one in found} or {query.mode}, [one.warning for one in found if one.warning]
    mode = query.mode if query.mode in modes else modes.pop()
    return Result(best[: query.limit], mode, warnings[0] if warnings else None)


def _searched(ctx: Context, selection: Selection) -> tuple[str, ...]:
    users = selection.users
    if users is None:
        owning = select(User.user_id).where(User.id.in_(select(Memory.user_id).where(Memory.state == State.active)))
        users = tuple(ctx.session.scalars(owning.order_by(User.user_id).limit(MOST_SEARCHED + 1)))
        ctx.release()
    if len(users) > MOST_SEARCHED:
        raise Invalid(f"A search goes through the memories of at most {MOST_SEARCHED} users: name them by user_id")
    return users


def _of_one(ctx: Context, query: Query, name: str, app: str | None, question: Embedded | None = None) -> Result:
    try:
        return searches.search(ctx, query, user_id=name, app=app, question=question)
    except NotFound:  # the user: answered like one who has nothing
        return Result([], query.mode)


def delete(ctx: Context, selection: Selection, *, app: str | None) -> int:
    """Delete what is selected, all or nothing, in batches that each leave receipts; how many there were.

    Paused, archived and expired ones too, unless the key is bound to an app: then what is visible to it.

    Raises:
        Forbidden: the app of the key is paused.
    """
    clauses = [clause.condition for clause in filters.clauses(selection.filters)]
    scope = _scope(ctx, selection, app)
    if scope is None:
        return 0
    _refuse_paused(ctx, scope)
    seen = [*_governed(ctx, scope), *_of_users(selection), *clauses]
    some = select(Memory.id, Memory.user_id, Memory.version).where(*seen).limit(BATCH).with_for_update()
    count = 0
    while rows := ctx.rows(some):
        states.change(ctx, [row.id for row in rows], State.deleted)
        _leave_receipts(ctx, scope, rows)
        count += len(rows)
    ctx.after_commit(ctx.runtime.wake.set)
    return count


def delete_one(ctx: Context, memory_id: UUID, *, door: str) -> int:
    """Delete a memory that is visible through `door`, or has expired; 1.

    Raises:
        NotFound: no such memory, or one that the caller may not see.
        Forbidden: the app of the key is paused.
    """
    scope = memories.scope_of(ctx, memory_id, None, door)
    _refuse_paused(ctx, scope)
    seen = scopes.visible(scope, show_expired=True)
    if ctx.session.scalar(select(Memory.id).where(Memory.id == memory_id, *seen)) is None:
        raise NotFound(memories.NO_MEMORY)
    return states.change(ctx, [memory_id], State.deleted)


def _refuse_paused(ctx: Context, scope: Scope) -> None:
    if ctx.caller.app and scope.reader and not scope.reader.is_active:
        raise Forbidden(f"App {scope.reader.name} is currently paused.")


def _governed(ctx: Context, scope: Scope) -> list[ColumnElement[bool]]:
    if ctx.caller.app:
        return scopes.visible(scope, show_expired=True)
    own = [] if scope.owner_id is None else [Memory.user_id == scope.owner_id]
    return [*own, scopes.in_states(scope.owner_id, scopes.GOVERNED)]


def _leave_receipts(ctx: Context, scope: Scope, rows: Any) -> None:
    results: dict[Any, Results] = {}
    for row in rows:
        done = {"id": str(row.id), "event": KIND, "version": row.version + 1}
        results.setdefault(row.user_id, []).append(done)
    for owner_id, of_one in results.items():
        is_readers = scope.reader is not None and scope.reader.owner_id == owner_id
        app_id = scope.reader.app_id if scope.reader and is_readers else None
        chores.receipt(ctx, owner_id, KIND, of_one, app_id=app_id)


def reset(ctx: Context, *, app: str | None) -> int:
    """Delete everybody's memories, as `delete` does; how many there were.

    Raises:
        Forbidden: the caller is no admin.
    """
    accounts.require(ctx.caller, "admin")
    return delete(ctx, Selection(None, {}), app=app)
