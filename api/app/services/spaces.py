"""Spaces: what a mem9 key opens. A space is a user of ours and its key an API key of theirs; a chain opens several.

Of an unknown key, an unknown chain and a revoked key a protocol may want to say different things: `standing` tells.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import func, select

from app.context import Caller, Context, Runtime
from app.database import now
from app.errors import Forbidden, Invalid, RateLimited, Unauthenticated
from app.models import ApiKey, SpaceChain
from app.services import accounts, credentials, keys, space_chains, users
from app.services.space_chains import SCOPES, Source

APP = "mem9"  # the app of a client that does not say who it is
LABEL = "mem9 space"
WINDOW = timedelta(hours=1)
MISSING, INVALID = "missing API key", "invalid API key"
CLOSED = "The key that let this space into the chain does not open it any more"
NO_PROVISIONING = "provisioning not configured"


class Standing(StrEnum):
    """What is known of a key."""

    missing = "missing"
    unknown = "unknown"
    inactive = "inactive"
    active = "active"


@dataclass(frozen=True, slots=True)
class Node:
    """One space as one caller reads and writes it; `source` is its place in a chain, if it is in one."""

    caller: Caller
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """What a key opens: one space or, by a chain's key, several in their order. `agent` is who says to be asking."""

    nodes: Sequence[Node]
    agent: str | None = None

    def app(self, caller: Caller) -> str:
        """The app that the agent is in a caller's space: a key that is bound to one stays there."""
        return caller.app or self.agent or APP

    def each(self, ctx: Context) -> Iterator[tuple[Context, Node]]:
        """Its spaces, each with a Context in which it may be read."""
        return ((ctx.acting_as(node.caller), node) for node in self.nodes)


def enter(runtime: Runtime, shown: str | None, agent: str | None, scope: str) -> Space:
    """What the key opens, for an agent that wants to `read` or to `write`.

    Raises:
        Unauthenticated: there is no key, or it opens nothing.
        Forbidden: it does not open it for that.
        Invalid: nobody can have the agent's name, or the chain is empty.
    """
    name = None if agent is None else accounts.check_name(agent)
    if shown is not None and space_chains.is_key(shown):
        return Space(_nodes(runtime, shown, scope), name)
    try:
        caller = accounts.authenticate(runtime, shown)
    except Unauthenticated:
        raise Unauthenticated(INVALID if shown else MISSING) from None
    accounts.require(caller, scope)
    return Space((Node(caller),), name)


def _nodes(runtime: Runtime, shown: str, scope: str) -> list[Node]:
    opened = space_chains.enter(runtime, shown)
    if opened is None:
        raise Unauthenticated(INVALID)
    if not opened:
        raise Invalid("Space Chain has no nodes.")
    nodes = [Node(caller, source) for source, caller in opened if caller is not None]
    if not nodes or scope not in SCOPES:
        raise Forbidden(CLOSED)
    return nodes


def writer(ctx: Context, space: Space) -> Context:
    """A Context in which the space may be written to that new memories go to: the first one of a chain.

    Raises:
        Forbidden: it may not, or it is closed: what was meant for it must not land in another one.
    """
    node = space.nodes[0]
    if node.source is not None and node.source.position > 0:
        raise Forbidden(CLOSED)
    accounts.require(node.caller, "write")
    return ctx.acting_as(node.caller)


def standing(runtime: Runtime, shown: str | None) -> Standing:
    """What is known of a key, whatever AUTH_MODE says."""
    if not shown:
        return Standing.missing
    if space_chains.is_key(shown):
        is_active = space_chains.is_active(runtime, shown)
    elif accounts.identify(runtime, shown) is not None:
        is_active = True
    else:
        with runtime.database.reading() as session:
            known = session.scalar(select(ApiKey.id).where(ApiKey.key_hash == credentials.digest(shown)))
        is_active = None if known is None else False
    if is_active is None:
        return Standing.unknown
    return Standing.active if is_active else Standing.inactive


def provisioner(runtime: Runtime, shown: str | None) -> Caller:
    """As whom spaces and chains are made by whoever shows this.

    Raises:
        Invalid: nobody may.
        Unauthenticated, Forbidden: only an admin may, and this is none.
    """
    policy = runtime.settings.provisioning
    if policy == "off":
        raise Invalid(NO_PROVISIONING)
    if policy == "open":
        return accounts.admin(runtime)
    caller = enter(runtime, shown, None, "admin").nodes[0].caller
    accounts.require_unbound(caller)
    return caller


def provision(ctx: Context) -> str:
    """Make a space; its key, shown this once.

    Raises:
        RateLimited: everybody may, and too many did within the hour.
    """
    check_rate(ctx)
    user_id = f"space-{secrets.token_hex(8)}"
    users.create(ctx, user_id)
    return keys.create(ctx, LABEL, user_id=user_id).secret


def check_rate(ctx: Context) -> None:
    """Pass unless everybody may make spaces, and too many did within the hour; on all servers of the database.

    Raises:
        RateLimited: too many.
    """
    if ctx.settings.provisioning != "open":
        return
    since = now() - WINDOW
    spaces = select(func.count()).select_from(ApiKey).where(ApiKey.label == LABEL, ApiKey.created_at > since)
    made = select(func.count()).select_from(SpaceChain).where(SpaceChain.created_at > since)
    count = ctx.session.scalar(select(spaces.scalar_subquery() + made.scalar_subquery())) or 0
    if count >= ctx.settings.mem9_provisions_per_hour:
        raise RateLimited("rate limit exceeded", WINDOW.total_seconds())
