"""Statements that are prepared give what SQLAlchemy gives, in the same transactions, with the same errors."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import bindparam, event, func, select, text, update
from sqlalchemy.exc import DBAPIError

from app.context import Context, Runtime
from app.database import now
from app.models import Memory
from app.prepared import Prepared
from app.services import memories, scopes, views
from app.services.drafts import draft
from tests.conftest import AsCaller

THESE = select(
    Memory.id, Memory.content, Memory.metadata_, Memory.tags, Memory.occurred_at, Memory.expires_at, Memory.version
).where(Memory.id.in_(bindparam("ids", expanding=True)), Memory.content != bindparam("but"), scopes.unexpired(None))
PREPARED = Prepared(THESE.order_by(Memory.content))
COUNT = Prepared(select(func.count()).select_from(Memory))


def stored(c: Context, *contents: str) -> list[UUID]:
    metadata = {"date": "8 May 2023", "n": [1, {"ü": None}]}
    drafts = [draft(content, metadata) for content in contents]
    return [view.id for view in memories.add(c, None, drafts, app=None, infer=False).memories]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 9])
def test_the_same_rows_for_a_list_of_any_length(ctx: AsCaller, count: int) -> None:
    with ctx(writing=True) as c:
        ids = stored(c, *(f"Ann bought {n} lemons." for n in range(9)))[:count]
        values = {"ids": [*ids, uuid4()] if count == 3 else ids, "but": "Ann bought 1 lemons."}
        expected = [tuple(row) for row in c.rows(PREPARED.statement, values)]
        assert [tuple(row) for row in c.asked(PREPARED, values)] == expected
        assert len(expected) == max(0, count - (count > 1))


def test_what_is_asked_at_the_time_is_asked_each_time(ctx: AsCaller) -> None:
    with ctx(writing=True) as c:
        ids = stored(c, "Ann bought lemons.")
        assert len(c.asked(PREPARED, {"ids": ids, "but": ""})) == 1
        c.session.execute(update(Memory).values(expires_at=now() - timedelta(microseconds=1)))
        assert c.asked(PREPARED, {"ids": ids, "but": ""}) == []


def test_memories_are_shown_as_any_statement_has_them(ctx: AsCaller) -> None:
    with ctx(writing=True) as c:
        ids = [*reversed(stored(c, "Ann bought lemons.", "Bo sold a boat.", "Cy sings.")), uuid4()]
        for statement in (views.FETCHED, views.OF_THESE):
            shown = views.pick(c, statement, [*ids, ids[0]], {})
            assert [(view.id, view.content) for view in shown] == [
                (ids[0], "Cy sings."),
                (ids[1], "Bo sold a boat."),
                (ids[2], "Ann bought lemons."),
            ]


def test_alone_it_opens_no_transaction_and_within_one_it_sees_what_was_written(ctx: AsCaller) -> None:
    with ctx() as c:
        assert c.asked(COUNT, {}, alone=True)[0][0] == 0
        assert not c.session.in_transaction()
        assert c.asked(COUNT, {})[0][0] == 0
        assert c.session.in_transaction()
    with ctx(writing=True) as c:
        stored(c, "Ann bought lemons.")
        assert c.asked(COUNT, {}, alone=True)[0][0] == 1
        assert c.session.in_transaction()


def test_a_failure_is_one_of_sqlalchemys(ctx: AsCaller) -> None:
    broken = Prepared(select(Memory.id).where(text("no_such_column = 1")))
    with ctx() as c, pytest.raises(DBAPIError, match="no_such_column"):
        c.asked(broken, {}, alone=True)


def test_who_listens_to_statements_hears_of_it(ctx: AsCaller, runtime: Runtime) -> None:
    heard: list[str] = []

    def note(*arguments: object) -> None:
        heard.append(str(arguments[2]))

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    with ctx() as c:
        c.asked(COUNT, {}, alone=True)
        c.asked(COUNT, {})
    event.remove(runtime.database.engine, "before_cursor_execute", note)
    assert sum("FROM memories" in one for one in heard) == 2
