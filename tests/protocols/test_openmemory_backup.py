"""/backup over HTTP: the page's form, what the dashboard sends, and what is refused."""

import gzip
import io
import json
import tempfile
import zipfile
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.context import Runtime
from app.routers.openmemory import wire_backup as wire
from tests.protocols.asking import API, GOLDEN, UNKNOWN, Person

EXPORT, IMPORT = f"{API}/backup/export", f"{API}/backup/import"


def upload(door: TestClient, data: bytes, name: str = "backup.zip", user_id: str = "ann", **query: str) -> Response:
    return door.post(IMPORT, params=query, files={"file": (name, data, "application/zip")}, data={"user_id": user_id})


def genuine() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("memories.json", (GOLDEN / "openmemory_export.json").read_bytes())
        zipped.writestr("memories.jsonl.gz", gzip.compress(b""))
    return out.getvalue()


def remember(door: TestClient, user_id: str, text: str) -> str:
    answer = door.post(f"{API}/memories/", json={"user_id": user_id, "text": text, "infer": False, "app": "cursor"})
    assert answer.status_code == 200
    return str(answer.json()["id"])


def test_export_and_import_as_the_page_has_them(door: TestClient) -> None:
    id = remember(door, "ann", "likes tea")
    exported = door.post(EXPORT, json={"user_id": "ann"})
    assert exported.status_code == 200
    assert exported.headers["content-type"] == "application/zip"
    assert exported.headers["content-disposition"] == 'attachment; filename="memories_export_ann.zip"'
    held = json.loads(zipfile.ZipFile(io.BytesIO(exported.content)).read("memories.json"))
    assert [memory["id"] for memory in held["memories"]] == [id]
    answer = upload(door, exported.content, user_id="bob")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "message": 'Import completed into user "bob"',
            "imported": 1,
            "updated": 0,
            "unchanged": 0,
            "skipped": 0,
            "apps": 1,
            "categories": len(held["categories"]),
        },
    )
    found = door.get(f"{API}/memories/", params={"user_id": "bob"}).json()["items"]
    assert [(memory["content"], memory["app_name"]) for memory in found] == [("likes tea", "cursor")]
    assert upload(door, exported.content, user_id="ann", mode="skip").json()["skipped"] == 1


def test_slashes_are_answered_directly(door: TestClient) -> None:
    assert door.post(f"{EXPORT}/", json={"user_id": "admin"}, follow_redirects=False).status_code == 200
    assert door.post(f"{IMPORT}/", follow_redirects=False).status_code == 422


def test_an_imported_memory_is_found_by_search(door: TestClient) -> None:
    upload(door, genuine())
    answer = door.post(f"{API}/memories/search", json={"user_id": "ann", "query": "東京"})
    assert [found["id"] for found in answer.json()["results"]] == ["33333333-aaaa-4bbb-8ccc-000000000001"]


def test_the_user_may_be_named_in_the_query(door: TestClient) -> None:
    answer = door.post(IMPORT, params={"user_id": "ann"}, files={"file": ("b.zip", genuine())})
    assert answer.json()["message"] == 'Import completed into user "ann"'


@pytest.mark.parametrize(
    ("name", "data", "query", "status", "detail"),
    [
        ("backup.tar", genuine(), {}, 400, "Expected a zip file."),
        ("backup.zip", b"no zip", {}, 400, "Invalid zip file"),
        ("backup.zip", genuine(), {"mode": "merge"}, 400, "Invalid mode. Must be 'skip' or 'overwrite'."),
    ],
)
def test_what_is_refused(
    door: TestClient, name: str, data: bytes, query: dict[str, str], status: int, detail: str
) -> None:
    answer = upload(door, data, name, **query)
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})


def test_a_form_without_its_parts_is_refused(door: TestClient) -> None:
    for answer, field in (
        (door.post(IMPORT, data={"user_id": "ann"}), "file"),
        (door.post(IMPORT, files={"file": ("b.zip", genuine())}), "user_id"),
        (upload(door, genuine(), user_id=""), "user_id"),
        (upload(door, genuine(), user_id="a\x00b"), "user_id"),
        (upload(door, genuine(), user_id="x" * 256), "user_id"),
        (door.post(IMPORT, json={}), "file"),
    ):
        assert answer.status_code in (400, 422), answer.text
        assert field in answer.text or answer.status_code == 400


def test_an_upload_over_the_limit_is_refused_while_it_comes(door: TestClient, runtime: Runtime) -> None:
    runtime.settings.max_import_bytes = 10_000
    large = b"x" * 3_000_000
    assert upload(door, large).status_code == 413

    def pieces() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="b.zip"\r\n\r\n'
        yield from (b"x" * 100_000 for _ in range(30))

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert door.post(IMPORT, content=pieces(), headers=headers).status_code == 413


def test_who_asks_is_known_before_the_upload_is_read(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was spooled")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", refuse)
    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", refuse)
    assert upload(TestClient(server), genuine()).status_code == 401


def test_whose_memories(door: TestClient, person: Person) -> None:
    remember(door, "ann", "likes tea")
    bob, reader, bound = person("bob"), person("bob", scopes=("read",)), person("bob", app="cursor")
    for user_id in ("ann", "nobody"):
        answer = bob.post(EXPORT, json={"user_id": user_id})
        assert (answer.status_code, answer.json()) == (404, {"detail": "User not found"})
        answer = upload(bob, genuine(), user_id=user_id)
        assert (answer.status_code, answer.json()) == (404, {"detail": "User not found"})
    assert door.post(EXPORT, json={"user_id": "nobody"}).status_code == 404
    assert door.post(EXPORT, json={"user_id": "ann", "app_id": UNKNOWN}).status_code == 404
    assert bob.post(EXPORT, json={"user_id": "bob"}).status_code == 200
    assert upload(bob, genuine(), user_id="bob").status_code == 200
    assert upload(reader, genuine(), user_id="bob").status_code == 403
    assert bound.post(EXPORT, json={"user_id": "bob"}).status_code == 403
    assert upload(bound, genuine(), user_id="bob").status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user_id": ""},
        {"user_id": 1},
        {"user_id": "admin", "app_id": "x"},
        {"user_id": "admin", "from_date": -1},
        {"user_id": "admin", "to_date": 10**18},
        {"user_id": "admin", "from_date": "soon"},
        {"user_id": "admin", "from_date": 2, "to_date": 1},
    ],
)
def test_bad_export_requests(door: TestClient, body: dict[str, Any]) -> None:
    answer = door.post(EXPORT, json=body)
    assert answer.status_code in (400, 422)
    assert "detail" in answer.json()


def test_the_file_name_cannot_leave_its_quotes() -> None:
    assert wire.disposition('a"; x=\r\n/ü') == {
        "Content-Disposition": 'attachment; filename="memories_export_a___x_____.zip"; '
        "filename*=UTF-8''memories_export_a%22%3B%20x%3D%0D%0A%2F%C3%BC.zip"
    }
