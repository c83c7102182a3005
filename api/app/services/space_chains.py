"""Space chains: several spaces, in an order, behind one key that is none of theirs.

Nobody gets into a space by a chain who could not get in without: whoever puts a space into a chain shows a key of it,
or is an admin (decision 0030).
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, delete, or_, select, update

from app.context import Caller, Context, Runtime
from app.database import new_id, now
from app.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from app.models import ApiKey, App, ChainKey, ChainNode, SpaceChain, User
from app.services import accounts, credentials
from app.services.drafts import checked_characters

PREFIX = "chain_"
MOST_NODES = 20
MOST_KEYS = 100
MAX_DESCRIPTION = 10_000
NOT_FOUND = "not found"
SCOPES = frozenset({"read", "write"})


class NoChainKey(Unauthenticated):
    """What is shown is no chain's key."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a chain: where a memory that was found through it comes from."""

    chain_id: UUID
    position: int
    space_id: UUID
    external_space_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChainView:
    """A chain, without what is in it."""

    id: UUID
    name: str
    description: str | None
    project_id: str | None
    created_by_user_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NodeView:
    """A space in a chain; `space_id` is its user's id."""

    id: UUID
    chain_id: UUID
    position: int
    space_id: UUID
    external_space_id: str | None
    display_name: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key of a chain without its secret."""

    id: UUID
    chain_id: UUID
    preview: str
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key; `secret` is shown now and never again."""

    secret: str
    view: KeyView


@dataclass(frozen=True, slots=True)
class Made:
    """A new chain and its first key."""

    chain: ChainView
    key: MadeKey


@dataclass(frozen=True, slots=True)
class Wanted:
    """A space that is to be in a chain: a key of it, the id of one that is in it, or for an admin any user."""

    space: str
    external_space_id: str | None = None
    display_name: str | None = None


CHAIN = (
    *(SpaceChain.id, SpaceChain.name, SpaceChain.description, SpaceChain.project_id),
    *(SpaceChain.created_by_user_id, SpaceChain.created_at, SpaceChain.updated_at),
)
NODE = (
    *(ChainNode.id, ChainNode.chain_id, ChainNode.position, ChainNode.user_id, ChainNode.external_space_id),
    *(ChainNode.display_name, ChainNode.created_at),
)
KEY = (ChainKey.id, ChainKey.chain_id, ChainKey.preview, ChainKey.created_at, ChainKey.disabled_at)
BY_KEY = (
    select(ChainKey.id, ChainKey.chain_id, ChainKey.disabled_at, SpaceChain.deleted_at)
    .join(SpaceChain, SpaceChain.id == ChainKey.chain_id)
    .where(ChainKey.key_hash == bindparam("hash"))
)
_KEY_IS_GOOD = and_(ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > bindparam("now")))
# A node without a key was let in by an admin.
CALLERS = (
    select(
        ChainNode.position,
        ChainNode.user_id,
        ChainNode.external_space_id,
        User.user_id.label("name"),
        App.name.label("app"),
        ApiKey.id.label("key_id"),
        ApiKey.scopes,
        and_(User.is_active, or_(ChainNode.key_id.is_(None), _KEY_IS_GOOD)).label("is_open"),
    )
    .join(User, User.id == ChainNode.user_id)
    .outerjoin(ApiKey, ApiKey.id == ChainNode.key_id)
    .outerjoin(App, App.id == ApiKey.app_id)
    .where(ChainNode.chain_id == bindparam("chain"))
    .order_by(ChainNode.position)
)


def is_key(shown: str) -> bool:
    """Whether it has the form of a chain's key."""
    return shown.startswith(PREFIX)


def _found(runtime: Runtime, shown: str) -> Row[*tuple[Any, ...]] | None:
    with runtime.database.reading() as session:
        return session.execute(BY_KEY, {"hash": credentials.digest(shown)}).first()


def is_active(runtime: Runtime, shown: str) -> bool | None:
    """Whether the key opens its chain; None if it is nobody's."""
    row = _found(runtime, shown)
    return None if row is None else row.disabled_at is None and row.deleted_at is None


def enter(runtime: Runtime, shown: str) -> list[tuple[Source, Caller | None]] | None:
    """The spaces that the key opens, in their order, each with the caller as whom; None where it is not open now.

    The whole is None if the key opens no chain.
    """
    row = _found(runtime, shown)
    if row is None or row.disabled_at is not None or row.deleted_at is not None:
        return None
    with runtime.database.reading() as session:
        nodes = session.execute(CALLERS, {"chain": row.chain_id, "now": now()}).all()
    return [
        (Source(row.chain_id, node.position, node.user_id, node.external_space_id), _caller(node)) for node in nodes
    ]


def _caller(node: Row[*tuple[Any, ...]]) -> Caller | None:
    if not node.is_open:
        return None
    # Never more than reading and writing there, whatever else the key may: it could be an admin's.
    scopes = SCOPES if node.scopes is None else SCOPES & frozenset(node.scopes)
    return Caller(node.user_id, node.name, node.app, scopes, key_id=node.key_id)


def manage(runtime: Runtime, shown: str | None) -> UUID:
    """The chain that a key of it manages; one that is disabled may still, so that nobody is locked out.

    Raises:
        NoChainKey: it is no chain's key.
        NotFound: it is an unknown one, or its chain was deleted.
    """
    if not shown or not is_key(shown):
        raise NoChainKey("missing or malformed chain key")
    row = _found(runtime, shown)
    if row is None or row.deleted_at is not None:
        raise NotFound(NOT_FOUND)
    return UUID(str(row.chain_id))


def create(
    ctx: Context,
    name: str,
    description: str | None = None,
    project_id: str | None = None,
    created_by_user_id: str | None = None,
) -> Made:
    """A new chain of no spaces, and its first key.

    Raises:
        Invalid: a name or a description that cannot be stored.
    """
    when = now()
    row = SpaceChain(
        id=new_id(),
        name=accounts.check_name(name),
        description=_described(description),
        project_id=_named(project_id),
        created_by_user_id=_named(created_by_user_id),
        created_at=when,
        updated_at=when,
    )
    ctx.session.add(row)
    ctx.session.flush()
    return Made(get(ctx, row.id), add_key(ctx, row.id))


def _named(value: str | None) -> str | None:
    return accounts.check_name(value) if value else None


def _described(value: str | None) -> str | None:
    if value is not None and len(value) > MAX_DESCRIPTION:
        raise Invalid(f"description: too long (max {MAX_DESCRIPTION})")
    return checked_characters(value) if value else None


def get(ctx: Context, chain_id: UUID) -> ChainView:
    """The chain.

    Raises:
        NotFound: there is none.
    """
    row = ctx.row(select(*CHAIN).where(SpaceChain.id == chain_id, SpaceChain.deleted_at.is_(None)))
    if row is None:
        raise NotFound(NOT_FOUND)
    return ChainView(*row)


def change(ctx: Context, chain_id: UUID, changes: Mapping[str, str | None]) -> ChainView:
    """Another name, another description; what is left out stays."""
    values: dict[str, Any] = {"updated_at": now()}
    if changes.get("name"):
        values["name"] = accounts.check_name(str(changes["name"]))
    if "description" in changes:
        values["description"] = _described(changes["description"])
    _set(ctx, chain_id, values)
    return get(ctx, chain_id)


def _set(ctx: Context, chain_id: UUID, values: Mapping[str, Any]) -> None:
    changing = update(SpaceChain).where(SpaceChain.id == chain_id).values(**values)
    ctx.session.execute(changing.execution_options(synchronize_session=False))


def remove(ctx: Context, chain_id: UUID) -> None:
    """Its keys open nothing from now on; the spaces and what is in them stay as they are."""
    _set(ctx, chain_id, {"deleted_at": now()})


def nodes(ctx: Context, chain_id: UUID) -> list[NodeView]:
    """Its spaces in their order."""
    rows = ctx.rows(select(*NODE).where(ChainNode.chain_id == chain_id).order_by(ChainNode.position))
    return [NodeView(*row) for row in rows]


def set_nodes(ctx: Context, chain_id: UUID, wanted: Sequence[Wanted], admin: Caller | None) -> list[NodeView]:
    """Make these its spaces, in this order.

    Args:
        admin: who asks beside the chain's key, if it is an admin.

    Raises:
        Invalid: a space twice, or too many.
        Forbidden: what is shown for a space does not open it.
    """
    if len(wanted) > MOST_NODES:
        raise Invalid(f"nodes: too many (max {MOST_NODES})")
    # Before the transaction begins: that a key was used is noted in one of its own.
    shown = [accounts.identify(ctx.runtime, item.space) for item in wanted]
    known = {row.user_id: row.key_id for row in ctx.rows(select(ChainNode).where(ChainNode.chain_id == chain_id))}
    found = [_let_in(ctx, item, by, known, admin) for item, by in zip(wanted, shown, strict=True)]
    if len({user_id for user_id, _ in found}) < len(found):
        raise Invalid("nodes: duplicate tenant_id")
    ctx.session.execute(delete(ChainNode).where(ChainNode.chain_id == chain_id))
    for position, (item, (user_id, key_id)) in enumerate(zip(wanted, found, strict=True)):
        names = {"external_space_id": _named(item.external_space_id), "display_name": _named(item.display_name)}
        ctx.session.add(ChainNode(chain_id=chain_id, position=position, user_id=user_id, key_id=key_id, **names))
    _set(ctx, chain_id, {"updated_at": now()})
    ctx.session.flush()
    return nodes(ctx, chain_id)


def _let_in(
    ctx: Context, wanted: Wanted, by: Caller | None, known: Mapping[UUID, UUID | None], admin: Caller | None
) -> tuple[UUID, UUID | None]:
    """The user and the key that open a space; `by` is whom the name of it identifies, if it is a key."""
    if by is not None and by.key_id is not None:
        return by.user_id, by.key_id
    for user_id, key_id in known.items():
        if str(user_id) == wanted.space:
            return user_id, key_id
    user = _user(ctx, wanted.space) if admin is not None else None
    if user is None:
        raise Forbidden("nodes: tenant_id must be a key of the space")
    return user, None


def _user(ctx: Context, named: str) -> UUID | None:
    if not accounts.is_storable(named):
        return None
    by_name = select(User.id, User.user_id).where(User.user_id == named)
    row = ctx.row(by_name)
    if row is None:
        try:
            row = ctx.row(select(User.id).where(User.id == UUID(named)))
        except ValueError:
            return None
    return None if row is None else UUID(str(row.id))


def add_key(ctx: Context, chain_id: UUID) -> MadeKey:
    """One more key of the chain.

    Raises:
        Conflict: it has too many.
    """
    if len(listing_keys(ctx, chain_id)) >= MOST_KEYS:
        raise Conflict(f"bindings: too many (max {MOST_KEYS})")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ChainKey(
        id=new_id(),
        chain_id=chain_id,
        key_hash=credentials.digest(secret),
        preview=f"{secret[:10]}...{secret[-4:]}",
        created_at=now(),
    )
    ctx.session.add(row)
    ctx.session.flush()
    return MadeKey(secret, KeyView(row.id, chain_id, row.preview, row.created_at, None))


def listing_keys(ctx: Context, chain_id: UUID) -> list[KeyView]:
    """Its keys, oldest first."""
    rows = ctx.rows(select(*KEY).where(ChainKey.chain_id == chain_id).order_by(ChainKey.created_at, ChainKey.id))
    return [KeyView(*row) for row in rows]


def disable_key(ctx: Context, chain_id: UUID, key_id: UUID) -> None:
    """Have the key open nothing from now on; once more does nothing.

    Raises:
        NotFound: it is no key of this chain.
        Conflict: it is the last one that opens anything.
    """
    known = {key.id: key for key in listing_keys(ctx, chain_id)}
    if key_id not in known:
        raise NotFound(NOT_FOUND)
    active = [key.id for key in known.values() if key.disabled_at is None]
    if active == [key_id]:
        raise Conflict("bindings: the last active key cannot be disabled")
    if known[key_id].disabled_at is None:
        ctx.session.execute(update(ChainKey).where(ChainKey.id == key_id).values(disabled_at=now()))
