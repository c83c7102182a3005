"""The files for Docker, as far as they can be looked at without it."""

import re
from typing import Any

import pytest
import yaml

from app.settings import ROOT, Settings

PROFILES = {"postgres", "qdrant", "redis", "ollama"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """docker-compose.yml."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[str]:
    """The Dockerfile's instructions, each on one line."""
    text = (ROOT / "api" / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_only_the_server_starts_by_default(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert [name for name, service in services.items() if not service.get("profiles")] == ["server"]
    assert {name: service["profiles"] for name, service in services.items() if name != "server"} == {
        name: [name] for name in PROFILES
    }


def test_nothing_is_published_beyond_loopback_by_default(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert published
    for port in published:
        assert port.startswith("${BIND:-127.0.0.1}:")


def test_the_server_is_given_only_settings_that_exist(compose: dict[str, Any]) -> None:
    given = {name.lower() for name in compose["services"]["server"]["environment"]}
    assert given <= set(Settings.model_fields)


def test_no_secret_stands_in_the_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("KEY|SECRET|PASSWORD", name):
                assert re.fullmatch(r"\$\{[A-Z_]+:-\}", value), name


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        if "image" in service:
            assert re.search(r":v?\d+\.\d+", service["image"]), service["image"]


def test_every_profile_says_when_it_is_well(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if service.get("profiles"):
            assert {"test", "interval", "timeout", "retries"} <= service["healthcheck"].keys(), name


def test_postgresql_has_the_shared_memory_that_a_graph_is_made_in(compose: dict[str, Any]) -> None:
    assert compose["services"]["postgres"]["shm_size"] == "1gb"


def test_named_volumes_are_declared(compose: dict[str, Any]) -> None:
    used = {mount.split(":")[0] for service in compose["services"].values() for mount in service.get("volumes", ())}
    assert used == set(compose["volumes"])


def test_the_image_copies_what_is_there(dockerfile: list[str]) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in dockerfile:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored, f".dockerignore keeps {source} out"


def test_the_image_does_not_run_as_root(dockerfile: list[str]) -> None:
    users = [line.split()[1] for line in dockerfile if line.startswith("USER ")]
    assert users
    assert users[-1] not in {"root", "0"}
    assert "VOLUME /data" in dockerfile
