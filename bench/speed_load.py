"""The load: keep-alive connections over raw asyncio streams, in the benchmark's own process.

A request is bytes that are made before the clock starts, and an answer is read by its Content-Length (or its chunks)
and not parsed: this client spends about 0.1 ms a request, so that the server is what is measured.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

LIMIT = 2**20  # bytes that a stream buffers


class Connection:
    """One keep-alive HTTP/1.1 connection to 127.0.0.1; not for several tasks at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """A new connection."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=LIMIT))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, headers = int(head[9:12]), head.lower()
        if b"\r\ntransfer-encoding: chunked\r\n" in headers:
            return status, await self._chunks()
        _, _, rest = headers.partition(b"\r\ncontent-length:")
        return status, await self._reader.readexactly(int(rest.split(b"\r\n", 1)[0] or 0))

    async def _chunks(self) -> bytes:
        parts = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            parts.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readexactly(2)
        return b"".join(parts)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


@dataclass(slots=True)
class Burst:
    """What some requests took: milliseconds of each, seconds of all together, statuses that were not 2xx."""

    times: list[float] = field(default_factory=list)
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Burst") -> None:
        """Take the other's in."""
        self.times += other.times
        self.seconds += other.seconds
        self.failures += other.failures


def request(method: str, path: str, key: str, body: Any = None) -> bytes:
    """A request under `/api/v1` with a JSON body (bytes are sent as they are)."""
    payload = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"{method} /api/v1{path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        f"Content-Length: {len(payload)}",
        *(["Content-Type: application/json"] if payload else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + payload


async def burst(connections: Sequence[Connection], requests: Sequence[bytes]) -> Burst:
    """Send the requests, each connection the next one as soon as it has its answer."""
    found, waiting = Burst(), iter(requests)

    async def client(connection: Connection) -> None:
        for one in waiting:
            begin = time.perf_counter()
            status, body = await connection.ask(one)
            found.times.append(1000 * (time.perf_counter() - begin))
            if not 200 <= status < 300:
                found.failures.append(f"{status} {body[:200].decode(errors='replace')}")

    begin = time.perf_counter()
    await asyncio.gather(*(client(connection) for connection in connections))
    found.seconds = time.perf_counter() - begin
    return found


async def with_connections(port: int, count: int, use: Callable[[list[Connection]], Awaitable[Any]]) -> Any:
    """What `use` gives for so many open connections, which are closed then."""
    connections = [await Connection.open(port) for _ in range(count)]
    try:
        return await use(connections)
    finally:
        for connection in connections:
            await connection.close()
