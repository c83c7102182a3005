"""Users as mem0-local's door names them: a name is a label, so who is unknown has nothing, and is no error."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.context import Context
from app.errors import NotFound
from app.models import App, Memory
from app.services import accounts, scopes
from app.services.selections import Selection


@dataclass(frozen=True, slots=True)
class Figures:
    """How many memories the reading app sees of a user, by the app that wrote them, and from when to when."""

    total: int
    by_app: dict[str, int]
    first_created_at: datetime | None
    last_created_at: datetime | None


def of(ctx: Context, user_id: str | None) -> Selection:
    """All that is a user's: DEFAULT_USER_ID's, or the key's own, where none is named."""
    return Selection((user_id or accounts.default_owner(ctx),), {})


def figures(ctx: Context, user_id: str) -> Figures:
    """The figures of what the reading app may see. Two statements."""
    try:
        scope = scopes.resolve(ctx, user_id)
    except NotFound:
        return Figures(0, {}, None, None)
    apps = select(App.name, func.count(), func.min(Memory.created_at), func.max(Memory.created_at))
    seen = apps.join(Memory, Memory.app_id == App.id).where(*scopes.visible(scope))
    rows = ctx.rows(seen.group_by(App.name).order_by(App.name))
    firsts, lasts = [row[2] for row in rows], [row[3] for row in rows]
    counts = {row[0]: row[1] for row in rows}
    return Figures(sum(counts.values()), counts, min(firsts, default=None), max(lasts, default=None))


@contextmanager
def called(name: str) -> Iterator[None]:
    """Have what is not found called what the door calls it."""
    try:
        yield
    except NotFound:
        raise NotFound(f"{name} not found") from None
