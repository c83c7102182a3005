"""What looks like a secret in a text: keys by their well-known shapes, card numbers by their check digit, passwords by
what stands before them. Pure, by words alone; no key is tried anywhere.

Shapes and not randomness: a detector that looks for entropy takes every hash and id of an agent's notes for a secret.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 100_000  # characters of a text that are looked at: no memory is longer
MOST = 50  # secrets of one text
HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret stands in a text (characters `start` to `end`), what it seems to be, and how it may be shown."""

    kind: str
    start: int
    end: int
    shown: str


@dataclass(frozen=True, slots=True)
class _Shape:
    kind: str
    pattern: re.Pattern[str]
    prefix: int = 0  # characters that say what it is and nothing of the secret


def _shape(kind: str, pattern: str, prefix: int = 0, flags: int = 0) -> _Shape:
    return _Shape(kind, re.compile(pattern, flags), prefix)


# Every quantifier is bounded or over a class that what follows cannot begin with: a text of 100,000 characters is
# looked at in time that grows with its length alone.
_SHAPES = [
    _shape(
        "private key",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----BEGIN )[\s\S]){0,8000}?"
        r"(?:-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    _shape("Commonplace key", r"\bcp_[A-Za-z0-9_-]{24,128}", 3),
    _shape("GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{50,251})", 4),
    _shape("GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,64}", 6),
    _shape("AWS key id", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b", 4),
    _shape("Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}", 5),
    _shape("Slack webhook", r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,100}", 33),
    _shape("Stripe key", r"\b[rsp]k_(?:live|test)_[A-Za-z0-9]{16,200}", 8),
    _shape("Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{20,200}", 7),
    _shape("OpenAI key", r"\bsk-(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{20,200}", 3),
    _shape("Google key", r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])", 4),
    _shape("Hugging Face token", r"\bhf_[A-Za-z0-9]{30,64}\b", 3),
    _shape("npm token", r"\bnpm_[A-Za-z0-9]{36}\b", 4),
    _shape("PyPI token", r"\bpypi-[A-Za-z0-9_-]{50,250}", 5),
    _shape("SendGrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", 3),
    _shape("Telegram token", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    _shape("JSON web token", r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}", 3),
    _shape("password in an address", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,100}:(?P<secret>[^\s:/@]{3,200})@"),
    _shape(
        "password",
        r"\b(?:password|passwort|passphrase|passwd|pwd|pin code|pin|api[ _-]?key|secret[ _-]?key|access[ _-]?token)\b"
        r"(?:[ \t]{1,3}(?:for|of|to|on)[ \t]{1,3}(?:[\w.'-]{1,40}[ \t]{1,3}){1,6}?)?"
        r"[ \t]{0,3}(?:is|was|=|:|->)[ \t]{0,3}(?:now[ \t]{1,3})?[\"'`]?(?P<secret>[^\s\"'`,;]{4,128})",
        flags=re.IGNORECASE,
    ),
]
_CARD = re.compile(r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-])")
_CARDS = {"3": (14, 15, 16), "4": (13, 16, 19), "5": (16,), "6": (16, 19), "2": (16,)}
_ENDS = ".!?)"


def find(text: str) -> list[Secret]:
    """The secrets in a text, in their order, none within another."""
    looked_at = text[:LONGEST]
    found = [secret for shape in _SHAPES for secret in _of_shape(shape, looked_at)] + _cards(looked_at)
    return _apart(found)[:MOST]


def masked(text: str, secrets: Sequence[Secret]) -> str:
    """The text with each secret as it may be shown."""
    return _replaced(text, [(one, one.shown) for one in secrets])


def redacted(text: str, secrets: Sequence[Secret]) -> str:
    """The text without the secrets: in their places stands what they were."""
    return _replaced(text, [(one, f"[{one.kind} removed]") for one in secrets])


def _replaced(text: str, pieces: Sequence[tuple[Secret, str]]) -> str:
    said, at = [], 0
    for one, instead in pieces:
        said += [text[at : one.start], instead]
        at = one.end
    return "".join([*said, text[at:]])


def _of_shape(shape: _Shape, text: str) -> list[Secret]:
    found = []
    for match in shape.pattern.finditer(text):
        start, end = match.span("secret" if "secret" in shape.pattern.groupindex else 0)
        if shape.kind == "password":
            end = start + len(text[start:end].rstrip(_ENDS))
            if not _is_password(text[start:end]):
                continue
        found.append(Secret(shape.kind, start, end, text[start : start + shape.prefix] + HIDDEN))
    return found


def _is_password(word: str) -> bool:
    """Whether what stands behind "password is" is one, and not the next word of a sentence ("is required", "is $X")."""
    if len(word) < 4 or word[0] in "<[{$%*•…" or word.lower().startswith(("env:", "http")):
        return False
    kinds = [any(c.isdigit() for c in word), any(not c.isalnum() for c in word[1:-1])]
    mixed = any(c.isupper() for c in word[1:]) and any(c.islower() for c in word)
    return any(kinds) or mixed


def _cards(text: str) -> list[Secret]:
    found = []
    for match in _CARD.finditer(text):
        digits = [int(c) for c in match.group() if c.isdigit()]
        if len(digits) in _CARDS.get(str(digits[0]), ()) and len(set(digits)) > 1 and _is_valid(digits):
            found.append(Secret("card number", *match.span(), f"{HIDDEN} {match.group()[-4:]}"))
    return found


def _is_valid(digits: Sequence[int]) -> bool:
    """The check digit of Luhn."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _apart(found: Sequence[Secret]) -> list[Secret]:
    """In order; of two that overlap the one that begins first, and of those the longer one."""
    kept: list[Secret] = []
    for one in sorted(found, key=lambda secret: (secret.start, -secret.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept
