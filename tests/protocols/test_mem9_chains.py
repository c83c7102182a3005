"""mem9's space chains: several spaces behind one key, and nobody in a space who has no key of it."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.services import space_chains
from tests.protocols.asking import UNKNOWN, ok, shape
from tests.protocols.mem9_asking import (
    IMPORTS,
    MEMORIES,
    SESSIONS,
    V2,
    Space,
    contents,
    golden,
    key_of,
    page,
    pin,
    refused,
    say,
)

CHAINS = f"{V2}/space-chains"


def chain(space: Space, *keys: str, **fields: str) -> tuple[TestClient, str]:
    """A new chain of these spaces: the server asked with its key, and its id."""
    made = space().post(CHAINS, json={"name": "all of it", **fields})
    assert made.status_code == 201, made.text
    client = space("claude", key=made.json()["chain_api_key"])
    id = str(made.json()["chain"]["id"])
    ok(client.put(f"{CHAINS}/{id}/nodes", json={"nodes": [{"tenant_id": key} for key in keys]}))
    return client, id


def test_a_chain_is_made_shown_renamed_and_deleted(space: Space, server: FastAPI) -> None:
    bare = TestClient(server, raise_server_exceptions=False)
    made = bare.post(CHAINS, json={"name": "team", "description": "d", "project_id": "p", "created_by_user_id": "u"})
    body = made.json()
    assert body["chain_api_key"].startswith("chain_")
    assert body["key_preview"] == f"{body['chain_api_key'][:10]}...{body['chain_api_key'][-4:]}"
    hidden = {**body, "chain_api_key": "<key>", "key_preview": "<preview>"}
    assert (made.status_code, shape(hidden)) == (201, golden("chain_created"))
    client, id = space(key=body["chain_api_key"]), body["chain"]["id"]
    assert ok(client.get(f"{CHAINS}/by-key")) == ok(client.get(f"{CHAINS}/{id}")) == body["chain"]
    renamed = ok(client.patch(f"{CHAINS}/{id}", json={"name": "crew", "description": None}))
    assert (renamed["name"], "description" in renamed) == ("crew", False)
    assert refused(client.patch(f"{CHAINS}/{id}", json={"name": " "}), 400) == "name: required"
    assert refused(client.get(f"{CHAINS}/{UNKNOWN}"), 404) == "not found"
    assert ok(client.get(f"{V2}/status")) == {"status": "active"}
    assert client.delete(f"{CHAINS}/{id}").status_code == 204
    assert refused(client.get(f"{CHAINS}/by-key"), 404) == "not found"
    assert refused(client.get(MEMORIES), 400) == "invalid API key"
    assert ok(client.get(f"{V2}/status")) == {"status": "inactive"}


@pytest.mark.one_database
def test_only_a_chains_key_manages_it(space: Space, server: FastAPI) -> None:
    _, id = chain(space)
    other, _ = chain(space)
    bare = TestClient(server, raise_server_exceptions=False)
    assert refused(bare.post(CHAINS, json={}), 400) == "name: required"
    for path in (f"{CHAINS}/by-key", f"{CHAINS}/{id}", f"{CHAINS}/{id}/nodes", f"{CHAINS}/{id}/bindings"):
        assert refused(bare.get(path), 401) == "missing or malformed chain key"
        assert refused(space().get(path), 401) == "missing or malformed chain key"
        assert refused(space(key="chain_unknown").get(path), 404) == "not found"
    assert refused(other.get(f"{CHAINS}/{id}"), 404) == "not found"
    assert refused(other.put(f"{CHAINS}/{id}/nodes", json={"nodes": []}), 404) == "not found"
    assert refused(other.delete(f"{CHAINS}/{id}"), 404) == "not found"


def test_keys_are_made_and_disabled_but_the_last(space: Space) -> None:
    client, id = chain(space, key_of(space()))
    second = client.post(f"{CHAINS}/{id}/bindings", json={})
    assert second.status_code == 201
    more = space(key=second.json()["chain_api_key"])
    assert page(more)["total"] == 0
    listed = ok(client.get(f"{CHAINS}/{id}/bindings"))["bindings"]
    assert [one["disabled"] for one in listed] == [False, False]
    assert second.json()["chain_api_key"] not in str(listed)
    path = f"{CHAINS}/{id}/bindings/{listed[0]['id']}"
    assert refused(more.patch(path, json={"disabled": False}), 400) == "disabled: must be true"
    assert more.patch(path, json={"disabled": True}).status_code == 204
    assert more.patch(path, json={"disabled": True}).status_code == 204
    assert refused(client.get(MEMORIES), 400) == "invalid API key"
    assert ok(client.get(f"{CHAINS}/by-key"))["id"] == id  # it still manages
    last = f"{CHAINS}/{id}/bindings/{second.json()['binding_id']}"
    assert refused(client.patch(last, json={"disabled": True}), 409).startswith("bindings: the last active key")
    assert refused(client.patch(f"{CHAINS}/{id}/bindings/{UNKNOWN}", json={"disabled": True}), 404) == "not found"


def test_nobody_puts_a_space_into_a_chain_without_its_key(space: Space, door: TestClient) -> None:
    mine, theirs = space(), space()
    pin(theirs, "their secret")
    client, id = chain(space, key_of(mine))
    (node,) = ok(client.get(f"{CHAINS}/{id}/nodes"))["nodes"]
    assert shape(node) == golden("chain_node")
    assert key_of(mine) not in str(node)
    user = ok(theirs.get("/api/v1/auth/me"))["user"]
    path = f"{CHAINS}/{id}/nodes"
    for named in (user["user_id"], str(user["id"]), "unknown", client.headers["X-API-Key"], UNKNOWN):
        sent = client.put(path, json={"nodes": [{"tenant_id": named}]})
        assert refused(sent, 403) == "nodes: tenant_id must be a key of the space"
    assert contents(client) == []
    admin = {"Authorization": door.headers["Authorization"]}
    member = {"Authorization": f"Bearer {key_of(mine)}"}
    named = {"nodes": [{"tenant_id": node["tenant_id"]}, {"tenant_id": user["user_id"], "external_space_id": "team"}]}
    assert client.put(path, json=named, headers=member).status_code == 403
    assert len(ok(client.put(path, json=named, headers=admin))["nodes"]) == 2
    assert contents(client) == ["their secret"]
    again = {"nodes": [{"tenant_id": one["tenant_id"]} for one in reversed(ok(client.get(path))["nodes"])]}
    assert [one["position"] for one in ok(client.put(path, json=again))["nodes"]] == [0, 1]
    twice = {"nodes": [{"tenant_id": key_of(mine)}, {"tenant_id": node["tenant_id"]}]}
    assert refused(client.put(path, json=twice), 400) == "nodes: duplicate tenant_id"
    assert refused(client.put(path, json={"nodes": [{}]}), 400) == "nodes: tenant_id required"
    many = {"nodes": [{"tenant_id": "x"}] * (space_chains.MOST_NODES + 1)}
    assert refused(client.put(path, json=many), 400).startswith("nodes: too many")


def test_writes_go_to_the_first_space_and_reads_walk_all(space: Space) -> None:
    one, two = space("a"), space("b")
    pin(two, "The team sails on Sundays")
    client, _ = chain(space, key_of(one), key_of(two))
    made = pin(client, "I sail on Mondays")
    assert shape(made["chain_source"]) == {"chain_id": "<uuid>", "node_position": 0, "tenant_id": "<uuid>"}
    say(client, "my own words")
    ok(client.get(IMPORTS))
    assert set(contents(one)) == {"I sail on Mondays", "my own words"}
    assert contents(two) == ["The team sails on Sundays"]
    found = page(client, limit=2)
    assert (len(found["memories"]), found["total"]) == (2, 3)
    (last,) = page(client, limit=2, offset=2)["memories"]
    assert (last["content"], last["chain_source"]["node_position"]) == ("The team sails on Sundays", 1)
    whole = contents(client, q="sail", scanAll="true")
    assert {"I sail on Mondays", "The team sails on Sundays"} <= set(whole)
    (theirs,) = page(two)["memories"]
    assert ok(client.get(f"{MEMORIES}/{theirs['id']}"))["chain_source"]["node_position"] == 1
    changed = ok(client.put(f"{MEMORIES}/{theirs['id']}", json={"content": "The team rests"}))
    assert (changed["updated_by"], changed["chain_source"]["node_position"]) == ("claude", 1)
    rows = ok(client.get(SESSIONS, params={"session_id": "s1"}))["messages"]
    assert [(row["content"], row["chain_source"]["node_position"]) for row in rows] == [("my own words", 0)]
    ids = [memory["id"] for memory in page(client)["memories"]]
    assert ok(client.post(f"{MEMORIES}/batch-delete", json={"ids": ids})) == {"deleted": 3}
    assert contents(one) == contents(two) == []
    assert client.delete(f"{MEMORIES}/{ids[0]}").status_code == 204


def test_a_recall_stops_at_a_space_that_knows_the_answer(space: Space) -> None:
    one, two = space(), space()
    for client in (one, two):
        pin(client, "The password of the harbour gate is swordfish")
    client, _ = chain(space, key_of(one), key_of(two))
    asked = "The password of the harbour gate is swordfish"
    found = page(client, q=asked)
    assert found["memories"][0]["confidence"] >= 50
    assert [memory["chain_source"]["node_position"] for memory in found["memories"]] == [0]
    assert len(contents(client, q=asked, scanAll="true")) == 2
    assert len(contents(client, q="nothing of the kind")) == 2


def test_what_a_key_may_the_chain_may_and_no_longer(space: Space, person: Any) -> None:
    reader, writer = person("ann", scopes=["read"]), space()
    pin(space(key=person("ann").headers["Authorization"].removeprefix("Bearer ")), "Ann keeps bees")
    shown = reader.headers["Authorization"].removeprefix("Bearer ")
    client, _ = chain(space, shown, key_of(writer))
    assert contents(client) == ["Ann keeps bees"]
    assert refused(client.post(MEMORIES, json={"content": "x"}), 403) == "This needs the scope 'write'"
    (memory,) = page(client)["memories"]
    assert refused(client.put(f"{MEMORIES}/{memory['id']}", json={}), 403)
    assert refused(client.delete(f"{MEMORIES}/{memory['id']}"), 403)
    (key,) = [one for one in ok(person("ann").get("/api/v1/api-keys"))["items"] if one["scopes"] == ["read"]]
    ok(person("ann").delete(f"/api/v1/api-keys/{key['id']}"))
    assert contents(client) == []
    assert refused(client.post(MEMORIES, json={"content": "x"}), 403).startswith("The key that let this space")


@pytest.mark.one_database
def test_an_empty_chain_says_so(space: Space) -> None:
    client, _ = chain(space)
    assert refused(client.get(MEMORIES), 400) == "Space Chain has no nodes."
