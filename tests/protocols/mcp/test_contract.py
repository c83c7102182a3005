"""The contract names every address, every tool and every argument, and its links lead somewhere."""

import re
from pathlib import Path

from app.routers import mcp
from app.routers.mcp import consent, oauth
from app.routers.mcp.tools import TOOLS
from app.settings import ROOT

CONTRACT = Path(mcp.__file__).parent / "README.md"
TEXT = CONTRACT.read_text()


def test_every_tool_and_argument_is_in_the_contract() -> None:
    rows = {row.split("`")[1]: row for row in TEXT.splitlines() if row.startswith("| `")}
    assert set(TOOLS) <= set(rows)
    for name, tool in TOOLS.items():
        for argument in tool.takes.model_fields:
            assert f"`{argument}`" in rows[name], f"{name}: nothing of {argument}"


def test_every_address_is_in_the_contract() -> None:
    named = set(re.findall(r"`(?:GET|POST) (/[^` ]*)`", TEXT))
    paths = {path for path in (*oauth.PATHS, *consent.PATHS) if "{path" not in path}
    sse = "/mcp/{client}/sse/{user}"
    assert named == paths | {"/mcp", "/mcp/{client}/http/{user}", sse, "/mcp/messages/", f"{sse}/messages/"}


def test_links_lead_somewhere() -> None:
    for page in (CONTRACT, ROOT / "docs" / "mcp.md"):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"
