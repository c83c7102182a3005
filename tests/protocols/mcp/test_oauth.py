"""OAuth from the first 401 to the last revocation: by the SDK's own client, with a scripted browser."""

import base64
import hashlib
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from mcp.client.auth import OAuthClientProvider
from mcp.client.client import Client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl
from sqlalchemy import select, update

from app.context import Runtime
from app.database import now
from app.models import Grant, GrantCode, OAuthClient
from app.services import keys, users
from tests.conftest import ADMIN_KEY, AsCaller
from tests.protocols.asking import API, ok, statements
from tests.protocols.mcp.conftest import NewKey
from tests.protocols.mcp.speaking import Address, refusal, talk, told, use
from tests.protocols.mcp.test_transports import INITIALIZE, post, request

BACK = "http://127.0.0.1:9999/callback"
PASSWORD = "correct horse"


@pytest.fixture
def ann(ctx: AsCaller) -> str:
    """A user with a password."""
    with ctx(writing=True) as c:
        users.create(c, "ann", None, None, PASSWORD, False)
    return "ann"


@dataclass
class Browser:
    """A person at a browser who is sent to the consent page."""

    user: str = "ann"
    password: str = PASSWORD
    decision: str = "allow"
    answers: dict[str, list[str]] = field(default_factory=dict)
    page: str = ""

    def visit(self, url: str) -> None:
        """Follow the client's link, fill the form, note where it leads."""
        with httpx.Client(timeout=20) as http:
            shown = http.get(url, follow_redirects=True)
            assert shown.status_code == 200, shown.text
            self.page = shown.text
            answer = http.post(self.action, data=self.form)
        assert answer.status_code == 303, answer.text
        self.answers = parse_qs(urlsplit(answer.headers["location"]).query)

    @property
    def action(self) -> str:
        """Where the form goes."""
        return re.findall(r'action="([^"]+)"', self.page)[0]

    @property
    def form(self) -> dict[str, str]:
        """What the person sends."""
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', self.page))
        return {**hidden, "user_id": self.user, "password": self.password, "decision": self.decision}

    async def go(self, url: str) -> None:
        """As the SDK calls it."""
        self.visit(url)

    async def code(self) -> AuthorizationCodeResult:
        """What came back, as the SDK wants it."""
        told = {name: values[0] for name, values in self.answers.items()}
        return AuthorizationCodeResult(code=told["code"], state=told["state"], iss=told["iss"])


@dataclass
class Storage:
    """Where the SDK's client keeps its tokens."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep them."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """The registration."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep it."""
        self.client = client_info


def by_oauth(url: str, storage: Storage, browser: Browser, **metadata: Any) -> Address:
    """An address whose client signs in by OAuth."""
    said = OAuthClientMetadata(
        redirect_uris=[AnyUrl(BACK)], client_name="Test Agent", **{"token_endpoint_auth_method": "none", **metadata}
    )
    return Address(url, auth=OAuthClientProvider(url, said, storage, browser.go, browser.code))


@pytest.mark.parametrize(
    ("place", "method"),
    [
        ("/mcp", "none"),
        ("/mcp/cursor/http/ann", "client_secret_post"),
        ("/mcp/cursor/sse/ann", "client_secret_basic"),
    ],
)
def test_the_sdk_signs_in_and_works(address: str, ann: str, place: str, method: str, runtime: Runtime) -> None:
    storage, browser = Storage(), Browser()
    door = by_oauth(f"{address}{place}", storage, browser, token_endpoint_auth_method=method)

    async def say(client: Client) -> Any:
        told(await client.call_tool("add_memories", {"text": "I ride a bicycle", "infer": False}))
        return told(await client.call_tool("list_memories", {}))

    (item,) = talk(door, say)
    assert (item["user_id"], item["app_name"]) == (ann, "Test Agent" if place == "/mcp" else "cursor")
    assert "Test Agent" in browser.page
    assert storage.tokens
    assert storage.tokens.scope == "read write"
    with runtime.database.reading() as session:
        kept = [
            str(row) for table in (OAuthClient, Grant, GrantCode) for row in session.execute(select(table.__table__))
        ]
    secrets_of_it = [storage.tokens.access_token, storage.tokens.refresh_token, browser.answers["code"][0]]
    secrets_of_it += [storage.client.client_secret] if storage.client and storage.client.client_secret else []
    assert not [row for row in kept for secret in secrets_of_it if secret and secret in row]


@dataclass
class Flow:
    """OAuth by hand, step by step."""

    address: str
    client_id: str = ""
    verifier: str = "v" * 64
    resource: str = ""

    def register(self, **metadata: Any) -> httpx.Response:
        """Register a client."""
        said = {"redirect_uris": [BACK], "client_name": "By hand", "token_endpoint_auth_method": "none", **metadata}
        answer = httpx.post(f"{self.address}/register", json=said)
        self.client_id = answer.json().get("client_id", "")
        return answer

    def link(self, **changes: Any) -> str:
        """The link that a client opens in a browser."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": BACK,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            "state": "state of mine",
            "resource": self.resource or f"{self.address}/mcp",
        }
        return str(httpx.URL(f"{self.address}/authorize", params={k: v for k, v in {**query, **changes}.items() if v}))

    def consent(self, browser: Browser | None = None, **changes: Any) -> str:
        """The code that a person's consent gives."""
        browser = browser or Browser()
        browser.visit(self.link(**changes))
        return browser.answers["code"][0]

    def token(self, **form: Any) -> httpx.Response:
        """Ask for tokens."""
        return httpx.post(f"{self.address}/token", data={"client_id": self.client_id, **form})

    def redeem(self, code: str, **changes: Any) -> httpx.Response:
        """Tokens for a code."""
        form = {"code": code, "redirect_uri": BACK, "code_verifier": self.verifier, **changes}
        return self.token(grant_type="authorization_code", **form)

    def refresh(self, token: str, **changes: Any) -> httpx.Response:
        """Tokens for a refresh token."""
        return self.token(grant_type="refresh_token", refresh_token=token, **changes)


@pytest.fixture
def flow(address: str, ann: str) -> Flow:
    """A registered client."""
    flow = Flow(address)
    assert flow.register().status_code == 201
    return flow


def works(address: str, token: str) -> bool:
    """Whether the token is let in."""
    return post(f"{address}/mcp", INITIALIZE, token).status_code == 200


def test_tokens_refresh_and_an_old_refresh_token_ends_it_all(address: str, flow: Flow) -> None:
    first = flow.redeem(flow.consent()).json()
    assert works(address, first["access_token"])
    second = flow.refresh(first["refresh_token"]).json()
    assert works(address, second["access_token"])
    assert works(address, first["access_token"])
    assert flow.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert not works(address, second["access_token"])


def test_a_code_is_good_once_and_shown_twice_it_ends_the_grant(address: str, flow: Flow) -> None:
    code = flow.consent()
    tokens = flow.redeem(code).json()
    assert works(address, tokens["access_token"])
    assert flow.redeem(code).json()["error"] == "invalid_grant"
    assert not works(address, tokens["access_token"])


def test_a_code_needs_its_verifier_its_redirect_its_client_and_its_minute(flow: Flow, runtime: Runtime) -> None:
    code = flow.consent()
    assert flow.redeem(code, code_verifier="w" * 64).json()["error"] == "invalid_grant"
    assert flow.redeem(code, redirect_uri=f"{BACK}/other").status_code == 400
    assert flow.redeem(code, resource="https://elsewhere.example/mcp").json()["error"] == "invalid_target"
    other = Flow(flow.address)
    other.register()
    assert other.redeem(code).json()["error"] == "invalid_grant"
    with runtime.database.transaction() as session:
        session.execute(update(GrantCode).values(expires_at=now()))
    assert flow.redeem(code).json()["error"] == "invalid_grant"


def test_a_client_gets_only_the_scopes_that_were_asked_for(address: str, flow: Flow) -> None:
    tokens = flow.redeem(flow.consent(scope="read")).json()
    assert tokens["scope"] == "read"
    door = Address(f"{address}/mcp", tokens["access_token"])
    assert told(use(door, "search_memory", query="anything"))["results"] == []
    assert "scope 'write'" in refusal(use(door, "add_memories", text="x"))
    assert flow.refresh(tokens["refresh_token"], scope="read write").json()["error"] == "invalid_scope"


def test_scopes_can_be_given_up_with_a_refresh(address: str, flow: Flow) -> None:
    tokens = flow.redeem(flow.consent()).json()
    less = flow.refresh(tokens["refresh_token"], scope="read").json()
    assert less["scope"] == "read"
    assert "scope 'write'" in refusal(use(Address(f"{address}/mcp", less["access_token"]), "add_memories", text="x"))


def test_a_token_is_good_at_its_address_alone_and_at_no_other_door(address: str, flow: Flow) -> None:
    flow.resource = f"{address}/mcp/cursor/http/ann"
    token = flow.redeem(flow.consent()).json()["access_token"]
    assert post(flow.resource, INITIALIZE, token).status_code == 200
    assert not works(address, token)
    assert post(f"{address}/mcp/cursor/http/bob", INITIALIZE, token).status_code == 401
    for path in ("memories", "auth/me", "apps", "auth/grants"):
        answer = httpx.get(f"{address}/api/v1/{path}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, path


def test_a_token_of_another_user_is_refused_at_the_url(address: str, flow: Flow, new_key: NewKey) -> None:
    new_key("bob")
    flow.resource = f"{address}/mcp/cursor/http/bob"
    token = flow.redeem(flow.consent()).json()["access_token"]
    assert post(flow.resource, INITIALIZE, token).status_code == 404


def test_revoking_ends_the_grant(address: str, flow: Flow) -> None:
    for kind in ("access_token", "refresh_token"):
        tokens = flow.redeem(flow.consent()).json()
        answer = httpx.post(f"{address}/revoke", data={"client_id": flow.client_id, "token": tokens[kind]})
        assert answer.status_code == 200
        assert not works(address, tokens["access_token"])
        assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert httpx.post(f"{address}/revoke", data={"client_id": flow.client_id, "token": "x"}).status_code == 200
    assert httpx.post(f"{address}/revoke", data={"client_id": "x", "token": "x"}).status_code == 401


def test_a_person_lists_and_ends_what_they_granted(address: str, flow: Flow, new_key: NewKey) -> None:
    tokens = flow.redeem(flow.consent()).json()
    flow.consent()  # never redeemed: not a grant that anybody uses
    ann, bob = ({"Authorization": f"Bearer {new_key(name)}"} for name in ("ann", "bob"))
    grants = f"{address}/api/v1/auth/grants"
    (item,) = httpx.get(grants, headers=ann).json()["items"]
    assert (item["client_name"], item["app_name"], item["scopes"]) == ("By hand", "By hand", ["read", "write"])
    assert (item["user_id"], item["resource"]) == ("ann", f"{address}/mcp")
    assert httpx.get(grants, headers=bob).json()["items"] == []
    assert httpx.get(f"{grants}?user_id=ann", headers=bob).status_code == 404
    assert httpx.get(grants, headers={"Authorization": f"Bearer {ADMIN_KEY}"}).json()["total"] == 1
    assert httpx.delete(f"{grants}/{item['id']}", headers=bob).status_code == 404
    ended = httpx.delete(f"{grants}/{item['id']}", headers=ann).json()
    assert ended["revoked_at"]
    assert httpx.delete(f"{grants}/{item['id']}", headers=ann).json() == ended
    assert not works(address, tokens["access_token"])


def test_a_deactivated_user_or_an_expired_grant_ends_it(address: str, flow: Flow, ctx: AsCaller) -> None:
    tokens = flow.redeem(flow.consent()).json()
    with ctx(writing=True) as c:
        users.change(c, "ann", {"is_active": False})
    assert not works(address, tokens["access_token"])
    with ctx(writing=True) as c:
        users.change(c, "ann", {"is_active": True})
    assert works(address, tokens["access_token"])
    with ctx(writing=True) as c:
        c.session.execute(update(Grant).values(expires_at=now()))
    assert not works(address, tokens["access_token"])
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("uris", "status"),
    [
        (["https://app.example/back"], 201),
        (["http://localhost/back"], 201),
        (["http://[::1]:1/back"], 201),
        (["cursor://anysphere.cursor-retrieval/oauth/callback"], 201),
        (["http://app.example/back"], 400),
        (["https://app.example/back#x"], 400),
        (["https://me:too@app.example/back"], 400),
        (["javascript:alert(1)"], 400),
        (["data:text/html,x"], 400),
        ([f"https://app.example/{'x' * 2000}"], 400),
        ([f"https://app.example/{i}" for i in range(21)], 400),
    ],
)
def test_redirect_uris_are_checked_when_a_client_registers(address: str, uris: list[str], status: int) -> None:
    assert Flow(address).register(redirect_uris=uris).status_code == status


@pytest.mark.one_database
def test_a_redirect_is_exact_but_for_a_loopbacks_port(flow: Flow) -> None:
    assert (
        flow.redeem(flow.consent(redirect_uri="http://127.0.0.1:1234/callback"), redirect_uri=BACK).status_code == 400
    )
    other = "http://127.0.0.1:1234/callback"
    assert flow.redeem(flow.consent(redirect_uri=other), redirect_uri=other).status_code == 200
    for uri in ("http://127.0.0.1:9999/other", "http://localhost:9999/callback", "https://127.0.0.1:9999/callback"):
        answer = httpx.get(flow.link(redirect_uri=uri))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), uri


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "admin"}, "invalid_scope"),
    ],
)
def test_what_may_not_be_asked_goes_back_as_an_error(flow: Flow, changes: dict[str, Any], error: str) -> None:
    answer = httpx.get(flow.link(**changes))
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(BACK)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (query["error"], query["state"]) == ([error], ["state of mine"])


@pytest.mark.one_database
def test_a_client_may_not_have_more_scopes_than_there_are(address: str) -> None:
    assert Flow(address).register(scope="read admin").json()["error"] == "invalid_client_metadata"


@pytest.mark.one_database
def test_the_page_is_closed_and_says_who_asks_for_what(flow: Flow) -> None:
    flow.register(client_name='<script>alert("x")</script>')
    answer = httpx.get(flow.link(scope="read"), follow_redirects=True)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:9999" in policy
    nonce = re.findall(r"'nonce-([^']+)'", policy)[0]
    assert f'<style nonce="{nonce}">' in answer.text
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "read and search your memories" in answer.text
    assert "add, change and delete" not in answer.text
    assert "127.0.0.1:9999" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "httponly" in answer.headers["set-cookie"].lower()


@pytest.mark.one_database
def test_deny_goes_back_without_a_code(flow: Flow) -> None:
    browser = Browser(user="", password="", decision="deny")
    browser.visit(flow.link())
    assert browser.answers["error"] == ["access_denied"]
    assert browser.answers["state"] == ["state of mine"]
    assert "code" not in browser.answers


def sent(flow: Flow, **changes: str) -> httpx.Response:
    """What the page's form answers if something in it is different."""
    browser = Browser()
    with httpx.Client() as http:
        browser.page = http.get(flow.link(), follow_redirects=True).text
        if changes.pop("cookie", "") == "none":
            http.cookies.clear()
        return http.post(browser.action, data={**browser.form, **changes})


@pytest.mark.one_database
def test_the_form_asks_again_and_says_why(flow: Flow, new_key: NewKey) -> None:
    wrong = sent(flow, password="wrong")
    assert (wrong.status_code, "Wrong user or password" in wrong.text) == (401, True)
    assert 'value="ann"' in wrong.text
    assert "wrong" not in re.findall(r'value="([^"]*)"', wrong.text)
    empty = sent(flow, user_id="", password="")
    assert (empty.status_code, "Enter a user and password" in empty.text) == (401, True)
    assert sent(flow, csrf="another").status_code == 403
    assert sent(flow, cookie="none").status_code == 403
    stale = sent(flow, request="eyJ.eyJ.x")
    assert (stale.status_code, "not valid any more" in stale.text) == (400, True)
    bound = sent(flow, user_id="", password="", api_key=new_key("ann", app="cursor"))
    assert (bound.status_code, "bound to no app" in bound.text) == (403, True)
    assert sent(flow, user_id="", password="", api_key=new_key("ann")).status_code == 303


@pytest.mark.one_database
def test_an_access_token_of_a_login_is_no_request_and_the_other_way_round(flow: Flow) -> None:
    login = httpx.post(f"{flow.address}/api/v1/auth/login", json={"user_id": "ann", "password": PASSWORD}).json()
    page = httpx.get(f"{flow.address}/oauth/consent", params={"request": login["access_token"]})
    assert page.status_code == 400
    assert works(flow.address, login["access_token"])  # a person who signed in may use MCP, too
    tokens = flow.redeem(flow.consent()).json()
    refreshed = httpx.post(f"{flow.address}/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 401
    assert flow.refresh(login["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.one_database
def test_the_metadata_say_where_everything_is(address: str, runtime: Runtime) -> None:
    for place in ("", "/mcp", "/mcp/cursor/http/ann"):
        found = httpx.get(f"{address}/.well-known/oauth-protected-resource{place}").json()
        assert found["resource"] == f"{address}{place or '/mcp'}"
        assert found["authorization_servers"] == [address]
    assert httpx.get(f"{address}/.well-known/oauth-protected-resource/elsewhere").status_code == 404
    server = httpx.get(f"{address}/.well-known/oauth-authorization-server").json()
    assert server["issuer"] == address
    assert server["code_challenge_methods_supported"] == ["S256"]
    assert "none" in server["token_endpoint_auth_methods_supported"]
    for name in ("authorization", "token", "registration", "revocation"):
        url = server[f"{name}_endpoint"]
        assert httpx.request("GET" if name == "authorization" else "POST", url).status_code in (400, 401), url
    runtime.settings.public_url = "https://memory.example"
    told_so = httpx.get(f"{address}/.well-known/oauth-protected-resource").json()
    assert told_so["resource"] == "https://memory.example/mcp"
    challenge = post(f"{address}/mcp", INITIALIZE).headers["www-authenticate"]
    assert 'resource_metadata="https://memory.example/.well-known/oauth-protected-resource/mcp"' in challenge


def test_clients_that_nobody_granted_anything_are_forgotten_and_bounded(
    flow: Flow, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.redeem(flow.consent())
    unused = Flow(flow.address)
    unused.register()
    with runtime.database.transaction() as session:
        session.execute(update(OAuthClient).values(created_at=now().replace(year=2020)))
    Flow(flow.address).register()
    with runtime.database.reading() as session:
        left = {str(id) for id in session.scalars(select(OAuthClient.id))}
    assert flow.client_id in left
    assert unused.client_id not in left
    assert len(left) == 2
    monkeypatch.setattr("app.services.clients.MOST_UNUSED", 1)
    assert Flow(flow.address).register().status_code == 400


def test_a_confidential_client_needs_its_secret(flow: Flow) -> None:
    registered = flow.register(token_endpoint_auth_method="client_secret_post").json()
    code = flow.consent()
    assert flow.redeem(code).status_code == 401
    assert flow.redeem(code, client_secret=secrets.token_hex(32)).status_code == 401
    assert flow.redeem(code, client_secret=registered["client_secret"]).status_code == 200


def test_a_request_without_parameters_is_refused(address: str, new_key: NewKey) -> None:
    assert httpx.get(f"{address}/oauth/consent").status_code == 400
    assert post(f"{address}/mcp", request("tools/list"), new_key("ann")).status_code == 200


def test_a_grant_ends_with_the_key_that_allowed_it(address: str, flow: Flow, ctx: AsCaller) -> None:
    with ctx(writing=True) as c:
        made = keys.create(c, "laptop", user_id="ann")
    answer = sent(flow, user_id="", password="", api_key=made.secret)
    tokens = flow.redeem(parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]).json()
    assert works(address, tokens["access_token"])
    with ctx(writing=True) as c:
        keys.revoke(c, made.view.id)
    assert not works(address, tokens["access_token"])
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.one_database
def test_what_anybody_may_post_is_small(address: str) -> None:
    for path in ("register", "token", "revoke", "oauth/consent"):
        assert httpx.post(f"{address}/{path}", content=b"x" * 70_000).status_code == 413, path


def test_listing_grants_costs_the_same_with_few_and_with_many(
    flow: Flow, server: FastAPI, new_key: NewKey, runtime: Runtime
) -> None:
    door = TestClient(server, headers={"Authorization": f"Bearer {new_key('ann')}"})
    costs = []
    for count in (2, 6):
        for _ in range(count):
            flow.redeem(flow.consent())
        ok(door.get(f"{API}/auth/grants"))
        with statements(runtime) as seen:
            assert len(ok(door.get(f"{API}/auth/grants"))["items"]) >= count
        costs.append(len(seen))
    assert costs[0] == costs[1]
    assert costs[1] <= 3


@pytest.mark.one_database
def test_an_open_sse_session_takes_the_token_that_follows_the_one_it_began_with(address: str, flow: Flow) -> None:
    flow.resource = f"{address}/mcp/cursor/sse/ann"
    first = flow.redeem(flow.consent()).json()
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    with httpx.Client(timeout=20) as http, http.stream("GET", flow.resource, headers=bearer) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: endpoint"
        messages = f"{address}{next(lines).removeprefix('data: ')}"
        second = flow.refresh(first["refresh_token"]).json()
        assert post(messages, INITIALIZE, second["access_token"]).status_code == 202
        other = flow.redeem(flow.consent()).json()  # another grant of the same person's
        assert post(messages, INITIALIZE, other["access_token"]).status_code == 404
        assert post(messages, INITIALIZE, "cp_unknown").status_code == 401


def test_of_two_that_redeem_a_code_at_once_one_gets_tokens_and_both_lose_the_grant(address: str, flow: Flow) -> None:
    code = flow.consent()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: flow.redeem(code), range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 400]
    (tokens,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert not works(address, tokens["access_token"])


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("uri", "shown", "allowed"),
    [
        ("https://app.example:8443/back?x=1", "app.example:8443", "https://app.example:8443"),
        ("http://127.0.0.1:9999/callback", "127.0.0.1:9999", "http://127.0.0.1:9999"),
        ("http://[::1]:9999/callback", "[::1]:9999", "http:"),
        ("cursor://anysphere.cursor-retrieval/oauth", "cursor:", "cursor:"),
    ],
)
def test_the_page_says_where_it_leads_and_may_lead_there_alone(flow: Flow, uri: str, shown: str, allowed: str) -> None:
    flow.register(redirect_uris=[uri])
    page = httpx.get(flow.link(redirect_uri=uri), follow_redirects=True)
    assert f"<dd>{shown}</dd>" in page.text
    assert f"form-action 'self' {allowed};" in page.headers["content-security-policy"]
    browser = Browser()
    browser.visit(flow.link(redirect_uri=uri))
    assert flow.redeem(browser.answers["code"][0], redirect_uri=uri).status_code == 200
