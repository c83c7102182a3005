"""Logins: tokens that rotate, end, and never give more than what they were had for."""

from datetime import timedelta

import pytest
from passlib.context import CryptContext
from sqlalchemy import update

from app.context import Runtime
from app.database import now
from app.errors import Forbidden, Unauthenticated
from app.models import LoginSession
from app.services import accounts, keys, logins, passwords, users
from app.settings import Settings
from tests.conftest import ADMIN_KEY, AsCaller

PASSWORD = "correct horse battery"


@pytest.fixture
def alice(ctx: AsCaller) -> str:
    with ctx(writing=True) as c:
        return users.create(c, "alice", password=PASSWORD).user_id


def works(runtime: Runtime, token: str) -> bool:
    try:
        return accounts.authenticate(runtime, token).is_person
    except Unauthenticated:
        return False


def test_a_password_signs_in(runtime: Runtime, alice: str) -> None:
    signed_in = logins.login(runtime, user_id=alice, password=PASSWORD, user_agent="a browser \x00")
    assert signed_in.user.user_id == alice
    assert signed_in.expires_in == 900
    assert works(runtime, signed_in.access_token)
    assert timedelta(days=29) < signed_in.expires_at - now() <= timedelta(days=30)


def test_a_wrong_password_and_a_wrong_user_look_alike(
    runtime: Runtime, ctx: AsCaller, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dummies = []
    dummy = CryptContext.dummy_verify
    monkeypatch.setattr(CryptContext, "dummy_verify", lambda self: dummies.append(1) or dummy(self))
    for user_id, password in [
        (alice, "wrong password"),
        (alice, PASSWORD + "\x00"),
        (alice, "x" * 5000),
        ("nobody", PASSWORD),
        ("admin", PASSWORD),  # has none
        ("a\x00b", PASSWORD),
        (alice, ""),
    ]:
        with pytest.raises(Unauthenticated, match=logins.WRONG):
            logins.login(runtime, user_id=user_id, password=password)
    assert len(dummies) == 4
    with ctx(writing=True) as c:
        users.change(c, alice, {"is_active": False})
    with pytest.raises(Unauthenticated, match=logins.WRONG):
        logins.login(runtime, user_id=alice, password=PASSWORD)


def test_passwords_are_argon2id_and_salted() -> None:
    first, second = passwords.hashed(PASSWORD), passwords.hashed(PASSWORD)
    assert first != second
    assert first.startswith("$argon2id$")
    assert passwords.matches(PASSWORD, first)
    as_served = CryptContext(schemes=["argon2"], **passwords.COST)  # the tests' own are quicker (tests/conftest.py)
    assert as_served.hash(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_refresh_rotates(runtime: Runtime, alice: str) -> None:
    first = logins.login(runtime, user_id=alice, password=PASSWORD)
    second = logins.refresh(runtime, first.refresh_token)
    third = logins.refresh(runtime, second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert third.expires_at == first.expires_at
    assert works(runtime, third.access_token)


def test_a_refresh_whose_answer_was_lost_may_be_asked_again(runtime: Runtime, alice: str) -> None:
    first = logins.login(runtime, user_id=alice, password=PASSWORD)
    lost = logins.refresh(runtime, first.refresh_token)
    again = logins.refresh(runtime, first.refresh_token)
    assert again.refresh_token == lost.refresh_token
    assert works(runtime, again.access_token)
    third = logins.refresh(runtime, lost.refresh_token)
    with pytest.raises(Unauthenticated, match="sign in again"):  # two steps back is no lost answer
        logins.refresh(runtime, first.refresh_token)
    assert not works(runtime, third.access_token)


def test_a_refresh_token_shown_again_later_ends_the_login(
    runtime: Runtime, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "GRACE", timedelta(0))
    other = logins.login(runtime, user_id=alice, password=PASSWORD)
    first = logins.login(runtime, user_id=alice, password=PASSWORD)
    second = logins.refresh(runtime, first.refresh_token)
    for token in (first.refresh_token, second.refresh_token):
        with pytest.raises(Unauthenticated, match="sign in again"):
            logins.refresh(runtime, token)
    assert not works(runtime, second.access_token)
    assert works(runtime, other.access_token)


@pytest.mark.parametrize("token", [None, "", "x", "eyJ.a.b", "\udc80", "x" * 100_000])
def test_what_is_no_refresh_token_is_refused(runtime: Runtime, token: str | None) -> None:
    with pytest.raises(Unauthenticated):
        logins.refresh(runtime, token)


def test_an_access_token_does_not_refresh(runtime: Runtime, alice: str) -> None:
    signed_in = logins.login(runtime, user_id=alice, password=PASSWORD)
    with pytest.raises(Unauthenticated):
        logins.refresh(runtime, signed_in.access_token)
    assert works(runtime, signed_in.access_token)


def test_a_past_login_does_not_refresh(runtime: Runtime, alice: str) -> None:
    signed_in = logins.login(runtime, user_id=alice, password=PASSWORD)
    with runtime.database.transaction() as session:
        session.execute(update(LoginSession).values(expires_at=now()))
    with pytest.raises(Unauthenticated):
        logins.refresh(runtime, signed_in.refresh_token)


def test_logout_ends_the_login_by_either_token(runtime: Runtime, alice: str) -> None:
    first = logins.login(runtime, user_id=alice, password=PASSWORD)
    second = logins.login(runtime, user_id=alice, password=PASSWORD)
    third = logins.login(runtime, user_id=alice, password=PASSWORD)
    logins.logout(runtime, first.access_token, None)
    logins.logout(runtime, None, second.refresh_token)
    logins.logout(runtime, None, None)
    logins.logout(runtime, "nonsense", "nonsense")
    assert [works(runtime, login.access_token) for login in (first, second, third)] == [False, False, True]
    with pytest.raises(Unauthenticated):
        logins.refresh(runtime, first.refresh_token)


def test_a_new_password_ends_all_logins(runtime: Runtime, ctx: AsCaller, alice: str) -> None:
    signed_in = logins.login(runtime, user_id=alice, password=PASSWORD)
    with ctx(accounts.authenticate(runtime, signed_in.access_token), writing=True) as c:
        users.change(c, alice, {"password": "another password"})
    assert not works(runtime, signed_in.access_token)
    with pytest.raises(Unauthenticated):
        logins.refresh(runtime, signed_in.refresh_token)
    with pytest.raises(Unauthenticated):
        logins.login(runtime, user_id=alice, password=PASSWORD)
    logins.login(runtime, user_id=alice, password="another password")


def test_a_key_signs_in_only_if_it_may_all_that_its_user_may(runtime: Runtime, ctx: AsCaller, alice: str) -> None:
    with ctx(writing=True) as c:
        full = keys.create(c, "full", user_id=alice)
        less = [
            keys.create(c, "read", ["read"], user_id=alice),
            keys.create(c, "bound", user_id=alice, app_name="cursor"),
            keys.create(c, "no admin"),
        ]
    assert logins.login(runtime, api_key=full.secret).user.user_id == alice
    assert logins.login(runtime, api_key=ADMIN_KEY).user.user_id == "admin"
    for made in less:
        with pytest.raises(Forbidden):
            logins.login(runtime, api_key=made.secret)
    with pytest.raises(Unauthenticated, match=logins.WRONG_KEY):
        logins.login(runtime, api_key="cp_unknown")


def test_a_login_does_not_outlive_its_key(runtime: Runtime, ctx: AsCaller, alice: str) -> None:
    end = now() + timedelta(hours=1)
    with ctx(writing=True) as c:
        made = keys.create(c, "an hour", user_id=alice, expires_at=end)
    signed_in = logins.login(runtime, api_key=made.secret)
    assert signed_in.expires_at == logins.refresh(runtime, signed_in.refresh_token).expires_at == end
    kept = logins.login(runtime, user_id=alice, password=PASSWORD)
    with ctx(accounts.authenticate(runtime, kept.access_token), writing=True) as c:
        keys.revoke(c, made.view.id)
    assert not works(runtime, signed_in.access_token)
    assert works(runtime, kept.access_token)


def test_open_mode_leaves_no_logins_behind(runtime: Runtime, settings: Settings) -> None:
    settings.auth_mode = "open"
    with pytest.raises(Unauthenticated):
        logins.login(runtime, api_key="anything")


def test_me(runtime: Runtime, ctx: AsCaller, alice: str) -> None:
    signed_in = logins.login(runtime, user_id=alice, password=PASSWORD)
    with ctx(accounts.authenticate(runtime, signed_in.access_token)) as c:
        me = logins.me(c)
    assert (me.user.user_id, me.scopes, me.app, me.is_person) == (alice, ["read", "write"], None, True)
