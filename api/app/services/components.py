"""What the server is made of, and whether each part answers now, and how soon."""

import time
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from app.context import Context
from app.engine.late import Question
from app.errors import Unavailable

ASKED = "Is anybody there?"

Condition = Literal["ok", "loading", "down", "off"]


@dataclass(frozen=True, slots=True)
class Component:
    """A part. `latency` is in milliseconds, measured now; of the LLM, which costs, that of its last answer.

    `name` is the model's, for admins.
    """

    state: Condition
    latency: float | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Components:
    """The parts; `uptime` in seconds."""

    uptime: float
    parts: dict[str, Component]

    @property
    def are_well(self) -> bool:
        """Whether nothing is down that is meant to be there."""
        return all(part.state in ("ok", "off") for part in self.parts.values())


def status(ctx: Context) -> Components:
    """Each part, asked now. One statement, one embedding, one search of the caller's vectors."""
    parts = {"database": _database(ctx)}
    ctx.release()
    embedder, question = _embedder(ctx)
    parts |= {"vector_store": _vector_store(ctx, question), "embedder": embedder, "llm": _llm(ctx)}
    return Components(ctx.runtime.measures.uptime, parts | {"rate_limits": _limiter(ctx)})


def _since(started: float) -> float:
    return round(1000 * (time.perf_counter() - started), 3)


def _database(ctx: Context) -> Component:
    started = time.perf_counter()
    ctx.rows(select(1))
    return Component("ok", _since(started), _told(ctx, "sqlite" if ctx.runtime.database.is_sqlite else "postgresql"))


def _embedder(ctx: Context) -> tuple[Component, Question | None]:
    if not ctx.engine.is_ready:
        return Component("loading" if ctx.engine.failure is None else "down"), None
    started = time.perf_counter()
    question = ctx.engine.embed_query(ASKED)
    if question is None:
        return Component("down"), None
    return Component("ok", _since(started), _told(ctx, ctx.engine.index.model)), question


def _vector_store(ctx: Context, question: Question | None) -> Component:
    if not ctx.engine.is_ready:
        return Component("loading" if ctx.engine.failure is None else "down")
    started = time.perf_counter()
    try:
        ctx.engine.index.check()
        if question is not None:
            ctx.engine.index.rank(ctx.caller.user_id, ASKED, question, "vector", 1)
    except Unavailable:
        return Component("down")
    return Component("ok", _since(started))


def _llm(ctx: Context) -> Component:
    chosen = ctx.engine.in_use
    if chosen.failure is not None:
        return Component("down")
    if chosen.llm is None:
        return Component("off")
    took = chosen.llm.took
    return Component("ok", None if took is None else round(1000 * took, 3), _told(ctx, chosen.llm.name))


def _limiter(ctx: Context) -> Component:
    is_shared = ctx.runtime.limiter.is_shared
    return Component("down" if is_shared is False else "ok", None, _told(ctx, "redis" if is_shared else "memory"))


def _told(ctx: Context, name: str) -> str | None:
    return name if ctx.caller.is_admin else None
