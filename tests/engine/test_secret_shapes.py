"""What is taken for a secret, and how it is shown."""

import time

import pytest

from app.engine import secret_shapes

SECRETS = {
    "The password is hunter2": "password",
    "my wifi password for the office is Tr0ub4dor&3.": "password",
    "API key: 9f8a7b6c5d": "password",
    "AKIAIOSFODNN7EXAMPLE is the id": "AWS key id",
    "ghp_" + "a1B2" * 9: "GitHub token",
    "github_pat_" + "a1B2c" * 12: "GitHub token",
    "key sk-proj-abcdEFGH1234567890abcd1234 ok": "OpenAI key",
    "sk-ant-api03-abcdEFGH1234567890abcd1234": "Anthropic key",
    "xoxb-1234567890-abcdefghij": "Slack token",
    "postgres://ann:s3cret@db/x": "password in an address",
    "4111 1111 1111 1111 is the card": "card number",
    "cp_" + "x" * 43: "Commonplace key",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop": "JSON web token",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----": "private key",
}
NONE = [
    "The password is required",
    "The password is stored in the vault",
    "password is env:PGPASS",
    "Set the API key: see docs",
    "Call 0123 456 789 0123 now",
    "4111 1111 1111 1112 has no valid check digit",
    "commit 3f2a9c4e5b6d7f8a9b0c1d2e3f4a5b6c7d8e9f0a",
    "id 01a1fe24-e396-7509-98c4-a63598f0d0e1",
    "The PIN was changed yesterday",
    "The api key rotates every 30 days",
    "ask-for-help-with-the-very-long-hyphenated-words",
    "use sk-learn-compatible-estimators-everywhere",
    "The API key: [GitHub token removed]",
]


@pytest.mark.parametrize(("text", "kind"), SECRETS.items())
def test_a_secret_is_found_hidden_and_removed(text: str, kind: str) -> None:
    (found,) = secret_shapes.find(text)
    assert found.kind == kind
    secret = text[found.start : found.end]
    assert secret not in secret_shapes.masked(text, [found])
    assert secret_shapes.redacted(text, [found]) == text.replace(secret, f"[{kind} removed]")
    assert secret_shapes.find(secret_shapes.redacted(text, [found])) == []


@pytest.mark.parametrize("text", NONE)
def test_what_is_none(text: str) -> None:
    assert secret_shapes.find(text) == []


def test_two_in_one_text_keep_their_places() -> None:
    text = f"first ghp_{'a1B2' * 9}, then the password is hunter2!"
    assert secret_shapes.masked(text, secret_shapes.find(text)) == "first ghp_•••, then the password is •••!"


@pytest.mark.parametrize(
    "piece",
    [
        "password for ",
        "-----BEGIN PRIVATE KEY-----",
        "4",
        "eyJ",
        "a://b:",
        "xoxb-",
        "password is ",
        "sk-",
        "AKIA",
        "1 ",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    started = time.process_time()
    secret_shapes.find(piece * (secret_shapes.LONGEST // len(piece)))
    assert time.process_time() - started < 2
