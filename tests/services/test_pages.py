"""Deep pages: where pages began is remembered, and must be forgotten when memories come, go or move."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, insert, select, update

from app import bookmarks
from app.context import Context, Runtime
from app.database import now
from app.models import App, Memory, State
from app.services import listings, memories, pages, states
from app.services.drafts import content_hash, draft
from app.services.views import Window
from tests.conftest import AsCaller


def add(c: Context, count: int) -> None:
    memories.add(c, None, [draft(f"note {number}") for number in range(count)], app=None, infer=False)


def listed(ctx: AsCaller, offset: int, direction: listings.Direction) -> list[str]:
    with ctx() as c:
        page = listings.shown(c, Window(7, offset), user_id=c.caller.name, direction=direction)
    return [str(view.id) for view in page.items]


def truth(runtime: Runtime, offset: int, direction: listings.Direction) -> list[str]:
    with runtime.database.reading() as session:
        rows = session.execute(select(Memory.created_at, Memory.id).where(Memory.state == State.active)).all()
    return [str(id) for _, id in sorted(rows, reverse=direction == "desc")][offset : offset + 7]


def a_step(chance: random.Random, c: Context, ids: list[UUID]) -> None:
    """Something that moves memories, or does not."""
    some = chance.sample(ids, min(3, len(ids)))
    act = "add" if len(ids) < 10 else chance.choice(["add", "delete", "pause", "date", "edit", "nothing"])
    if act == "add":
        add(c, 3)
    elif act == "delete":
        states.set_many(c, some, State.deleted)
    elif act == "pause":
        states.set_many(c, some, chance.choice([State.paused, State.active]))
    elif act == "date":
        earlier = now() - timedelta(days=chance.randint(1, 9))
        c.session.execute(update(Memory).where(Memory.id.in_(some)).values(created_at=earlier))
    elif act == "edit":
        memories.edit(c, ids[0], f"edited {chance.random()}")


@pytest.mark.parametrize("seed", range(3))
def test_whatever_moves_the_pages_are_right(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(pages, "FAR", 1)
    monkeypatch.setattr(bookmarks, "MAX_MARKS", 5)
    chance = random.Random(seed)
    with ctx(writing=True) as c:
        add(c, 40)
    for _ in range(40):
        with ctx(writing=True) as c:
            ids = list(c.session.scalars(select(Memory.id).where(Memory.state == State.active)))
            a_step(chance, c, ids)
        for _ in range(5):
            offset, direction = chance.randint(1, 45), chance.choice(["asc", "desc"])
            assert listed(ctx, offset, direction) == truth(runtime, offset, direction)


def test_a_page_far_away_is_not_counted_from_the_beginning_twice(ctx: AsCaller, runtime: Runtime) -> None:
    with ctx(writing=True) as c:
        add(c, 1)
        owner, app = c.caller.user_id, c.session.scalar(select(App.id))
        start = now() - timedelta(days=30)
        rows = [
            {"user_id": owner, "app_id": app, "content": f"{n}", "content_hash": content_hash(f"{n}"),
             "created_at": start + timedelta(seconds=n), "indexed_at": start}
            for n in range(600)
        ]  # fmt: skip
        c.session.execute(insert(Memory), rows)

    seen: list[int] = []

    @event.listens_for(runtime.database.engine, "before_cursor_execute")
    def note(*arguments: Any) -> None:
        values = arguments[4].compiled_parameters[0] if arguments[4] and arguments[4].compiled else {}
        seen.extend([values["offset"]] if "offset" in values else [])

    def passed(offset: int) -> int:
        """The rows that the statement of the page passes over."""
        seen.clear()
        listed(ctx, offset, "desc")
        (rows,) = seen
        return rows

    assert passed(500) == 500
    assert passed(500) == 0
    assert passed(507) == 1
    assert passed(590) == 77
    with ctx(writing=True) as c:
        add(c, 1)
    assert passed(500) == 500
