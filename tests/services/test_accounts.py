"""Credentials to callers: every way in, and every way that must not be one."""

import hmac
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from jose import jwt
from sqlalchemy import event, func, select, update

from app.context import Caller, Runtime
from app.database import Database, now
from app.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from app.models import ApiKey, App, LoginSession, User
from app.services import accounts, credentials, keys, logins, users
from app.services.views import Window
from app.settings import Settings
from tests.conftest import ADMIN_KEY, AsCaller

PASSWORD = "correct horse battery"


@contextmanager
def statements(*databases: Database) -> Iterator[list[str]]:
    """What is asked of the databases meanwhile, transaction control left out."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    for database in databases:
        event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for database in databases:
            event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def alice(ctx: AsCaller) -> str:
    """A user with a password who is no admin."""
    with ctx(writing=True) as c:
        return users.create(c, "alice", password=PASSWORD).user_id


@pytest.fixture
def make_key(ctx: AsCaller) -> Callable[..., keys.Made]:
    """Make a key as the admin."""

    def make(label: str = "test", **fields: Any) -> keys.Made:
        with ctx(writing=True) as c:
            return keys.create(c, label, **fields)

    return make


def refused(runtime: Runtime, shown: str | None) -> str:
    with pytest.raises(Unauthenticated) as caught:
        accounts.authenticate(runtime, shown)
    return str(caught.value)


def change(runtime: Runtime, statement: Any) -> None:
    with runtime.database.transaction() as session:
        session.execute(statement)


def test_the_admin_key_is_the_admin(runtime: Runtime) -> None:
    caller = accounts.authenticate(runtime, ADMIN_KEY)
    assert (caller.name, caller.is_admin, caller.is_person, caller.key_id) == ("admin", True, False, None)


def test_the_admin_key_is_compared_in_constant_time(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(a: bytes | str, b: bytes | str) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr(hmac, "compare_digest", compare)
    accounts.authenticate(runtime, ADMIN_KEY)
    assert compared == [(ADMIN_KEY.encode(), ADMIN_KEY.encode())]


def test_a_keys_hash_is_compared_in_constant_time(
    runtime: Runtime, make_key: Callable[..., keys.Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_key()
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: False)
    assert refused(runtime, made.secret) == accounts.INVALID


def test_another_default_user_id_still_finds_an_admin(runtime: Runtime, settings: Settings) -> None:
    settings.default_user_id = "somebody-else"
    assert accounts.authenticate(runtime, ADMIN_KEY).name == "admin"


def test_a_default_user_id_that_is_no_admin_gives_nothing_away(
    runtime: Runtime, settings: Settings, alice: str
) -> None:
    settings.default_user_id = alice
    assert accounts.authenticate(runtime, ADMIN_KEY).name == "admin"


def test_a_key_names_its_user_its_app_and_its_scopes(
    runtime: Runtime, make_key: Callable[..., keys.Made], alice: str
) -> None:
    made = make_key(user_id=alice, scopes=["read"], app_name="cursor")
    caller = accounts.authenticate(runtime, made.secret)
    assert (caller.name, caller.app, caller.scopes, caller.is_person) == ("alice", "cursor", {"read"}, False)
    assert caller.key_id == made.view.id


def test_the_scope_admin_is_worth_nothing_to_who_is_none(
    runtime: Runtime, make_key: Callable[..., keys.Made], alice: str
) -> None:
    made = make_key(user_id=alice, scopes=["read", "admin"])
    assert accounts.authenticate(runtime, made.secret).scopes == {"read"}


def test_an_admins_key_without_the_scope_is_no_admins(runtime: Runtime, make_key: Callable[..., keys.Made]) -> None:
    caller = accounts.authenticate(runtime, make_key().secret)
    assert not caller.is_admin
    with pytest.raises(Forbidden):
        accounts.require(caller, "admin")
    accounts.require(caller, "write")


def test_a_revoked_key_is_refused_at_once(runtime: Runtime, ctx: AsCaller, make_key: Callable[..., keys.Made]) -> None:
    made = make_key()
    accounts.authenticate(runtime, made.secret)
    with ctx(writing=True) as c:
        revoked = keys.revoke(c, made.view.id)
    assert revoked.revoked_at is not None
    assert refused(runtime, made.secret) == accounts.INVALID
    with ctx(writing=True) as c:
        assert keys.revoke(c, made.view.id).revoked_at == revoked.revoked_at


def test_an_expired_key_is_refused_at_once(runtime: Runtime, make_key: Callable[..., keys.Made]) -> None:
    made = make_key(expires_at=now() + timedelta(hours=1))
    accounts.authenticate(runtime, made.secret)
    change(runtime, update(ApiKey).where(ApiKey.id == made.view.id).values(expires_at=now()))
    assert refused(runtime, made.secret) == accounts.INVALID


def test_a_deactivated_users_key_and_login_are_refused(
    runtime: Runtime, ctx: AsCaller, make_key: Callable[..., keys.Made], alice: str
) -> None:
    made = make_key(user_id=alice)
    token = logins.login(runtime, user_id=alice, password=PASSWORD).access_token
    with ctx(writing=True) as c:
        users.change(c, alice, {"is_active": False})
    assert refused(runtime, made.secret) == refused(runtime, token) == accounts.INVALID


WEIRD = [
    "x",
    "cp_",
    "cp_" + "A" * 43,
    "é" * 20,
    "\x00",
    "a\x00b",
    "\udc80",
    "日本語",
    " ",
    "Bearer x",
    "x" * 1_000_000,
    "eyJ",
    "eyJ..",
    "eyJhbGciOiJub25lIn0.e30.",
    "eyJ" + "[" * 400 + ".e30.x",
    "eyJ.é.\udc80",
    "eyJ" + "A" * 100_000 + ".a.b",
    "' OR 1=1 --",
]


@pytest.mark.parametrize("shown", WEIRD, ids=range(len(WEIRD)))
def test_a_weird_credential_is_refused_like_any_other(runtime: Runtime, shown: str) -> None:
    assert refused(runtime, shown) == accounts.INVALID


@pytest.mark.parametrize("shown", [None, ""])
def test_no_credential_is_told_what_to_send(runtime: Runtime, shown: str | None) -> None:
    assert refused(runtime, shown) == accounts.MISSING


def test_an_access_token_is_a_person(runtime: Runtime, alice: str) -> None:
    token = logins.login(runtime, user_id=alice, password=PASSWORD).access_token
    caller = accounts.authenticate(runtime, token)
    assert (caller.name, caller.is_person, caller.scopes) == ("alice", True, {"read", "write"})
    assert caller.session_id is not None


@pytest.mark.parametrize(
    "forge",
    [
        lambda claims, secret: jwt.encode(claims, "another-secret-of-32-characters!!", algorithm="HS256"),
        lambda claims, secret: jwt.encode(claims, secret, algorithm="HS512"),
        lambda claims, secret: jwt.encode(claims | {"typ": "refresh"}, secret, algorithm="HS256"),
        lambda claims, secret: jwt.encode(claims | {"exp": 1}, secret, algorithm="HS256"),
        lambda claims, secret: jwt.encode({k: v for k, v in claims.items() if k != "exp"}, secret, algorithm="HS256"),
        lambda claims, secret: jwt.encode({k: v for k, v in claims.items() if k != "sid"}, secret, algorithm="HS256"),
        lambda claims, secret: jwt.encode(claims | {"sub": "not a uuid"}, secret, algorithm="HS256"),
        lambda claims, secret: jwt.encode(claims | {"sub": 7}, secret, algorithm="HS256"),
        lambda claims, secret: "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + _body(claims, secret) + ".",
        lambda claims, secret: "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + _body(claims, secret) + "." + "A" * 43,
        lambda claims, secret: jwt.encode(claims, secret, algorithm="HS256")[:-2] + "AA",
        lambda claims, secret: ".".join(["eyJhbGciOiJIUzI1NiJ9", "e30", "A" * 43]),
    ],
    ids=[
        "other-secret", "other-algorithm", "refresh-token", "expired", "no-exp", "no-session", "no-uuid", "number",
        "alg-none", "alg-none-signed", "tampered", "empty",
    ],
)  # fmt: skip
def test_a_forged_token_is_refused(runtime: Runtime, alice: str, forge: Callable[[dict[str, Any], str], str]) -> None:
    secret = runtime.settings.signing_key
    token = logins.login(runtime, user_id=alice, password=PASSWORD).access_token
    claims = jwt.get_unverified_claims(token)
    assert accounts.authenticate(runtime, jwt.encode(claims, secret, algorithm="HS256")).name == alice
    assert refused(runtime, forge(claims, secret)) == accounts.INVALID


def _body(claims: dict[str, Any], secret: str) -> str:
    return str(jwt.encode(claims, secret, algorithm="HS256")).split(".")[1]


def test_a_token_of_another_user_than_the_logins_is_refused(runtime: Runtime, alice: str, admin: Caller) -> None:
    token = logins.login(runtime, user_id=alice, password=PASSWORD).access_token
    claims = jwt.get_unverified_claims(token) | {"sub": str(admin.user_id)}
    assert refused(runtime, jwt.encode(claims, runtime.settings.signing_key, algorithm="HS256")) == accounts.INVALID


def test_a_past_login_is_refused(runtime: Runtime, alice: str) -> None:
    token = logins.login(runtime, user_id=alice, password=PASSWORD).access_token
    change(runtime, update(LoginSession).values(expires_at=now()))
    assert refused(runtime, token) == accounts.INVALID


def test_open_mode_makes_everybody_the_admin_but_who_shows_a_known_key(
    runtime: Runtime, settings: Settings, make_key: Callable[..., keys.Made], alice: str
) -> None:
    made = make_key(user_id=alice)
    settings.auth_mode = "open"
    assert accounts.authenticate(runtime, None).is_admin
    assert accounts.authenticate(runtime, "cp_unknown").name == "admin"
    assert accounts.authenticate(runtime, "eyJ.a.b").name == "admin"
    assert accounts.authenticate(runtime, made.secret).name == "alice"


def test_authentication_is_one_statement(
    runtime: Runtime, settings: Settings, make_key: Callable[..., keys.Made], alice: str
) -> None:
    key = make_key(user_id=alice).secret
    token = logins.login(runtime, user_id=alice, password=PASSWORD).access_token
    accounts.authenticate(runtime, key)  # notes the use, which the next minute's calls do not
    for shown in (ADMIN_KEY, key, token):
        with statements(runtime.database) as seen:
            accounts.authenticate(runtime, shown)
        assert len(seen) == 1, shown
    with statements(runtime.database) as seen:
        refused(runtime, "cp_unknown")
        refused(runtime, None)
    assert len(seen) == 1
    settings.auth_mode = "open"
    with statements(runtime.database) as seen:
        accounts.authenticate(runtime, None)
    assert len(seen) == 1


def test_the_last_use_is_noted_once_a_minute(runtime: Runtime, make_key: Callable[..., keys.Made]) -> None:
    made = make_key()

    def noted() -> Any:
        with runtime.database.reading() as session:
            return session.scalar(select(ApiKey.last_used_at).where(ApiKey.id == made.view.id))

    accounts.authenticate(runtime, made.secret)
    first = noted()
    accounts.authenticate(runtime, made.secret)
    assert noted() == first
    earlier = now() - timedelta(seconds=61)
    change(runtime, update(ApiKey).where(ApiKey.id == made.view.id).values(last_used_at=earlier))
    accounts.authenticate(runtime, made.secret)
    assert noted() > earlier + timedelta(seconds=60)


def test_secrets_are_not_stored_listed_or_logged(
    runtime: Runtime, ctx: AsCaller, make_key: Callable[..., keys.Made], caplog: pytest.LogCaptureFixture, alice: str
) -> None:
    caplog.set_level(logging.DEBUG)
    made = make_key()
    accounts.authenticate(runtime, made.secret)
    refused(runtime, made.secret + "x")
    logins.login(runtime, user_id=alice, password=PASSWORD)
    assert made.secret not in caplog.text
    assert PASSWORD not in caplog.text
    with ctx() as c:
        shown = repr(keys.listing(c, Window(100))) + repr(users.listing(c, Window(100)))
    assert made.secret not in shown
    assert credentials.digest(made.secret) not in shown
    assert "argon2" not in shown
    runtime.close()
    kept = b"".join(path.read_bytes() for path in runtime.settings.data_dir.glob("commonplace.db*"))
    assert made.secret.encode() not in kept
    assert PASSWORD.encode() not in kept


def test_a_key_is_256_random_bits_and_known_by_its_prefix() -> None:
    made = credentials.new_key()
    assert made.key.startswith("cp_")
    assert len(made.key) == 46
    assert made.key.startswith(made.prefix)
    assert len(made.prefix) == 11
    assert made.hash == credentials.digest(made.key)


def test_the_first_start_makes_an_admin_and_one_key(settings: Settings) -> None:
    runtime = Runtime(settings)
    first = accounts.bootstrap(runtime)
    assert first is not None
    caller = accounts.authenticate(runtime, first.key)
    assert (caller.name, caller.scopes) == ("admin", {"read", "write", "admin"})
    assert accounts.bootstrap(runtime) is None
    runtime.close()


def test_two_first_starts_at_once_make_one_admin(settings: Settings) -> None:
    runtimes = [Runtime(settings) for _ in range(4)]
    made: list[accounts.FirstStart | None] = []
    threads = [threading.Thread(target=lambda r=r: made.append(accounts.bootstrap(r))) for r in runtimes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with runtimes[0].database.reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1
        assert session.scalar(select(func.count()).select_from(ApiKey)) == 1
    assert len([first for first in made if first]) == 1
    for runtime in runtimes:
        runtime.close()


def as_caller(runtime: Runtime, made: keys.Made) -> Caller:
    return accounts.authenticate(runtime, made.secret)


def test_an_admin_may_write_for_a_new_user(ctx: AsCaller) -> None:
    with ctx(writing=True) as c:
        id = accounts.ensure_user(c, "new/one é")
        assert accounts.ensure_user(c, "new/one é") == accounts.find_user(c, "new/one é") == id


@pytest.mark.parametrize("name", ["", "x" * 256, "a\x00b", "\udc80"])
def test_a_name_that_cannot_be_stored_is_refused(ctx: AsCaller, name: str) -> None:
    with ctx(writing=True) as c:
        assert accounts.find_user(c, name) is None
        with pytest.raises(Invalid):
            accounts.ensure_user(c, name)


def test_others_write_for_themselves_alone(
    runtime: Runtime, ctx: AsCaller, make_key: Callable[..., keys.Made], alice: str
) -> None:
    with ctx(as_caller(runtime, make_key(user_id=alice)), writing=True) as c:
        assert accounts.ensure_user(c, "alice") == accounts.find_user(c, "alice") == c.caller.user_id
        for other in ("admin", "nobody"):
            assert accounts.find_user(c, other) is None
            with pytest.raises(Forbidden, match=f"^This key may not write for user '{other}'$"):
                accounts.ensure_user(c, other)


def test_nobody_gives_more_than_they_have(
    runtime: Runtime, ctx: AsCaller, make_key: Callable[..., keys.Made], alice: str
) -> None:
    mine = as_caller(runtime, make_key(user_id=alice, expires_at=now() + timedelta(days=1)))
    with ctx(mine, writing=True) as c:
        with pytest.raises(Forbidden, match="admin"):
            keys.create(c, "more", ["read", "admin"], expires_at=now() + timedelta(hours=1))
        with pytest.raises(Forbidden, match="outlives"):
            keys.create(c, "longer")
        with pytest.raises(Forbidden, match="outlives"):
            keys.create(c, "longer", expires_at=now() + timedelta(days=2))
        for other in ("admin", "nobody"):
            with pytest.raises(NotFound):
                keys.create(c, "for another", user_id=other, expires_at=now() + timedelta(hours=1))
        with pytest.raises(Invalid):
            keys.create(c, "past", expires_at=now() - timedelta(hours=1))
        with pytest.raises(Invalid):
            keys.create(c, "none", [])
        assert keys.create(c, "less", ["read"], expires_at=now() + timedelta(hours=1)).view.user_id == "alice"


def test_a_bound_key_does_not_get_out_of_its_app(
    runtime: Runtime, ctx: AsCaller, make_key: Callable[..., keys.Made], alice: str
) -> None:
    made = make_key(user_id=alice, app_name="cursor")
    assert made.view.app_name == "cursor"
    with runtime.database.reading() as session:
        owner = select(User.user_id).join(App, App.owner_id == User.id).where(App.name == "cursor")
        assert session.scalars(owner).all() == ["alice"]
    with ctx(as_caller(runtime, made), writing=True) as c:
        for attempt in (
            lambda: keys.create(c, "free"),
            lambda: keys.listing(c, Window(10)),
            lambda: keys.revoke(c, made.view.id),
            lambda: users.change(c, "alice", {"name": "Eve"}),
            lambda: users.create(c, "eve"),
        ):
            with pytest.raises(Forbidden):
                attempt()


def test_keys_of_others_are_as_if_they_were_not(
    runtime: Runtime, ctx: AsCaller, make_key: Callable[..., keys.Made], alice: str
) -> None:
    others = make_key()
    own = make_key(user_id=alice)
    with ctx(as_caller(runtime, own), writing=True) as c:
        assert [key.id for key in keys.listing(c, Window(100)).items] == [own.view.id]
        with pytest.raises(NotFound):
            keys.listing(c, Window(100), "admin")
        with pytest.raises(NotFound):
            keys.revoke(c, others.view.id)
    with ctx() as c:
        assert keys.listing(c, Window(1)).total == 3  # the first start's too
        assert keys.listing(c, Window(1), "alice").total == 1
    accounts.authenticate(runtime, others.secret)


def test_the_last_active_admin_stays(ctx: AsCaller) -> None:
    with ctx(writing=True) as c:
        for changes in ({"is_admin": False}, {"is_active": False}):
            with pytest.raises(Conflict):
                users.change(c, "admin", changes)
        users.create(c, "second", is_admin=True)
        users.change(c, "second", {"is_active": False})
        with pytest.raises(Conflict):
            users.change(c, "admin", {"is_admin": False})
        users.change(c, "second", {"is_active": True})
        assert not users.change(c, "admin", {"is_admin": False}).is_admin
        with pytest.raises(Conflict):
            users.change(c, "second", {"is_admin": False})


def test_users_are_managed_by_admins(
    runtime: Runtime, ctx: AsCaller, make_key: Callable[..., keys.Made], alice: str
) -> None:
    with ctx(as_caller(runtime, make_key(user_id=alice)), writing=True) as c:
        assert users.get(c, "alice").has_password
        assert users.change(c, "alice", {"name": "Alice", "email": "a@example.org"}).name == "Alice"
        for changes in ({"is_admin": True}, {"is_active": False}, {"password": "another password"}):
            with pytest.raises(Forbidden):
                users.change(c, "alice", changes)
        with pytest.raises(Forbidden):
            users.listing(c, Window(10))
        with pytest.raises(Forbidden):
            users.create(c, "eve")
        for other in ("admin", "nobody"):
            with pytest.raises(NotFound):
                users.get(c, other)
            with pytest.raises(NotFound):
                users.change(c, other, {"name": "Eve"})


def test_a_user_is_made_once(ctx: AsCaller, alice: str) -> None:
    with ctx(writing=True) as c:
        with pytest.raises(Conflict):
            users.create(c, alice)
        for bad in ({"password": "short"}, {"password": "x" * 1025}, {"email": "nowhere"}, {"name": ""}):
            with pytest.raises(Invalid):
                users.create(c, "new", **bad)
        with pytest.raises(Invalid):
            users.change(c, alice, {"user_id": "bob"})
        assert [user.user_id for user in users.listing(c, Window(10)).items] == ["admin", "alice"]
