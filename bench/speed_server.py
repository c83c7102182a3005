"""The server under test, and beside its own endpoints the floors they are compared with. Never part of the product.

    python -m bench.speed_server        (settings from the environment, like `commonplace serve`)

A floor lives in the same app, behind the same middleware and the same authentication, in the same kind of endpoint:

- `PUT  /api/v1/bench/floor/{name}`: remember an answer of the real endpoint.
- `GET  /api/v1/bench/floor/{name}`: that answer's bytes from memory.
- `POST /api/v1/bench/create`: one embedding, one row, one commit that waits for the disk.
- `POST /api/v1/bench/search`: one embedding, the index's query (legs, tokens, traits), and nothing else.
- `POST /api/v1/bench/embed`: one embedding.
- `POST /api/v1/bench/raw/{verb}`: the last three without HTTP: milliseconds of each repetition in this thread.
"""

import json
import sys
import time
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import text
from starlette.routing import Mount

from app import logs, migrations
from app.context import Context
from app.main import create_app
from app.routers.protocol import Reading
from app.services import accounts, features
from app.settings import Settings

PATH = "/api/v1"
LIMIT = 10
TABLE = "CREATE TABLE IF NOT EXISTS bench_rows (id INTEGER PRIMARY KEY, content TEXT NOT NULL)"
ROW = text("INSERT INTO bench_rows (content) VALUES (:content)")


class Asked(BaseModel):
    """The text to embed."""

    text: str


class Repeated(BaseModel):
    """Texts to embed one after the other."""

    texts: list[str]


def main() -> None:
    """Migrate, make the first user, serve with the floors."""
    settings = Settings()
    logs.configure(settings.log_level)
    migrations.migrate(settings.url)
    app = create_app(settings)
    accounts.bootstrap(app.state.runtime)
    with app.state.runtime.database.transaction() as session:
        session.execute(text(TABLE))
    add_floors(protocol_of(app))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop" if sys.platform != "win32" else "auto",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
    )


def protocol_of(app: FastAPI) -> FastAPI:
    """The app of the protocol that is measured."""
    for route in app.routes:
        # Not a Doorway: that one leads another protocol's clients away from here.
        if type(route) is Mount and route.path == PATH and isinstance(route.app, FastAPI):
            return route.app
    raise LookupError(f"nothing is mounted at {PATH}")


def add_floors(app: FastAPI) -> None:
    """Add the floor endpoints to a protocol's app."""
    kept: dict[str, bytes] = {}

    @app.put("/bench/floor/{name}")
    async def keep(name: str, request: Request) -> int:
        kept[name] = await request.body()
        return len(kept[name])

    @app.get("/bench/floor/{name}")
    def replay(ctx: Reading, name: str) -> Response:
        return Response(kept[name], media_type="application/json")

    @app.post("/bench/create")
    def create(ctx: Reading, body: Asked) -> Response:
        embed_and_commit(ctx, body.text)
        return Response(kept["create"], media_type="application/json")

    @app.post("/bench/search")
    def search(ctx: Reading, body: Asked) -> Response:
        embed_and_query(ctx, body.text)
        return Response(kept["search"], media_type="application/json")

    @app.post("/bench/embed")
    def embed(ctx: Reading, body: Asked) -> int:
        return len(ctx.engine.index.embed([body.text], "search"))

    @app.post("/bench/raw/{verb}")
    def raw(ctx: Reading, verb: str, body: Annotated[Repeated, Body()]) -> list[float]:
        work = {"create": embed_and_commit, "search": embed_and_query, "embed": embed_query}[verb]
        return [_milliseconds(work, ctx, one) for one in body.texts]


def _milliseconds(work: Any, ctx: Context, one: str) -> float:
    begin = time.perf_counter()
    work(ctx, one)
    return 1000 * (time.perf_counter() - begin)


def embed_and_commit(ctx: Context, content: str) -> None:
    """One embedding and one SQLite commit (`synchronous = FULL`, as the memories' own)."""
    ctx.engine.embed([content])
    with ctx.runtime.database.transaction() as session:
        session.execute(ROW, {"content": content})


def embed_query(ctx: Context, query: str) -> None:
    """One embedding."""
    ctx.engine.index.embed([query], "search")


def embed_and_query(ctx: Context, query: str) -> str:
    """One embedding and the index's query: both legs, tokens and traits of the best, their ranks; no memory is read."""
    index, owner = ctx.engine.index, ctx.caller.user_id
    ask = features.asker(ctx, owner)
    return json.dumps(len(index.rank(owner, query, index.question(query), "hybrid", LIMIT, None, ask)))


if __name__ == "__main__":
    main()
