"""The figures of a user's profile."""

from dataclasses import dataclass

from app.context import Context
from app.services import apps, listings, scopes
from app.services.apps import AppView
from app.services.views import Window

ALL_APPS = Window(limit=10_000)


@dataclass(frozen=True, slots=True)
class Stats:
    """Memories that are not deleted, and the apps."""

    total_memories: int
    total_apps: int
    apps: list[AppView]


def get(ctx: Context, user_id: str | None) -> Stats:
    """The figures of the scope's owner (of everybody for an admin who names none)."""
    scope = scopes.resolve(ctx, user_id)
    listing = apps.of_scope(ctx, scope, ALL_APPS)
    memories = listings.tallied(ctx, scope.owner_id, scopes.GOVERNED)
    return Stats(memories, listing.total, listing.items)
