"""Each request measured once, around everything; the doors note which of their routes it took."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.measures import OTHER, Measures

NOTES = "measured"


class Measure:
    """Count every request and how long it took, by door, route template and status."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app = app
        self.measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        notes = scope.setdefault("state", {}).setdefault(NOTES, {})
        status, started = 500, time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            door, route = notes.get("door", OTHER), notes.get("route", OTHER)
            self.measures.observe(door, scope["method"], route, status, time.perf_counter() - started)


class Note:
    """Around a door: leave a note of the door and of the template that the router chose."""

    def __init__(self, app: ASGIApp, door: str) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        notes = scope.get("state", {}).get(NOTES, {})
        notes["door"] = self.door
        mounted = scope.get("route")
        await self.app(scope, receive, send)
        taken = scope.get("route")
        if taken is not None and taken is not mounted:
            notes["route"] = f"{scope.get('root_path', '')}{taken.path}"
