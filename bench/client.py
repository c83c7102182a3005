"""What every benchmark needs: a server of its own in a temporary directory, a client of it, a few figures."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

START_SECONDS = 120  # the first start of all builds the model's graph
STOP_SECONDS = 30
SERVE = (str(Path(sys.executable).with_name("commonplace")), "serve")
TIMEOUT = httpx.Timeout(600, connect=10)  # a bulk create embeds up to 1,000 texts before it answers

out = Console(width=None if sys.stdout.isatty() else 150)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers. `process` and `data_dir` are None when it is somebody else's."""

    base_url: str
    api_key: str
    process: subprocess.Popen[bytes] | None = None
    data_dir: Path | None = None


@contextmanager
def started(
    data_dir: Path | None = None, *, keep: bool = False, command: Sequence[str] = SERVE, **environment: str
) -> Iterator[Server]:
    """A server on a free port, stopped at the end.

    Args:
        data_dir: where it keeps its data, left as it is afterwards; a temporary directory when absent.
        keep: leave the temporary directory too, and say where it is.
        command: what is started instead of `commonplace serve`.
        environment: more settings, by their environment names.

    Raises:
        RuntimeError: it ended or did not answer in time; the message holds the end of its log.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # else the server would outlive us
    directory = data_dir or Path(tempfile.mkdtemp(prefix="commonplace-bench-"))
    try:
        with _running(directory, command, environment) as server:
            yield server
    finally:
        if keep and not data_dir:
            out.print(f"kept: {directory}")
        elif not data_dir:
            shutil.rmtree(directory)


@contextmanager
def _running(directory: Path, command: Sequence[str], environment: dict[str, str]) -> Iterator[Server]:
    directory.mkdir(parents=True, exist_ok=True)
    port, api_key = free_port(), f"cp_{secrets.token_urlsafe(32)}"
    log = directory / "server.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            command,
            env=os.environ | _environment(directory, port, api_key) | environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
        yield Server(f"http://127.0.0.1:{port}", api_key, process, directory)
    finally:
        if (code := process.poll()) not in (None, -signal.SIGKILL):  # crash.py kills its own
            out.print(f"the server ended by itself with code {code}\n{_tail(log)}")
        _stop(process)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def _environment(directory: Path, port: int, api_key: str) -> dict[str, str]:
    return {
        "DATA_DIR": str(directory),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "AUTH_MODE": "required",
        "ADMIN_API_KEY": api_key,
        "LOG_LEVEL": "WARNING",
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A TCP port of the loopback that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(base_url: str, process: subprocess.Popen[bytes] | None = None, log: Path | None = None) -> float:
    """Wait until GET /health answers 200; the seconds that it took.

    Raises:
        RuntimeError: the process ended, or two minutes have passed.
    """
    begin = time.perf_counter()
    while time.perf_counter() - begin < START_SECONDS:
        if process and process.poll() is not None:
            break
        try:
            if httpx.get(f"{base_url}/health", timeout=5).status_code == 200:
                return time.perf_counter() - begin
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.05)
    raise RuntimeError(f"the server at {base_url} does not answer\n{_tail(log) if log else ''}")


def connect(server: Server) -> httpx.Client:
    """A client with the server's key; close it."""
    return httpx.Client(
        base_url=server.base_url, headers={"Authorization": f"Bearer {server.api_key}"}, timeout=TIMEOUT
    )


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer itself if it is 2xx.

    Raises:
        RuntimeError: it is not; the message holds the request and the body.
    """
    if not answer.is_success:
        request = f"{answer.request.method} {answer.request.url}"
        raise RuntimeError(f"{request} answered {answer.status_code}: {answer.text[:500]}")
    return answer


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` (0..100) of the values lie, between neighbours in proportion; NaN of none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; NaN of none."""
    return sum(values) / len(values) if values else float("nan")


def progress() -> Progress:
    """A progress bar on standard error, so that standard output holds results only."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
