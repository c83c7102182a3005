"""Retention rules: what they archive, what they leave, and that the worker and the preview agree; on both databases."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from app.context import Runtime
from app.database import new_id, now
from app.errors import Forbidden, Invalid
from app.models import (
    AccessBatch,
    App,
    Category,
    Config,
    Event,
    Memory,
    MemoryVersion,
    State,
    StatusChange,
    User,
    memory_categories,
)
from app.services import accounts, chores, config_rules, expiry, retention, scopes, undo
from tests.conftest import AsCaller

DAY = timedelta(days=1)


class House:
    """Memories of one owner, of whatever age."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.when = now()
        with runtime.database.transaction() as session:
            self.owner = session.scalars(select(User.id)).one()
            self.apps = {name: self._app(session, name) for name in ("cursor", "notes")}

    def _app(self, session: Any, name: str) -> UUID:
        app = App(owner_id=self.owner, name=name)
        session.add(app)
        session.flush()
        return app.id

    def add(self, content: str, days: float, **fields: Any) -> UUID:
        """A memory that was made and last changed so many days ago."""
        made = self.when - days * DAY
        id, app = new_id(), self.apps[fields.pop("app", "notes")]
        row = {"id": id, "user_id": self.owner, "app_id": app, "content": content, "content_hash": content}
        with self.runtime.database.transaction() as session:
            session.execute(insert(Memory), [{**row, "created_at": made, "updated_at": made, **fields}])
            version = {"memory_id": id, "version": 1, "event": "ADD", "content": content, "state": "active"}
            session.execute(insert(MemoryVersion), [version])
        return id

    def read(self, id: UUID, days: float) -> None:
        """It was shown so many days ago; nobody has spread that yet."""
        with self.runtime.database.transaction() as session:
            noted = {"app_id": self.apps["cursor"], "access_type": "list", "accessed_at": self.when - days * DAY}
            session.execute(insert(AccessBatch), [{**noted, "memory_ids": [id.hex]}])

    def categorise(self, id: UUID, name: str) -> None:
        """It is about that."""
        with self.runtime.database.transaction() as session:
            category = Category(user_id=self.owner, name=name)
            session.add(category)
            session.flush()
            session.execute(insert(memory_categories), [{"memory_id": id, "category_id": category.id}])

    def rule(self, *rules: Mapping[str, Any]) -> None:
        """Have these be the rules."""
        stored = {"openmemory": {"retention": [{"name": "rule", **rule} for rule in rules]}}
        with self.runtime.database.transaction() as session:
            session.merge(Config(key="main", value=stored))

    def states(self) -> dict[str, str]:
        """The state of each memory by its text."""
        with self.runtime.database.reading() as session:
            return {row.content: row.state for row in session.execute(select(Memory.content, Memory.state))}

    def archived(self) -> set[str]:
        """What has been archived."""
        return {content for content, state in self.states().items() if state == State.archived}

    def sweep(self) -> int:
        """The worker's turn, an hour later than the last."""
        with self.runtime.database.transaction() as session:
            session.merge(Config(key=retention.KEY, value={"ran_at": chores.NEVER.isoformat()}))
        return retention.sweep(self.runtime)

    def preview(self) -> dict[str, tuple[int, list[str]]]:
        """Of each rule the number, and what it shows."""
        with self.runtime.context(accounts.admin(self.runtime)) as ctx:
            return {due.rule: (due.count, [one.content for one in due.memories]) for due in retention.preview(ctx)}


@pytest.fixture
def house(bare: Runtime) -> House:
    """An owner with two apps."""
    return House(bare)


def test_age_is_counted_from_the_creation(house: House) -> None:
    house.add("old", 10.01)
    house.add("young", 9.99)
    house.add("pinned", 100, memory_type="pinned")
    house.add("paused", 100, state="paused")
    house.add("deleted", 100, state="deleted")
    house.rule({"archive_after_days": 10})
    assert house.preview() == {"rule": (1, ["old"])}
    assert house.archived() == set(), "a preview changes nothing"
    assert house.sweep() == 1
    assert house.archived() == {"old"}
    assert house.preview() == {"rule": (0, [])}
    assert house.sweep() == 0


def test_access_is_counted_from_the_last_read_or_change(house: House) -> None:
    house.add("never read", 30)
    house.read(house.add("read long ago", 30), 10.01)
    house.read(house.add("read lately", 30), 9.99)
    house.add("changed lately", 30, updated_at=now() - DAY)
    house.add("young", 5)
    house.rule({"archive_after_days_without_access": 10})
    assert house.preview() == {"rule": (2, ["never read", "read long ago"])}
    assert house.sweep() == 2
    assert house.archived() == {"never read", "read long ago"}


def test_all_that_a_rule_names_must_hold(house: House) -> None:
    house.add("a", 50, app="cursor")
    house.read(house.add("b", 50, app="cursor"), 1)
    house.add("c", 50, app="notes")
    house.add("d", 15, app="cursor")
    house.rule({"app": "cursor", "archive_after_days": 20, "archive_after_days_without_access": 10})
    house.sweep()
    assert house.archived() == {"a"}


def test_a_rule_may_be_for_a_category(house: House) -> None:
    house.categorise(house.add("a trip", 50), "travel")
    house.categorise(house.add("a fee", 50), "finance")
    house.rule(
        {"name": "trips", "category": "travel", "archive_after_days": 10},
        {"name": "nothing", "category": "none such", "archive_after_days": 1},
    )
    assert house.preview() == {"trips": (1, ["a trip"]), "nothing": (0, [])}
    house.sweep()
    assert house.archived() == {"a trip"}


def test_each_batch_leaves_a_receipt_and_the_history_says_who(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "BATCH", 2)
    ids = [house.add(f"note {number}", 50) for number in range(5)]
    house.rule({"name": "half a month", "archive_after_days": 15})
    assert house.sweep() == 5
    with house.runtime.database.reading() as session:
        receipts = session.scalars(select(Event).where(Event.kind == "ARCHIVE")).all()
        assert sorted(len(receipt.results) for receipt in receipts) == [1, 2, 2]
        named = {result["id"]: result for receipt in receipts for result in receipt.results}
        assert named.keys() == {str(id) for id in ids}
        assert named[str(ids[0])] == {
            "id": str(ids[0]), "event": "ARCHIVE", "version": 2, "reason": "retention: half a month"
        }  # fmt: skip
        version = session.scalars(select(MemoryVersion).where(MemoryVersion.memory_id == ids[0])).all()[-1]
        step = session.scalars(select(StatusChange).where(StatusChange.memory_id == ids[0])).one()
        assert (version.event, version.version, version.changed_by) == ("ARCHIVE", 2, None)
        assert (step.old_state, step.new_state, step.changed_by) == ("active", "archived", None)


@pytest.mark.parametrize("rule", [{"archive_after_days": 15}, {"archive_after_days_without_access": 15}])
def test_what_is_taken_back_is_not_archived_again(house: House, rule: dict[str, int]) -> None:
    house.add("note", 50)
    house.rule(rule)
    assert house.sweep() == 1
    with house.runtime.context(accounts.admin(house.runtime), writing=True) as ctx:
        receipt = ctx.session.scalars(select(Event.id).where(Event.kind == "ARCHIVE")).one()
        undo.undo(ctx, receipt)
    assert house.states() == {"note": "active"}
    assert house.preview() == {"rule": (0, [])}
    assert house.sweep() == 0


def test_the_worker_does_it_once_an_hour(house: House) -> None:
    house.rule({"archive_after_days": 15})
    house.sweep()
    house.add("note", 50)
    assert retention.sweep(house.runtime) == 0
    assert house.sweep() == 1


def test_a_run_at_once_says_whether_there_is_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for number in range(3):
        house.add(f"note {number}", 50)
    house.rule({"name": "one", "archive_after_days": 15}, {"name": "two", "archive_after_days": 10})
    admin = accounts.admin(house.runtime)
    ran = []
    for _ in range(2):
        with house.runtime.context(admin, writing=True) as ctx:
            ran.append(retention.run(ctx))
    assert [(one.archived, one.is_done) for one in ran] == [({"one": 2, "two": 0}, False), ({"one": 1, "two": 0}, True)]


def test_rules_are_the_admins(ctx: AsCaller, runtime: Runtime) -> None:
    caller = accounts.admin(runtime)
    person = type(caller)(caller.user_id, "ann", None, frozenset({"read", "write"}))
    for verb in (retention.preview, retention.run):
        with pytest.raises(Forbidden), ctx(person, writing=True) as c:
            verb(c)


@pytest.mark.parametrize(
    "rules",
    [
        [{"name": "x"}],
        [{"name": "", "archive_after_days": 1}],
        [{"archive_after_days": 1}],
        [{"name": "x", "archive_after_days": 0}],
        [{"name": "x", "archive_after_days": 40_000}],
        [{"name": "x", "archive_after_days": "1"}],
        [{"name": "x", "archive_after_days": 1, "what": 1}],
        [{"name": "x", "archive_after_days": 1}] * 2,
        [{"name": str(number), "archive_after_days": 1} for number in range(21)],
        {"name": "x", "archive_after_days": 1},
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: Any, runtime: Runtime) -> None:
    config = config_rules.defaults()
    config["openmemory"]["retention"] = rules
    with pytest.raises(Invalid, match="retention"):
        config_rules.check(config, runtime.engine.providers())


# -- expiry ------------------------------------------------------------------------------------------------------------


def expired(house: House, when: datetime) -> set[str]:
    """What every query hides at that time."""
    with house.runtime.database.reading() as session:
        query = select(Memory.content).where(scopes.is_expired(Memory, None))
        return set(session.scalars(query, {"now": when}))


def test_a_memory_is_hidden_from_the_moment_it_expires(house: House) -> None:
    end = house.when + DAY
    house.add("note", 1, expires_at=end)
    instant = timedelta(microseconds=1)
    assert [expired(house, when) for when in (end - instant, end, end + instant)] == [set(), {"note"}, {"note"}]


def test_the_worker_deletes_what_has_expired(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "BATCH", 2)
    late = [house.add(f"late {number}", 9, expires_at=house.when - number * DAY) for number in range(5)]
    house.add("paused", 9, expires_at=house.when - DAY, state="paused")
    house.add("later", 9, expires_at=house.when + DAY)
    house.add("never", 9)
    assert expiry.expire(house.runtime) == 6
    assert expiry.expire(house.runtime) == 0
    states = house.states()
    assert {content for content, state in states.items() if state != "deleted"} == {"later", "never"}
    with house.runtime.database.reading() as session:
        version = session.scalars(select(MemoryVersion).where(MemoryVersion.memory_id == late[1])).all()[-1]
        assert (version.event, version.state, version.changed_by) == ("EXPIRE", "deleted", None)
        assert version.expires_at == house.when - DAY
        assert session.get_one(Memory, late[1]).expires_at is None
        receipts = session.scalars(select(Event).where(Event.kind == "EXPIRE")).all()
        assert sum(len(receipt.results) for receipt in receipts) == 6


def test_an_expiry_can_be_undone_and_the_memory_stays(house: House) -> None:
    house.add("note", 9, expires_at=house.when - DAY)
    expiry.expire(house.runtime)
    with house.runtime.context(accounts.admin(house.runtime), writing=True) as ctx:
        undo.undo(ctx, ctx.session.scalars(select(Event.id)).one())
    assert (house.states(), expired(house, now()), expiry.expire(house.runtime)) == ({"note": "active"}, set(), 0)
