"""A scripted LLM: an OpenAI-compatible server over real HTTP that answers what the test tells it to.

It thinks nothing. What these tests show is how the server treats a model's answers and failures, not how good any
model's answers are.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from app.context import Context, Runtime
from app.services import configs

CONNECTION_CUT = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is no plain 200; status 0 cuts the connection."""

    content: str = ""
    status: int = 200
    delay: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


Answer = str | Reply | dict[str, Any]


class ScriptedLlm:
    """Answers requests in the order of `script`; what is beyond it is answered by `default`, or 500."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.default: Callable[[dict[str, Any]], Answer] | None = None
        self.requests: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer._answer(self, sent)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """What `openai_base_url` is to be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def say(self, *answers: Answer) -> None:
        """Answer these next, in this order; a dict as JSON."""
        self.script.extend(answers)

    def prompts(self) -> list[str]:
        """Everything that each request said, system prompt first."""
        return ["\n".join(message["content"] for message in sent["messages"]) for sent in self.requests]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, sent: dict[str, Any]) -> None:
        with self._lock:
            self.requests.append(sent)
            answer = self.script.pop(0) if self.script else self.default(sent) if self.default else Reply(status=500)
        if isinstance(answer, dict):
            answer = json.dumps(answer)
        reply = Reply(answer) if isinstance(answer, str) else answer
        time.sleep(reply.delay)
        if reply.status == CONNECTION_CUT:
            handler.close_connection = True
            handler.connection.shutdown(2)
            return
        self._send(handler, reply)

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        message = {"role": "assistant", "content": reply.content}
        body: dict[str, Any] = {
            "id": "scripted",
            "object": "chat.completion",
            "created": 0,
            "model": "scripted",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }
        if reply.status != 200:
            body = {"error": {"message": f"scripted {reply.content}", "type": "scripted"}}
        sent = json.dumps(body).encode()
        try:
            handler.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Type": "application/json"}.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(sent)))
            handler.end_headers()
            handler.wfile.write(sent)
        except OSError:
            pass  # whoever asked has not waited


@pytest.fixture
def scripted() -> Iterator[ScriptedLlm]:
    """A scripted LLM that nobody uses yet."""
    llm = ScriptedLlm()
    yield llm
    llm.close()


@pytest.fixture
def llm(scripted: ScriptedLlm, runtime: Runtime) -> ScriptedLlm:
    """The scripted LLM, configured as the server's through the configuration's own verb."""
    runtime.settings.allowed_provider_hosts = ["127.0.0.1"]
    configure(runtime, scripted)
    return scripted


def configure(runtime: Runtime, scripted: ScriptedLlm, timeout: float = 5, **ours: Any) -> None:
    """Make it the server's LLM."""
    config = {"model": "scripted", "api_key": "sk-scripted-0123456789abcdef", "openai_base_url": scripted.url}
    sent = {
        "mem0": {"llm": {"provider": "openai", "config": config}},
        "openmemory": {"llm_timeout": timeout, **ours},
    }
    with runtime.context(_admin(runtime), writing=True) as ctx:
        change(ctx, sent)


def change(ctx: Context, sent: dict[str, Any]) -> None:
    """Change the configuration."""
    configs.merge(ctx, sent)


def _admin(runtime: Runtime) -> Any:
    return configs.accounts.admin(runtime)


def facts(*texts: str | dict[str, Any]) -> dict[str, Any]:
    """An answer to the first question."""
    return {"facts": [text if isinstance(text, dict) else {"text": text, "turns": [1]} for text in texts]}


def decisions(*items: dict[str, Any]) -> dict[str, Any]:
    """An answer to the second."""
    return {"decisions": list(items)}
