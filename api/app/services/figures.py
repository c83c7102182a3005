"""Figures of the whole server, for its admin: what this process has answered, and how much is kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from app.context import Context
from app.measures import Answered
from app.models import MemoryTally, User
from app.services import accounts


@dataclass(frozen=True, slots=True)
class Figures:
    """What was answered, and how many memories (by state) and users there are."""

    answered: Answered
    memories: Mapping[str, int]
    users: int


def get(ctx: Context) -> Figures:
    """The figures. Two statements.

    Raises:
        Forbidden: no admin asks.
    """
    accounts.require(ctx.caller, "admin")
    users = ctx.session.scalar(select(func.count()).select_from(User)) or 0
    return Figures(ctx.runtime.measures.summary(), _memories(ctx), users)


def text(ctx: Context) -> bytes:
    """The same in Prometheus's text format.

    Raises:
        Forbidden: no admin asks.
    """
    accounts.require(ctx.caller, "admin")
    return ctx.runtime.measures.text(_memories(ctx))


def _memories(ctx: Context) -> dict[str, int]:
    kept = select(MemoryTally.state, func.sum(MemoryTally.count)).group_by(MemoryTally.state)
    return {state: int(count) for state, count in ctx.rows(kept)}
