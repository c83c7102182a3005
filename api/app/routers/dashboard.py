"""The dashboard's pages: the static export that `ui/` is built to, served under /dashboard.

Its API is OpenMemory's door and nothing else, on the same origin. Each page is answered with a Content-Security-Policy
that names the hashes of the page's own inline scripts (Next starts its pages with some), so that no other script runs.
"""

import base64
import hashlib
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

PREFIX = "/dashboard"
HASHED = "_next/static/"  # names there change with what is inside
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Styles may be inline: the widgets place menus and dialogs by style attributes, which no hash can allow.
POLICY = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def build(folder: Path) -> ASGIApp:
    """The app that serves the export in `folder`, to be mounted at PREFIX; unknown paths are the export's own 404."""
    pages = _Pages(directory=folder, html=True)
    return Starlette(routes=[Mount("/", pages)], middleware=[Middleware(GZipMiddleware, compresslevel=6)])


def start(is_built: bool) -> str:
    """Where `/` leads: to the dashboard, else to the API reference."""
    return f"{PREFIX}/" if is_built else "/docs"


def to_start(request: Request) -> Response:
    """Lead on, under the prefix of a proxy too. For `/`, and for the prefix without its slash."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}{start(request.app.state.has_dashboard)}")


class _Pages(StaticFiles):
    """The export's files, each with what a browser may do with it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        response.headers["Cache-Control"] = FOREVER if path.startswith(HASHED) else ASK_AGAIN
        if isinstance(response, FileResponse) and Path(response.path).suffix == ".html":
            response.headers["Content-Security-Policy"] = policy(Path(response.path))
        return response


def policy(page: Path) -> str:
    """The policy of a page, by the hashes of its inline scripts; read again when the file has changed."""
    return _policy(page, page.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _policy(page: Path, _changed: int) -> str:
    scripts = _InlineScripts()
    scripts.feed(page.read_text())
    return POLICY.format(hashes="".join(f" 'sha256-{_digest(script)}'" for script in dict.fromkeys(scripts.found)))


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


class _InlineScripts(HTMLParser):
    """The texts of a page's scripts that have no `src`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and "src" not in dict(attrs)

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = False
