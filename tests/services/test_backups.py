"""Backups: what goes out comes back, what is not a backup changes nothing, and size costs time but not memory."""

import gzip
import io
import json
import random
import shutil
import stat
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, insert, select, update

from app.context import Caller, Runtime
from app.database import Base, new_id, now
from app.engine.engine import Built
from app.errors import CommonplaceError, Forbidden, Invalid, NotFound, TooLarge
from app.models import (
    AccessControl,
    App,
    Category,
    Memory,
    MemoryVersion,
    State,
    StatusChange,
    User,
    memory_categories,
)
from app.services import accounts, backups, drafts
from app.services.backups import archive, importing
from app.settings import Settings
from tests.conftest import ADMIN_KEY, engine_for, migrate
from tests.postgres import Postgres

Servers = Callable[[], Runtime]
T0 = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def servers(template: Path, built: Built, tmp_path: Path) -> Iterator[Servers]:
    """A maker of empty servers, each with a database of its own."""
    made: list[Runtime] = []

    def make() -> Runtime:
        folder = tmp_path / uuid4().hex
        folder.mkdir()
        shutil.copy(template, folder / "commonplace.db")
        url = f"sqlite:///{folder / 'commonplace.db'}"
        options = Settings(
            _env_file=None, data_dir=folder, database_url=url, admin_api_key=ADMIN_KEY, default_user_id="admin"
        )  # type: ignore[call-arg]
        runtime = Runtime(options)
        accounts.bootstrap(runtime)
        runtime.engine.use(engine_for(runtime, built))
        made.append(runtime)
        return runtime

    yield make
    for runtime in made:
        runtime.engine.index.close()
        runtime.close()


def admin_of(runtime: Runtime) -> Caller:
    return accounts.authenticate(runtime, ADMIN_KEY)


def export(runtime: Runtime, user_id: str = "alice", caller: Caller | None = None, **selection: Any) -> bytes:
    with runtime.context(caller or admin_of(runtime)) as ctx:
        pieces = backups.export(ctx, user_id, backups.Wanted(**selection))
    return b"".join(pieces)


def bring(
    runtime: Runtime, data: bytes, user_id: str = "alice", mode: str = "overwrite", caller: Caller | None = None
) -> backups.Imported:
    with runtime.context(caller or admin_of(runtime), writing=True) as ctx:
        return backups.import_file(ctx, io.BytesIO(data), user_id, mode)


def document(data: bytes) -> Any:
    return json.loads(zipfile.ZipFile(io.BytesIO(data)).read("memories.json"))


def packed(content: Any, lines: bytes | None = None, *, name: str = "memories.json") -> bytes:
    """A zip with this `memories.json`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
        zipped.writestr("memories.jsonl.gz", gzip.compress(b"") if lines is None else lines)
    return out.getvalue()


def memory(**fields: Any) -> dict[str, Any]:
    """A memory as the genuine exporter writes it."""
    return {
        "id": str(uuid4()),
        "user_id": str(uuid4()),
        "app_id": None,
        "content": "Anna likes tea",
        "metadata": {},
        "state": "active",
        "created_at": "2025-01-02T03:04:05+00:00",
        "updated_at": "2025-01-02T03:04:05+00:00",
        "archived_at": None,
        "deleted_at": None,
        "category_ids": [],
        **fields,
    }


def genuine(*memories: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """`memories.json` as the genuine exporter writes it."""
    return {
        "user": {"id": str(uuid4()), "user_id": "alice"},
        "apps": [],
        "categories": [],
        "memories": list(memories),
        "memory_categories": [],
        "status_history": [],
        "access_controls": [],
        "export_meta": {"version": "1"},
        **sections,
    }


def counts(runtime: Runtime) -> dict[str, int]:
    """How many rows every table has."""
    with runtime.database.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def rows(runtime: Runtime, user_id: str = "alice") -> list[Memory]:
    with runtime.database.reading() as session:
        query = select(Memory).join(User, User.id == Memory.user_id).where(User.user_id == user_id)
        return list(session.scalars(query.order_by(Memory.created_at, Memory.id)))


# --- what goes out comes back -------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40)
moments = st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1)).map(lambda when: when.replace(tzinfo=UTC))
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(texts, plain, max_size=3)
living = st.sampled_from([State.active, State.paused, State.archived])
memory_rows = st.fixed_dictionaries(
    {
        "content": texts,
        "metadata": objects,
        "state": living,
        "tags": st.lists(texts, max_size=3),
        "author": st.none() | texts,
        "run_id": st.none() | texts,
        "agent_id": st.none() | texts,
        "priority": st.none() | st.just("high"),
        "source": st.none() | texts,
        "memory_type": st.sampled_from(["insight", "pinned"]),
        "occurred_at": st.none() | moments,
        "created_at": moments,
        "updated_at": moments,
        "version": st.integers(1, 3),
    }
)
owners = st.fixed_dictionaries(
    {
        "memories": st.lists(memory_rows, max_size=6),
        "apps": st.lists(texts, min_size=1, max_size=3, unique=True),
        "categories": st.lists(texts, max_size=3, unique=True),
        "seed": st.integers(0, 2**32),
    }
)


def settle(runtime: Runtime, owner: dict[str, Any]) -> None:
    """Write the generated owner's rows, everything that can be drawn by lot by lot."""
    chance = random.Random(owner["seed"])
    with runtime.database.transaction() as session:
        user = User(user_id="alice", name="Alice", email="a@example.org", created_at=T0, updated_at=T0)
        session.add(user)
        session.flush()
        apps = [App(owner_id=user.id, name=name, is_active=chance.random() < 0.7) for name in owner["apps"]]
        topics = [Category(user_id=user.id, name=name, description="d") for name in owner["categories"]]
        session.add_all([*apps, *topics])
        session.flush()
        ids = [new_id() for _ in owner["memories"]]
        for id, fields in zip(ids, owner["memories"], strict=True):
            hashed = drafts.content_hash(fields["content"])
            app_id = chance.choice(apps).id
            session.execute(
                insert(Memory.__table__).values(id=id, user_id=user.id, app_id=app_id, content_hash=hashed, **fields)
            )
            for number in range(1, fields["version"] + 1):
                by = chance.choice([user.id, None])
                session.add(
                    MemoryVersion(
                        memory_id=id,
                        version=number,
                        event="ADD",
                        content=f"v{number}",
                        metadata_=fields["metadata"],
                        state="active",
                        changed_by=by,
                    )
                )
            session.add(StatusChange(memory_id=id, old_state="active", new_state=fields["state"], changed_by=user.id))
            for topic in topics:
                if chance.random() < 0.5:
                    session.execute(insert(memory_categories).values(memory_id=id, category_id=topic.id))
            session.add(
                AccessControl(subject_type="app", subject_id=app_id, object_type="memory", object_id=id, effect="deny")
            )
        session.add(AccessControl(subject_type="app", subject_id=apps[0].id, object_type="memory", effect="allow"))
        session.flush()
        for id in ids[1:]:
            session.execute(
                update(Memory).where(Memory.id == id).values(superseded_by=ids[0], updated_at=Memory.updated_at)
            )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(owner=owners)
def test_an_export_imported_into_an_empty_server_is_exported_again_the_same(
    servers: Servers, owner: dict[str, Any]
) -> None:
    one, other = servers(), servers()
    settle(one, owner)
    data = export(one)
    found = document(data)
    assert len(found["memories"]) == len(owner["memories"])
    assert len(found["memory_versions"]) == sum(fields["version"] for fields in owner["memories"])
    done = bring(other, data)
    assert done.imported == len(owner["memories"])
    assert export(other) == data
    before = counts(other)
    again = bring(other, data)
    assert (again.imported, again.updated, again.unchanged) == (0, 0, len(owner["memories"]))
    assert export(other) == data
    assert counts(other) == before


def test_the_same_content_gives_the_same_bytes(servers: Servers) -> None:
    runtime = servers()
    bring(runtime, packed(genuine(memory(), memory())))
    assert export(runtime) == export(runtime)


def test_the_lines_hold_a_plain_record_each(servers: Servers) -> None:
    runtime = servers()
    app, topic = str(uuid4()), str(uuid4())
    one = memory(app_id=app, category_ids=[topic], metadata={"a": "ü"})
    bring(
        runtime,
        packed(genuine(one, apps=[{"id": app, "name": "cursor"}], categories=[{"id": topic, "name": "drinks"}])),
    )
    packed_lines = zipfile.ZipFile(io.BytesIO(export(runtime))).read("memories.jsonl.gz")
    (line,) = gzip.decompress(packed_lines).splitlines()
    assert json.loads(line) == {
        "id": one["id"],
        "content": "Anna likes tea",
        "metadata": {"a": "ü"},
        "created_at": "2025-01-02T03:04:05+00:00",
        "updated_at": "2025-01-02T03:04:05+00:00",
        "state": "active",
        "app": "cursor",
        "categories": ["drinks"],
    }


def test_deleted_and_expired_memories_do_not_come_out(servers: Servers) -> None:
    runtime = servers()
    past = (now() - timedelta(days=1)).isoformat()
    kept = memory(state="archived", archived_at="2025-02-01T00:00:00")
    bring(runtime, packed(genuine(kept, memory(state="deleted"), memory(expires_at=past))))
    assert [found["id"] for found in document(export(runtime))["memories"]] == [kept["id"]]
    assert len(rows(runtime)) == 3


def test_what_metadata_alone_can_hold_does_not_prevent_the_export(servers: Servers) -> None:
    runtime = servers()
    bring(runtime, packed(genuine(memory())))
    with runtime.database.transaction() as session:
        session.execute(update(Memory).values(metadata_={"half": "\ud800", "large": 10**30}))
    assert document(export(runtime))["memories"][0]["metadata"] == {"half": "\ud800", "large": 10**30}


def test_an_export_can_be_narrowed_to_an_app_and_to_dates(servers: Servers) -> None:
    runtime = servers()
    apps = [{"id": str(uuid4()), "name": name} for name in ("one", "two")]
    topics = [{"id": str(uuid4()), "name": name} for name in ("x", "y")]
    old = memory(app_id=apps[0]["id"], created_at="2024-01-01T00:00:00", category_ids=[topics[0]["id"]])
    new = memory(app_id=apps[1]["id"], created_at="2025-01-01T00:00:00", category_ids=[topics[1]["id"]])
    bring(runtime, packed(genuine(old, new, apps=apps, categories=topics)))
    by_app = document(export(runtime, app_id=UUID(apps[0]["id"])))
    assert [found["id"] for found in by_app["memories"]] == [old["id"]]
    assert [found["name"] for found in by_app["apps"]] == ["one"]
    assert [found["name"] for found in by_app["categories"]] == ["x"]
    edge = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    assert [found["id"] for found in document(export(runtime, from_date=edge))["memories"]] == [new["id"]]
    assert [found["id"] for found in document(export(runtime, to_date=edge - 1))["memories"]] == [old["id"]]
    with pytest.raises(Invalid, match="from_date is after to_date"):
        export(runtime, from_date=2, to_date=1)
    with pytest.raises(NotFound, match="App not found"):
        export(runtime, app_id=uuid4())


# --- the genuine server's exports ---------------------------------------------------------------------------------


def test_a_genuine_export_brings_the_same_memories_apps_categories_states_and_dates(servers: Servers) -> None:
    runtime = servers()
    golden = Path(__file__).parents[1] / "protocols" / "golden" / "openmemory_export.json"
    content = json.loads(golden.read_text())
    done = bring(runtime, packed(golden.read_bytes()))
    assert (done.imported, done.apps, done.categories) == (4, 2, 2)
    names = {app["id"]: app["name"] for app in content["apps"]}
    found = {str(row.id): row for row in rows(runtime)}
    assert found.keys() == {said["id"] for said in content["memories"]}
    with runtime.database.reading() as session:
        apps = {app.id: app for app in session.scalars(select(App))}
        for said in content["memories"]:
            row = found[said["id"]]
            assert (row.content, row.state, row.version) == (said["content"], said["state"], 1)
            assert apps[row.app_id].name == names.get(said["app_id"], "openmemory")
        assert not next(app for app in apps.values() if app.name == "cursor").is_active
        assert session.scalar(select(func.count()).select_from(memory_categories)) == 3
        assert session.scalar(select(func.count()).select_from(StatusChange)) == 2
        assert session.scalar(select(func.count()).select_from(MemoryVersion)) == 4
        assert session.scalar(select(func.count()).select_from(AccessControl)) == 1
    first = found[content["memories"][0]["id"]]
    assert first.created_at == datetime(2025, 6, 16, 8, 30, 0, 123456, tzinfo=UTC)  # naive means UTC
    assert (first.metadata_, first.run_id, first.author) == ({"session_id": "s-1", "speaker": "Anna"}, "s-1", "Anna")
    assert found[content["memories"][1]["id"]].created_at == datetime(2025, 6, 16, tzinfo=UTC)  # epoch seconds


def test_imported_memories_are_indexed(servers: Servers) -> None:
    runtime = servers()
    bring(runtime, packed(genuine(memory(), memory(state="paused"))))
    assert all(row.indexed_at for row in rows(runtime))


# --- skip and overwrite -------------------------------------------------------------------------------------------


def test_overwrite_changes_and_keeps_the_old_version_and_skip_does_not_change(servers: Servers) -> None:
    runtime = servers()
    first = memory(content="tea")
    second = first | {"content": "coffee", "state": "archived", "metadata": {"n": 1}}
    bring(runtime, packed(genuine(first)))
    kept = bring(runtime, packed(genuine(second)), mode="skip")
    assert (kept.skipped, rows(runtime)[0].content) == (1, "tea")
    done = bring(runtime, packed(genuine(second)))
    (row,) = rows(runtime)
    assert (done.updated, row.content, row.state, row.version, row.metadata_) == (1, "coffee", "archived", 2, {"n": 1})
    with runtime.database.reading() as session:
        versions = session.scalars(select(MemoryVersion).order_by(MemoryVersion.version)).all()
        assert [(v.version, v.event, v.content) for v in versions] == [(1, "ADD", "tea"), (2, "UPDATE", "coffee")]
        steps = session.scalars(select(StatusChange)).all()
        assert [(step.old_state, step.new_state) for step in steps] == [("active", "archived")]
    assert bring(runtime, packed(genuine(second))).unchanged == 1
    assert rows(runtime)[0].version == 2


def test_a_partial_record_keeps_what_it_does_not_name(servers: Servers) -> None:
    runtime = servers()
    full = memory(tags=["a"], author="Anna", priority="high")
    bring(runtime, packed(genuine(full)))
    bring(runtime, packed(genuine(memory(id=full["id"], content="other"))))
    (row,) = rows(runtime)
    assert (row.content, row.tags, row.author, row.priority) == ("other", ["a"], "Anna", "high")


def test_a_deleted_memory_is_restored_by_overwrite_and_stays_deleted_by_skip(servers: Servers) -> None:
    runtime = servers()
    one = memory()
    bring(runtime, packed(genuine(one)))
    data = export(runtime)
    with runtime.database.transaction() as session:
        session.execute(update(Memory).values(state=State.deleted, deleted_at=now()))
    assert bring(runtime, data, mode="skip").skipped == 1
    assert rows(runtime)[0].state == "deleted"
    assert bring(runtime, data).updated == 1
    assert (rows(runtime)[0].state, rows(runtime)[0].deleted_at) == ("active", None)


def test_an_existing_app_stays_as_it_is(servers: Servers) -> None:
    runtime = servers()
    app = {"id": str(uuid4()), "name": "cursor", "is_active": True}
    bring(runtime, packed(genuine(memory(app_id=app["id"]), apps=[app])))
    with runtime.database.transaction() as session:
        session.execute(update(App).values(is_active=False))
    assert bring(runtime, packed(genuine(memory(app_id=app["id"]), apps=[app | {"id": str(uuid4())}]))).apps == 0
    with runtime.database.reading() as session:
        assert not session.scalars(select(App).where(App.name == "cursor")).one().is_active


# --- whose ids ----------------------------------------------------------------------------------------------------


def test_another_owners_ids_are_neither_touched_nor_shown_and_twice_makes_no_duplicates(servers: Servers) -> None:
    runtime = servers()
    app, topic = {"id": str(uuid4()), "name": "cursor"}, {"id": str(uuid4()), "name": "drinks"}
    one = memory(app_id=app["id"], category_ids=[topic["id"]])
    step = {"id": str(uuid4()), "memory_id": one["id"], "old_state": "paused", "new_state": "active"}
    rule = {
        "id": str(uuid4()),
        "subject_type": "app",
        "subject_id": app["id"],
        "object_type": "memory",
        "object_id": one["id"],
        "effect": "deny",
    }
    bring(
        runtime,
        packed(genuine(one, apps=[app], categories=[topic], status_history=[step], access_controls=[rule])),
    )
    data, before = export(runtime), rows(runtime)[0]
    assert bring(runtime, data, "bob").imported == 1
    mine = rows(runtime, "bob")[0]
    assert mine.id != before.id
    assert (mine.content, mine.created_at) == (before.content, before.created_at)
    assert export(runtime) == data
    bobs, sizes = export(runtime, "bob"), counts(runtime)
    for section in (
        "apps",
        "categories",
        "memories",
        "memory_categories",
        "status_history",
        "memory_versions",
        "access_controls",
    ):
        assert len(document(bobs)[section]) == 1, section
    assert bring(runtime, data, "bob").unchanged == 1
    assert bring(runtime, data, "bob", "skip").skipped == 1
    assert (export(runtime, "bob"), counts(runtime)) == (bobs, sizes)


def test_a_successor_of_another_owner_is_not_named(servers: Servers) -> None:
    runtime = servers()
    alices, bobs = memory(), memory()
    bring(runtime, packed(genuine(alices)))
    bring(runtime, packed(genuine(bobs | {"superseded_by": alices["id"]})), "bob")
    assert rows(runtime, "bob")[0].superseded_by is None


def test_who_may(servers: Servers) -> None:
    runtime = servers()
    data = packed(genuine(memory()))
    bring(runtime, data)
    bring(runtime, packed(genuine()), "bob")
    with runtime.database.reading() as session:
        bob_id = session.scalars(select(User.id).where(User.user_id == "bob")).one()
    bob = Caller(bob_id, "bob", None, frozenset({"read", "write"}))
    bound = Caller(bob_id, "bob", "cursor", frozenset({"read", "write"}))
    for user_id in ("alice", "nobody"):
        with pytest.raises(NotFound, match="User not found"):
            export(runtime, user_id, bob)
        with pytest.raises(NotFound, match="User not found"):
            bring(runtime, data, user_id, caller=bob)
    with pytest.raises(NotFound, match="User not found"):
        export(runtime, "nobody")
    with pytest.raises(Forbidden):
        export(runtime, "bob", bound)
    with pytest.raises(Forbidden):
        bring(runtime, data, "bob", caller=bound)
    assert bring(runtime, data, "bob", caller=bob).imported == 1


# --- what is not a backup changes nothing -------------------------------------------------------------------------


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as zipped:
        for name, data in entries:
            zipped.writestr(name, data)
    return out.getvalue()


def good(*more: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    return zip_of(
        ("memories.json", json.dumps(genuine(memory())).encode()), ("memories.jsonl.gz", gzip.compress(b"")), *more
    )


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def encrypted() -> bytes:
    data = bytearray(good())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        data[at + offset] |= 1
    return bytes(data)


def corrupted() -> bytes:
    data = bytearray(good())
    data[60] ^= 0xFF
    return bytes(data)


def bad(**fields: Any) -> bytes:
    return packed(genuine(memory(), memory(**fields)))


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no zip": b"PK\x03\x04 but no more",
    "truncated": good()[:-30],
    "only its head": good()[:200],
    "corrupted": corrupted(),
    "encrypted": encrypted(),
    "absolute path": good(("/etc/passwd", b"x")),
    "parent path": good(("../../x", b"x")),
    "windows path": good(("..\\x", b"x")),
    "drive": good(("C:/x", b"x")),
    "link": good((link("x"), b"/etc/passwd")),
    "no json": zip_of(("memories.jsonl.gz", gzip.compress(b""))),
    "no lines": zip_of(("memories.json", json.dumps(genuine()).encode())),
    "twice": good(("again/memories.json", b"{}")),
    "lzma": zip_of(("memories.json", b"{}"), ("memories.jsonl.gz", gzip.compress(b"")), method=zipfile.ZIP_LZMA),
    "many entries": good(*((f"{n}", b"") for n in range(200))),
    "no gzip": packed(genuine(memory()), b"not gzip"),
    "cut gzip": packed(genuine(memory()), gzip.compress(b'{"id": "x"}\n' * 1000)[:-9]),
    "no json line": packed(genuine(memory()), gzip.compress(b"{}\nnope\n")),
    "empty json": packed(b""),
    "not json": packed(b"{'memories': []}"),
    "cut json": packed(json.dumps(genuine(memory())).encode()[:-20]),
    "more after": packed(json.dumps(genuine(memory())).encode() + b"{}"),
    "NaN": packed(json.dumps(genuine(memory(metadata={"x": float("nan")}))).encode()),
    "infinite": packed(json.dumps(genuine(memory())).replace('"metadata": {}', '"metadata": {"x": 1e999}').encode()),
    "many digits": packed(
        json.dumps(genuine(memory())).replace('"metadata": {}', '"metadata": {"x": ' + "9" * 5000 + "}").encode()
    ),
    "not UTF-8": packed(json.dumps(genuine(memory())).encode().replace(b"Anna", b"\xff\xfe")),
    "a list": packed(b"[]"),
    "a number": packed(b"1"),
    "deep": packed(b'{"memories": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}"),
    "deep metadata": bad(metadata=json.loads('{"a":' * 200 + "1" + "}" * 200)),
    "no memories": packed({"user": {}}),
    "memories no list": packed({"memories": {}}),
    "memories a text": packed({"memories": "x"}),
    "memories twice": packed(b'{"memories": [], "memories": []}'),
    "null memory": packed({"memories": [None]}),
    "user a text": packed({"memories": [], "user": "x"}),
    "no id": packed(genuine({"content": "x"})),
    "bad id": bad(id="42"),
    "same id": packed(genuine(*[memory(id=str(UUID(int=1)))] * 2)),
    "bad state": bad(state="forgotten"),
    "bad date": bad(created_at="the day before"),
    "far date": bad(created_at=10**30),
    "date object": bad(created_at={}),
    "content number": bad(content=1),
    "content NUL": bad(content="a\x00b"),
    "content surrogate": bad(content="a\ud800b"),
    "content too long": bad(content="x" * 1_000_001),
    "metadata list": bad(metadata=[]),
    "metadata NUL": bad(metadata={"a": ["\x00"]}),
    "metadata key NUL": bad(metadata={"\x00": 1}),
    "metadata surrogate": bad(metadata={"a": "\udfff"}),
    "tags text": bad(tags="a"),
    "name too long": bad(author="x" * 256),
    "version zero": bad(version=0),
    "version huge": bad(version=2**40),
    "app without name": packed(genuine(memory(), apps=[{"id": str(uuid4()), "name": ""}])),
    "bad link": packed(genuine(memory(), memory_categories=[{"memory_id": "x", "category_id": "y"}])),
    "bad history": packed(genuine(memory(), status_history=[{"id": "x"}])),
    "bad effect": packed(
        genuine(
            memory(),
            access_controls=[{"id": str(uuid4()), "subject_type": "app", "object_type": "memory", "effect": "maybe"}],
        )
    ),
}


@pytest.fixture
def settled(servers: Servers) -> Runtime:
    runtime = servers()
    bring(runtime, packed(genuine(memory())))
    return runtime


def test_what_is_no_backup_is_refused_and_changes_nothing(settled: Runtime, subtests: pytest.Subtests) -> None:
    before = counts(settled)
    for name, data in BROKEN.items():
        with subtests.test(name):
            with pytest.raises(Invalid) as caught:
                bring(settled, data, "newcomer")
            assert str(caught.value)
            assert counts(settled) == before


def test_unknown_modes_are_refused(settled: Runtime) -> None:
    with pytest.raises(Invalid, match=r"^Invalid mode\. Must be 'skip' or 'overwrite'\.$"):
        bring(settled, good(), mode="merge")


def test_a_bomb_is_stopped_by_what_comes_out_of_it(settled: Runtime) -> None:
    settled.settings.max_import_bytes = 1_000_000
    before = counts(settled)
    bombs = {
        "json": packed(json.dumps(genuine(memory())).encode() + b" " * 50_000_000),
        "lines": packed(genuine(memory()), gzip.compress(b'{"id": "x"}\n' * 4_000_000)),
        "one line": packed(genuine(memory()), gzip.compress(b" " * 50_000_000)),
    }
    for name, data in bombs.items():
        assert len(data) < 500_000, name
        tracemalloc.start()
        with pytest.raises(TooLarge):
            bring(settled, data)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000, name
        tracemalloc.stop()
    assert counts(settled) == before


def test_sizes_that_headers_claim_are_not_believed(settled: Runtime) -> None:
    data = bytearray(packed(json.dumps(genuine(memory())).encode() + b" " * 5_000_000))
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(Invalid):
        bring(settled, bytes(data))


def test_a_record_has_a_bounded_length(settled: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_RECORD", 100_000)
    with pytest.raises(TooLarge, match="record"):
        bring(settled, packed(genuine(memory(), extra=["x" * 2_000_000])))


def test_any_damage_is_refused_or_harmless(settled: Runtime) -> None:
    """Flipped bytes end as a domain error or an import, never as another exception."""
    chance = random.Random(1)
    data = good()
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            bring(settled, bytes(damaged), mode="skip")
        except CommonplaceError:
            continue


# --- size costs time, not memory ----------------------------------------------------------------------------------


def statements(runtime: Runtime, action: Callable[[], object]) -> int:
    """How many SQL statements `action` executes."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1

    event.listen(runtime.database.engine, "before_cursor_execute", count)
    action()
    event.remove(runtime.database.engine, "before_cursor_execute", count)
    return seen


def many(count: int) -> bytes:
    app, topic = str(uuid4()), str(uuid4())
    memories = [memory(app_id=app, category_ids=[topic], content=f"memory {n} " * 10) for n in range(count)]
    steps = [
        {"id": str(uuid4()), "memory_id": one["id"], "old_state": "paused", "new_state": "active"} for one in memories
    ]
    return packed(
        genuine(
            *memories, apps=[{"id": app, "name": "a"}], categories=[{"id": topic, "name": "c"}], status_history=steps
        )
    )


@pytest.fixture
def grown(servers: Servers) -> dict[int, tuple[bytes, Runtime]]:
    """Two backups by their size, each with a server that it was imported into."""
    return {size: (many(size), servers()) for size in (1_000, 5_000)}


def test_statements_grow_by_the_batch(grown: dict[int, tuple[bytes, Runtime]]) -> None:
    written = [statements(runtime, lambda: bring(runtime, data)) for data, runtime in grown.values()]  # noqa: B023
    read = [statements(runtime, lambda: export(runtime)) for _, runtime in grown.values()]  # noqa: B023
    assert (written[1] - written[0]) / 4 <= 14
    assert (read[1] - read[0]) / 4 <= 9


def test_memory_does_not_grow_with_the_backup(grown: dict[int, tuple[bytes, Runtime]]) -> None:
    written = [peak(lambda: bring(runtime, data)) for data, runtime in grown.values()]  # noqa: B023
    read = [peak(lambda: drain(runtime)) for _, runtime in grown.values()]  # noqa: B023
    assert written[1] - written[0] < 2_000_000, written
    assert read[1] - read[0] < 2_000_000, read


def peak(action: Callable[[], object]) -> int:
    """Bytes that `action` holds at most."""
    tracemalloc.start()
    action()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def drain(runtime: Runtime) -> None:
    with runtime.context(admin_of(runtime)) as ctx:
        pieces = backups.export(ctx, "alice")
    assert all(len(piece) < 1_000_000 for piece in pieces)


def test_a_backup_moves_from_sqlite_to_postgresql(
    servers: Servers, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SYNC_NOW", 0)  # there is no engine here
    url = postgres.create()
    migrate(url)
    options = Settings(
        _env_file=None, data_dir=tmp_path, database_url=url, admin_api_key=ADMIN_KEY, default_user_id="admin"
    )  # type: ignore[call-arg]
    source, target = servers(), Runtime(options)
    accounts.bootstrap(target)
    fields = {
        "content": "tea",
        "metadata": {"a": 1},
        "state": "active",
        "version": 2,
        "created_at": T0,
        "updated_at": T0,
    }
    settle(source, {"memories": [fields] * 5, "apps": ["a", "b"], "categories": ["x", "ü"], "seed": 1})
    data = export(source)
    assert bring(target, data).imported == 5
    assert export(target) == data
    assert bring(target, data).unchanged == 5
    assert bring(target, data, "bob").imported == 5
    assert bring(target, data, "bob").unchanged == 5
    assert export(target) == data
    target.close()
