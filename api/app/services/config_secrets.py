"""Secrets in the configuration: written, never read back. A masked one that is sent back means the one that is kept."""

import os
import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from app.errors import Invalid
from app.settings import Settings

MASK = "****"
SHORT = 8  # characters; what the environment has of less is no key, and a word like "none" is in many messages
LONG = 20  # characters; of a secret as long as that the last four may be shown
REFERENCE = "env:"

# `max_tokens` is no secret: whole words only.
SECRET_WORDS = frozenset(
    {"key", "apikey", "secret", "token", "password", "passphrase", "credential", "credentials", "headers"}
)
URL_WORDS = frozenset({"url", "uri", "host", "endpoint", "base", "proxy", "proxies"})

# A provider is sent what `env:NAME` stands for, so it may stand for what providers want and for nothing else.
SECRET_NAME = re.compile(r"[A-Z0-9_]+_API_KEY|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)|HF_TOKEN")
URL_NAME = re.compile(r"[A-Z0-9_]+_(BASE_URL|API_BASE|ENDPOINT|HOST|URL)")
PLAIN_NAME = re.compile(r"[A-Z0-9_]+_(MODEL|REGION|DEPLOYMENT|API_VERSION|PROJECT|LOCATION)")


def is_secret(path: str) -> bool:
    """Whether a dotted path of configuration keys leads to a secret, or into an object of secrets."""
    return not SECRET_WORDS.isdisjoint(_words(path))


def is_url(path: str) -> bool:
    """Whether a dotted path leads to an address that a provider's client connects to, or into an object of such."""
    return not URL_WORDS.isdisjoint(_words(path))


def _words(path: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", path.lower())


def is_reference(value: Any) -> bool:
    """Whether a value is `env:NAME`."""
    return isinstance(value, str) and value.startswith(REFERENCE)


def mask(value: Any, secret: bool = False) -> Any:
    """A copy with every secret masked; `env:NAME` is shown as it is."""
    if isinstance(value, Mapping):
        return {key: mask(below, secret or is_secret(key)) for key, below in value.items()}
    if isinstance(value, list):
        return [mask(below, secret) for below in value]
    return _masked(str(value)) if secret and value not in (None, "") else value


def _masked(value: str) -> str:
    if is_reference(value):
        return value
    return MASK + (value[-4:] if len(value) >= LONG else "")


def restore(sent: Any, kept: Any, secret: bool = False, name: str = "") -> Any:
    """What was sent, with every masked secret replaced by the one that is kept in its place.

    Raises:
        Invalid: a value is masked, but is not the mask of what is kept there.
    """
    if isinstance(sent, Mapping):
        old = kept if isinstance(kept, Mapping) else {}
        return {key: restore(below, old.get(key), secret or is_secret(key), key) for key, below in sent.items()}
    if isinstance(sent, list):
        olds = kept if isinstance(kept, list) else []
        return [restore(below, old, secret, name) for below, old in zip_longest(sent, olds[: len(sent)])]
    if secret and isinstance(sent, str) and sent.startswith(MASK):
        if not isinstance(kept, str) or _masked(kept) != sent:
            raise Invalid(f"{name}: this is a masked value, and not that of the one that is kept; enter it again")
        return kept
    return sent


def secrets(section: Any) -> dict[str, str]:
    """The section's secrets by their path; references left out."""
    return {path: text for path, text in strings(section) if is_secret(path) and not is_reference(text)}


def addresses(section: Any) -> dict[str, str]:
    """The section's addresses by their path, references as they are; empty ones left out."""
    found = {path: text for path, text in strings(section) if text and (is_url(path) or "://" in text)}
    # OpenRouter's `site_url` only says who asks; nobody connects to it.
    return {path: text for path, text in found.items() if path != "site_url" and not is_secret(path)}


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value, with its dotted path; a list's places are keys."""
    if isinstance(value, str):
        yield path, value
        return
    below = value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, list) else {}
    for name, item in below.items():
        yield from strings(item, f"{path}.{name}".lstrip("."))


def check_reference(path: str, text: str) -> None:
    """Pass if the environment variable that `env:NAME` names is one that a provider may be sent.

    Raises:
        Invalid: it is not; JWT_SECRET and its like stay here.
    """
    name = text.removeprefix(REFERENCE)
    wanted = SECRET_NAME if is_secret(path) else URL_NAME if is_url(path) else PLAIN_NAME
    if name.lower() in Settings.model_fields or not wanted.fullmatch(name):
        raise Invalid(
            f"{path}: {text!r} may not be used here; a name fits {wanted.pattern}, and none of our own settings"
        )


def scrub(text: str, section: Any) -> str:
    """A provider's message without the section's secrets, cut to what fits a line or two.

    Nor has it those of the environment, which clients take when the section names none.
    """
    for _, value in strings(section):
        secret = os.environ.get(value.removeprefix(REFERENCE), "") if is_reference(value) else ""
        text = text.replace(secret, MASK) if secret else text
    for value in [*secrets(section).values(), *_of_the_environment()]:
        text = text.replace(value, MASK) if value else text
    return text[:300]


def _of_the_environment() -> Iterator[str]:
    for name, value in os.environ.items():
        if SECRET_NAME.fullmatch(name) and len(value) >= SHORT:
            yield value
