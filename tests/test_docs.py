"""What there is, is documented: every setting, command, route, configuration key and decision."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from app import cli
from app.routers import mem0, mem0_local, memento, openmemory
from app.services import drafts, filter_fields, filters
from app.settings import ROOT, Settings

DOCS = ROOT / "docs"
CONTRACT = ROOT / "api" / "app" / "routers" / "openmemory" / "README.md"
CONTRACTS = sorted((ROOT / "api" / "app" / "routers").glob("*/README.md"))
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *CONTRACTS])


def rows(page: Path) -> list[list[str]]:
    """The cells of every table row of a page, without their backticks."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def shown(default: Any) -> str:
    """A setting's default as the table shows it."""
    if default is None or default == []:
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    documented = {row[0].strip("`"): row for row in rows(DOCS / "settings.md")}
    assert name.upper() in documented, f"docs/settings.md says nothing of {name.upper()}"
    field = Settings.model_fields[name]
    assert documented[name.upper()][1] == shown(field.get_default(call_default_factory=True))


def test_no_setting_is_invented() -> None:
    documented = {row[0].strip("`").lower() for row in rows(DOCS / "settings.md")} - {"variable"}
    assert documented == set(Settings.model_fields)


def commands(group: Any, before: str = "commonplace") -> Iterator[tuple[str, Any]]:
    """Every command with its full name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}", command


COMMANDS = dict(commands(typer.main.get_command(cli.app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    usages = [row[0].strip("`") for row in rows(DOCS / "cli.md")]
    (usage,) = [one for one in usages if one == name or one.startswith(f"{name} ")]
    for parameter in COMMANDS[name].params:
        if parameter.name != "help":
            word = parameter.opts[0] if parameter.param_type_name == "option" else (parameter.metavar or parameter.name)
            assert word.lower().strip("[]") in usage.lower(), f"{name}: nothing of {word}"


def test_no_command_is_invented() -> None:
    usages = [row[0].strip("`") for row in rows(DOCS / "cli.md")[1:]]
    assert len(usages) == len(COMMANDS)


PROTOCOLS = {"mem0": mem0, "mem0_local": mem0_local, "memento": memento, "openmemory": openmemory}


def routes(protocol: Any) -> set[str]:
    """Method and path of every endpoint of a protocol."""
    paths = protocol.build(None).openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_route_is_in_the_contract_and_no_other(name: str) -> None:
    cells = "\n".join(_first_cells(CONTRACT.parents[1] / name / "README.md"))
    assert set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^` ]*)`", cells)) == routes(PROTOCOLS[name])


def _first_cells(page: Path) -> list[str]:
    return [row[0] for row in rows(page)]


def test_the_contract_names_metadata_keys_and_filters() -> None:
    text = CONTRACT.read_text()
    for key in (
        *(*drafts.RUN_KEYS, *drafts.AUTHOR_KEYS, *drafts.TIME_KEYS, *drafts.EXPIRY_KEYS),
        *(*filter_fields.FIELDS, *filters.RANGES),
    ):
        assert f"`{key}`" in text, f"the contract says nothing of {key}"


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Dotted paths of a configuration's keys; lists and empty objects are leaves."""
    if not isinstance(value, dict) or not value:
        yield path
        return
    for key, below in value.items():
        yield from leaves(below, f"{path}.{key}".lstrip("."))


def test_every_configuration_key_is_documented() -> None:
    config = json.loads((ROOT / "default_config.json").read_text())
    documented = {row[0].strip("`") for row in rows(DOCS / "config.md")} - {"key"}
    assert documented == set(leaves(config))


def test_decisions_are_numbered_and_complete() -> None:
    found = sorted(path.name for path in (DOCS / "decisions").glob("*.md"))
    assert [name[:4] for name in found] == [f"{number:04}" for number in range(1, len(found) + 1)]
    for name in found:
        text = (DOCS / "decisions" / name).read_text()
        assert text.startswith(f"# {name[:4]}: "), name
        for part in ("**Context.**", "**Decision.**", "**Consequences.**", "**Alternatives.**"):
            assert part in text, f"{name} lacks {part}"
        assert len(text.splitlines()) <= 60, f"{name} is more than a screen"


def test_code_refers_to_decisions_that_exist() -> None:
    known = {path.name[:4] for path in (DOCS / "decisions").glob("*.md")}
    folders = [ROOT / "api", ROOT / "bench", ROOT / "alembic"]
    texts = [path.read_text() for folder in folders for path in folder.rglob("*.py")]
    assert {number for text in texts for number in re.findall(r"decision (\d{4})", text)} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY:")).split()[1:]
    for target in phony:
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), f"make help does not know {target}"
