"""Two protocols under one prefix, told apart by how they say who asks.

The hosted mem0's paths begin with `/v1`, `/v2`, `/v3` and `/api/v1`. Two of those prefixes are other protocols' too,
whose clients send `Authorization: Bearer`; mem0's send `Authorization: Token`. A mount that does not match is passed
over, so the protocol that is mounted next at the prefix gets everything else.
"""

from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Scope


class Doorway(Mount):
    """A way to an app whose routes name the whole path, prefix included; with a `scheme` for that one alone."""

    def __init__(self, prefix: str, app: ASGIApp, scheme: str | None = None) -> None:
        super().__init__(prefix, app)
        self.scheme = scheme

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As a mount, but that the prefix stays in the path that the app sees."""
        if self.scheme and shown(scope) != self.scheme:
            return Match.NONE, {}
        match, child = super().matches(scope)
        return match, {**child, "root_path": scope.get("root_path", "")} if child else child


def shown(scope: Scope) -> str | None:
    """The scheme of the request's `Authorization` in small letters; None if there is none."""
    sent = dict(scope.get("headers", ())).get(b"authorization", b"")
    words = sent.decode("latin-1").split(maxsplit=1)
    return words[0].lower() if words else None
