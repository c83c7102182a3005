"""MCP's part of the API reference: its messages are JSON-RPC, whose shapes FastAPI cannot see."""

from typing import Any

SEARCH = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "search_memory", "arguments": {"query": "Where do I live?"}},
}
CLIENT = {"client_name": "My assistant", "redirect_uris": ["http://127.0.0.1/callback"]}
MESSAGE = {
    "type": "object",
    "required": ["jsonrpc", "method"],
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "method": {"type": "string"},
        "params": {"type": "object"},
    },
}
KEY = [{"bearer": list[str]()}, {"key": list[str]()}]


def _operation(summary: str, description: str, *, names: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    return {
        "summary": summary,
        "description": description,
        "parameters": parameters,
        "responses": {"200": {"description": "The answer"}},
        **more,
    }


def _takes(kind: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": schema, "example": example}}}


def _message(summary: str, description: str, *names: str) -> dict[str, Any]:
    body = _takes("application/json", MESSAGE, SEARCH)
    return _operation(summary, description, names=names, requestBody=body, security=KEY)


def _form(summary: str, description: str, example: dict[str, str]) -> dict[str, Any]:
    body = _takes("application/x-www-form-urlencoded", {"type": "object"}, example)
    return _operation(summary, description, requestBody=body)


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/mcp": {"post": _message("A message", "Streamable HTTP without sessions: one JSON-RPC message, one answer.")},
        "/mcp/{client}/http/{user}": {
            "post": _message("A message of a client", "As /mcp, as that app, for that user.", "client", "user")
        },
        "/mcp/{client}/sse/{user}": {
            "get": _operation(
                *("A session by SSE", "A stream; its first event says where messages are posted."),
                names=("client", "user"),
                security=KEY,
            )
        },
        "/.well-known/oauth-protected-resource": {
            "get": _operation("What guards /mcp", "RFC 9728: who gives out tokens for this server.")
        },
        "/.well-known/oauth-authorization-server": {
            "get": _operation("How tokens are got", "RFC 8414: the endpoints below.")
        },
        "/register": {
            "post": _operation(
                *("Register a client", "RFC 7591; anybody may."),
                requestBody=_takes("application/json", {"type": "object"}, CLIENT),
            )
        },
        "/authorize": {"get": _operation("Ask a person", "OAuth 2.1 with PKCE (S256): leads to the consent page.")},
        "/token": {
            "post": _form(
                *("Get tokens", "For a code, or for a refresh token, which is void from then on."),
                {"grant_type": "refresh_token", "refresh_token": "the last one", "client_id": "the registered one"},
            )
        },
        "/revoke": {"post": _form("End a grant", "RFC 7009.", {"token": "an access or a refresh token"})},
    },
    "components": {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a token by OAuth."},
            "key": {"type": "apiKey", "in": "query", "name": "key", "description": "For clients without headers."},
        }
    },
}
