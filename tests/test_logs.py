"""Logs: one JSON object a line, with the request's id, without secrets."""

import json
import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app import logs

SECRETS = ["cp_" + "k" * 43, "sk-" + "o" * 40, "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"]


@pytest.fixture
def formatted(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.handler.setFormatter(logs.Formatter())
    caplog.set_level("INFO")
    return caplog


def _lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(line) for line in caplog.text.splitlines()]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_never_reaches_a_line(formatted: pytest.LogCaptureFixture, secret: str) -> None:
    logger = logging.getLogger("tests")
    logger.info("Authorization: Bearer %s", secret, extra={"where": f"https://host/?api_key={secret}"})
    try:
        raise ValueError(secret)
    except ValueError:
        logger.exception("failed")
    assert secret not in formatted.text
    assert len(_lines(formatted)) == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "hunter22"}',
        "X-API-Key: hunter22",
        "token=hunter22&x=1",
        '"GET /mcp?client=x&key=hunter22 HTTP/1.1"',
    ],
)
def test_what_is_called_a_secret_is_redacted(text: str) -> None:
    assert "hunter22" not in logs.redact(text)


def test_a_request_is_one_line_with_its_id(client: TestClient, formatted: pytest.LogCaptureFixture) -> None:
    answer = client.get("/api/v1/stats", params={"user_id": "nobody"}, headers={"X-Request-Id": "abc-1"})
    assert answer.headers["X-Request-Id"] == "abc-1"
    (line,) = [line for line in _lines(formatted) if line["logger"] == "commonplace.requests"]
    assert (line["request_id"], line["path"], line["status"]) == ("abc-1", "/api/v1/stats", 404)
    assert "nobody" not in json.dumps(line)


def test_a_request_id_that_is_no_word_is_replaced(client: TestClient) -> None:
    sent = 'x" onerror="'
    assert client.get("/health", headers={"X-Request-Id": sent}).headers["X-Request-Id"] != sent


def test_a_crash_is_logged_once_and_answered_without_its_text(
    client: TestClient, formatted: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("the inner secret")

    monkeypatch.setattr("app.services.stats.get", crash)
    answer = client.get("/api/v1/stats", headers={"X-Request-Id": "abc-2"})
    assert answer.status_code == 500
    assert answer.json() == {"detail": "Internal Server Error", "request_id": "abc-2"}
    crashes = [line for line in _lines(formatted) if "exc_info" in line]
    assert [line["request_id"] for line in crashes] == ["abc-2"]
