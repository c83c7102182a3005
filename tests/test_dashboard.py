"""The dashboard's pages as the server hands them out, from an export made for the test."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from ui import openapi

from app import cli
from app.context import Runtime
from app.main import create_app
from app.settings import ROOT, Settings

INLINE = "self.__next_f.push([0])"
PAGE = f"""<!DOCTYPE html><html><head><script src="/dashboard/_next/static/a.js" async></script></head>
<body><p>{{}}</p><script>{INLINE}</script><script>{INLINE}</script></body></html>"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """What `next build` would have written."""
    folder = tmp_path / "out"
    for path, text in {
        "index.html": PAGE.format("overview"),
        "memories/index.html": PAGE.format("memories"),
        "404.html": PAGE.format("nothing here"),
        "_next/static/a.js": "x" * 5000,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def pages(runtime: Runtime, settings: Settings, export: Path) -> TestClient:
    """A server that has them."""
    built = settings.model_copy(update={"dashboard_dir": export})
    return TestClient(create_app(built, runtime), follow_redirects=False)


def test_the_start_leads_to_the_dashboard(pages: TestClient) -> None:
    for path in ("/", "/dashboard"):
        answer = pages.get(path)
        assert (answer.status_code, answer.headers["location"]) == (307, "/dashboard/")
    assert "overview" in pages.get("/dashboard/").text
    assert "memories" in pages.get("/dashboard/memories/").text
    assert pages.get("/dashboard/memories").headers["location"].endswith("/dashboard/memories/")


def test_without_an_export_the_start_leads_to_the_reference(
    runtime: Runtime, settings: Settings, tmp_path: Path
) -> None:
    bare = settings.model_copy(update={"dashboard_dir": tmp_path})
    client = TestClient(create_app(bare, runtime), follow_redirects=False)
    assert client.get("/").headers["location"] == "/docs"
    assert client.get("/dashboard/").status_code == 404


def test_a_page_runs_its_own_scripts_alone(pages: TestClient) -> None:
    answer = pages.get("/dashboard/")
    policy = answer.headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(INLINE.encode()).digest()).decode()
    (scripts,) = re.findall(r"script-src ([^;]*)", policy)
    assert scripts == f"'self' 'sha256-{digest}'"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_export_that_is_built_again_has_its_new_hashes(pages: TestClient, export: Path) -> None:
    before = pages.get("/dashboard/").headers["content-security-policy"]
    (export / "index.html").write_text("<script>another</script>")
    after = pages.get("/dashboard/").headers["content-security-policy"]
    assert before != after


def test_what_never_changes_is_kept_and_pages_are_asked_for_again(pages: TestClient) -> None:
    script = pages.get("/dashboard/_next/static/a.js", headers={"Accept-Encoding": "gzip"})
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-encoding"] == "gzip"
    page = pages.get("/dashboard/")
    assert page.headers["cache-control"] == "no-cache"
    again = pages.get("/dashboard/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["nothing", "memories/nothing/", "%2e%2e/secret"])
def test_an_unknown_page_says_so_in_the_dashboards_way(pages: TestClient, path: str) -> None:
    answer = pages.get(f"/dashboard/{path}")
    assert (answer.status_code, "nothing here" in answer.text) == (404, True)
    assert "content-security-policy" in answer.headers


def test_the_first_start_names_the_dashboard_only_if_there_is_one(settings: Settings, export: Path) -> None:
    built = settings.model_copy(update={"dashboard_dir": export})
    assert cli._dashboard(built) == "http://127.0.0.1:8765/dashboard/"
    assert "not built" in cli._dashboard(settings.model_copy(update={"dashboard_dir": export / "no"}))


def test_the_dashboards_types_are_made_from_the_api_as_it_is() -> None:
    kept = ROOT / "ui" / "openapi.json"
    assert kept.read_text() == openapi.document(), "stale: run `make ui-types`"


def test_no_two_shapes_have_one_name() -> None:
    """Pydantic would give both the names of their modules, and so would the dashboard's types."""
    shapes = json.loads(openapi.document())["components"]["schemas"]
    assert [name for name in shapes if "__" in name] == []
