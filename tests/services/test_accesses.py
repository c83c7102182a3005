"""Reads are noted in one row each and spread over the log, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from app.context import Runtime
from app.database import new_id, now
from app.models import AccessBatch, AccessLog, App, AppAccess, Memory, User
from app.services import accesses
from app.settings import Settings
from tests.conftest import migrate
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path, settings: Settings) -> Iterator[Runtime]:
    """A runtime without an engine on either database."""
    url = settings.url
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.create()
        migrate(url)
    runtime = Runtime(Settings(_env_file=None, data_dir=tmp_path, database_url=url))  # type: ignore[call-arg]
    yield runtime
    runtime.close()


def test_each_read_becomes_a_row_a_memory_and_is_counted(bare: Runtime) -> None:
    with bare.database.transaction() as session:
        user = User(user_id="ann")
        session.add(user)
        session.flush()
        app = App(owner_id=user.id, name="one")
        session.add(app)
        session.flush()
        ids = [new_id() for _ in range(3)]
        rows = [{"id": id, "user_id": user.id, "app_id": app.id, "content": "x", "content_hash": "x"} for id in ids]
        session.execute(insert(Memory), rows)
        shown = [[ids[0].hex], [id.hex for id in ids], [new_id().hex]]  # the last was purged meanwhile
        noted = [
            {"app_id": app.id, "access_type": "list", "accessed_at": now(), "memory_ids": one, "metadata_": {"n": n}}
            for n, one in enumerate(shown)
        ]
        session.execute(insert(AccessBatch), noted)
        session.execute(update(App).values(updated_at=now()))
    accesses.spread(bare)
    accesses.spread(bare)
    with bare.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AccessBatch)) == 0
        logged = session.execute(select(AccessLog.memory_id, AccessLog.metadata_)).all()
        assert sorted((row.memory_id, row.metadata_["n"]) for row in logged) == sorted(
            [(ids[0], 0), *((id, 1) for id in ids)]
        )
        counts = dict(session.execute(select(AppAccess.memory_id, AppAccess.access_count)).all())
        assert counts == {ids[0]: 2, ids[1]: 1, ids[2]: 1}
        assert session.scalars(select(App.accessed_count)).one() == 3
