"""Clients that register themselves by OAuth. Anybody may, so what nobody granted anything is forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.context import Runtime
from app.database import now
from app.errors import Invalid, RateLimited
from app.models import Grant, OAuthClient
from app.services import accounts, credentials

UNUSED = timedelta(days=1)
MOST_UNUSED = 1_000
RETRY = 3600  # seconds
UNNAMED = "MCP client"
MAX_METADATA = 16_384  # characters as JSON


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client; `secret` is what it has to show if it did not register as a public one."""

    id: UUID
    name: str
    metadata: Mapping[str, Any]
    secret: str


def register(runtime: Runtime, id: UUID, name: str | None, metadata: Mapping[str, Any]) -> Client:
    """Keep a new client.

    Raises:
        Invalid: its name cannot be an app's.
        RateLimited: too many wait for somebody's consent.
    """
    shown = accounts.check_name((name or "").strip()[: accounts.MAX_NAME] or UNNAMED)
    if not shown.isprintable():
        raise Invalid("The client's name has control characters")
    if len(str(metadata)) > MAX_METADATA:
        raise Invalid("The client says too much of itself")
    with runtime.database.transaction() as session:
        _forget_unused(session)
        session.add(OAuthClient(id=id, name=shown, metadata_=dict(metadata)))
    return Client(id, shown, metadata, secret(runtime, id))


def _forget_unused(session: Session) -> None:
    unused = OAuthClient.id.not_in(select(Grant.client_id))
    session.execute(
        delete(OAuthClient)
        .where(OAuthClient.created_at < now() - UNUSED, unused)
        .execution_options(synchronize_session=False)
    )
    waiting = session.scalar(select(func.count()).select_from(OAuthClient).where(unused)) or 0
    if waiting >= MOST_UNUSED:
        raise RateLimited("Too many clients wait for a consent; try again later", RETRY)


def get(runtime: Runtime, client_id: str) -> Client | None:
    """The client of that id."""
    try:
        id = UUID(client_id)
    except ValueError:
        return None
    with runtime.database.reading() as session:
        row = session.execute(
            select(OAuthClient.id, OAuthClient.name, OAuthClient.metadata_).where(OAuthClient.id == id)
        ).first()
    return None if row is None else Client(*row, secret(runtime, id))


def secret(runtime: Runtime, id: UUID) -> str:
    """The client's secret."""
    return credentials.derived("oauth client", id, runtime.settings.signing_key)
