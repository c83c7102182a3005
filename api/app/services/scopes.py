"""Whose memories, read through which app, and which of them may be seen: every read starts here."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, exists, false, or_, select
from sqlalchemy.orm import aliased

from app.context import Context
from app.database import now
from app.errors import Forbidden, NotFound
from app.models import AccessControl, App, Memory, MemoryVersion, State, User
from app.prepared import Prepared

DEFAULT_APP = "openmemory"  # the app of a credential that is bound to none, as the OpenMemory page has it
GOVERNED = (State.active, State.paused, State.archived)
EXPIRED = "EXPIRE"  # the version that the worker leaves of what it deletes because it has expired
NO_USER = "User not found"

Owner = UUID | BindParameter[UUID] | None


OWNER = bindparam("owner", type_=Memory.user_id.type)
NOW = bindparam("now", type_=Memory.expires_at.type, callable_=now)  # asked when the statement runs
_OTHER = aliased(Memory)


def ruled(app_id: object) -> ColumnElement[bool]:
    """Whether any rule says what the app may see."""
    rules = select(AccessControl.id).where(
        AccessControl.subject_type == "app", AccessControl.subject_id == app_id, AccessControl.object_type == "memory"
    )
    return exists(rules)


# Statements that every request needs are made once: making one costs more than running it.
_WHO = select(User.id, App.id, App.is_active, ruled(App.id)).outerjoin(
    App, and_(App.owner_id == User.id, App.name == bindparam("app"))
)
SELF = Prepared(_WHO.where(User.id == OWNER))
NAMED = Prepared(_WHO.where(User.user_id == bindparam("name")))


@dataclass(frozen=True, slots=True)
class Reader:
    """The app that reads. `app_id` is None until it has read or written something."""

    owner_id: UUID
    name: str
    app_id: UUID | None = None
    is_active: bool = True
    has_rules: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What a request is about. `owner_id` None: every owner's memories (an admin who named nobody).

    `reader` None: a person who is signed in; not an app, so neither pauses of apps nor the access log concern them.
    """

    owner_id: UUID | None
    reader: Reader | None


def resolve(ctx: Context, user_id: str | None = None, app: str | None = None, *, alone: bool = False) -> Scope:
    """The scope of a request that names `user_id` (the caller's own without it) and reads as `app`. One statement.

    Args:
        alone: what the request asks next need not see the same state (`Context.asked`).

    Raises:
        NotFound: no such user, or one that the caller may not see.
        Forbidden: the key is bound to another app.
    """
    caller = ctx.caller
    name = reading_app(ctx, app)
    everybody = user_id is None and caller.is_admin
    if user_id not in (None, caller.name) and not caller.is_admin:
        raise NotFound(NO_USER)
    if user_id in (None, caller.name):
        rows = ctx.asked(SELF, {"owner": caller.user_id, "app": name or ""}, alone=alone)
    else:
        rows = ctx.asked(NAMED, {"name": user_id, "app": name or ""}, alone=alone)
    if not rows:
        raise NotFound(NO_USER)
    owner, app_id, is_active, has_rules = rows[0]
    reader = Reader(owner, name, app_id, is_active is not False, bool(app_id and has_rules)) if name else None
    return Scope(None if everybody else owner, reader)


def of_owner(ctx: Context, owner_id: UUID, name: str | None) -> Scope:
    """The scope of an owner whom the caller is known to reach, read as the app of that name. One statement.

    Raises:
        NotFound: there is no such owner any more.
    """
    rows = ctx.asked(SELF, {"owner": owner_id, "app": name or ""})
    if not rows:
        raise NotFound(NO_USER)
    _, app_id, is_active, has_rules = rows[0]
    reader = Reader(owner_id, name, app_id, is_active is not False, bool(app_id and has_rules)) if name else None
    return Scope(owner_id, reader)


def reading_app(ctx: Context, app: str | None) -> str | None:
    """The name of the app that the caller acts as; None for a person who names none.

    Raises:
        Forbidden: the key is bound to another app.
    """
    bound = ctx.caller.app
    if bound and app not in (None, bound):
        raise Forbidden(f"This key is bound to the app {bound}")
    return bound or app or (None if ctx.caller.is_person else DEFAULT_APP)


def of_door(ctx: Context, door: str) -> str | None:
    """The app as whom a caller reads through a door that names none: the key's, else the door's; None for a person."""
    return ctx.caller.app or (None if ctx.caller.is_person else door)


def writer_of_door(ctx: Context, door: str) -> str:
    """The app as whom a caller writes through a door that names none."""
    return ctx.caller.app or door


def visible(scope: Scope, *, show_expired: bool = False) -> list[ColumnElement[bool]]:
    """What an app may read: active, not expired, its owner's, not hidden from the app by a pause or a rule.

    With `show_expired` what has expired, too, until the worker deletes it.
    """
    found = living(scope.owner_id, (State.active,))
    return [*(found[:-1] if show_expired else found), *allowed(scope.reader)]


def with_expired(scope: Scope) -> list[ColumnElement[bool]]:
    """What is visible, and what would be had it not expired: also where the worker has deleted it since."""
    own: list[ColumnElement[bool]] = [] if scope.owner_id is None else [Memory.user_id == scope.owner_id]
    by_worker = and_(
        Memory.state == State.deleted,
        exists(_version_of(Memory.version.expression).where(MemoryVersion.event == EXPIRED)),
        exists(_version_of(Memory.version - 1).where(MemoryVersion.state == State.active)),
    )
    return [*own, or_(Memory.state == State.active, by_worker), *allowed(scope.reader)]


def _version_of(number: ColumnElement[int]) -> Select[UUID]:
    return select(MemoryVersion.id).where(MemoryVersion.memory_id == Memory.id, MemoryVersion.version == number)


def governed(ctx: Context, scope: Scope) -> list[ColumnElement[bool]]:
    """What a person governs: paused and archived memories too. A key that is bound to an app sees what is visible."""
    return visible(scope) if ctx.caller.app else living(scope.owner_id, GOVERNED)


def in_states(owner_id: Owner, states: Sequence[State]) -> ColumnElement[bool]:
    """In one of `states`."""
    if len(states) == 1:
        return Memory.state == states[0]
    if owner_id is not None:
        return Memory.state.in_(states)
    # Over all owners SQLite takes an IN for an invitation to look state by state and sort 100,000 rows after.
    return Memory.state.not_in([state for state in State if state not in states])


def living(owner_id: Owner, states: Sequence[State]) -> list[ColumnElement[bool]]:
    """In one of `states`, not expired, and the owner's if one is given."""
    conditions: list[ColumnElement[bool]] = [] if owner_id is None else [Memory.user_id == owner_id]
    return [*conditions, in_states(owner_id, states), unexpired(owner_id)]


def unexpired(owner_id: Owner) -> ColumnElement[bool]:
    """Not past `expires_at`. Asked as "not among the few that are": a deep page then needs no row it does not show."""
    return Memory.id.not_in(expired(owner_id))


def expired(owner_id: Owner) -> Select[UUID]:
    """The ids that are past their `expires_at`."""
    return select(_OTHER.id).where(is_expired(_OTHER, owner_id))


def is_expired(memory: type[Memory], owner_id: Owner) -> ColumnElement[bool]:
    """Past `expires_at`, and the owner's if one is given."""
    late = memory.expires_at <= NOW
    return late if owner_id is None else and_(memory.user_id == owner_id, late)


def allowed(reader: Reader | None) -> list[ColumnElement[bool]]:
    """What the app's pause and its access rules leave: with `allow` rules only those, and never what is denied."""
    if reader is None:
        return []
    if not reader.is_active:
        return [false()]
    return ruling(reader.app_id) if reader.has_rules else []


def ruling(app_id: object) -> list[ColumnElement[bool]]:
    """What the app's access rules leave of the memories."""
    rules = select(AccessControl.id).where(
        AccessControl.subject_type == "app", AccessControl.subject_id == app_id, AccessControl.object_type == "memory"
    )
    this = or_(AccessControl.object_id.is_(None), AccessControl.object_id == Memory.id)
    allows = rules.where(AccessControl.effect == "allow")
    return [
        ~exists(rules.where(AccessControl.effect == "deny", this)),
        or_(~exists(allows), exists(allows.where(this))),
    ]
