"""Every door as a test uses it: the same verbs, each in its own protocol's words.

`write`, `find`, `read`, `change`, `delete` are what clients do; a door that has no verb for one says so in `lacks`.
`check_error` is the one assertion about how a door says what went wrong.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

ID_IN_PATH = "{id}"


class Door:
    """One protocol, asked with one key."""

    name: ClassVar[str]
    lacks: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, app: FastAPI, key: str, user: str = "ann") -> None:
        """`user`: whom the requests name, at the doors whose requests name somebody."""
        self.app = app
        self.key = key
        self.user = user
        self.client = TestClient(app, headers=self.credential(key), raise_server_exceptions=False)

    def credential(self, key: str) -> dict[str, str]:
        """The headers that carry the key."""
        return {"Authorization": f"Bearer {key}"}

    def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        kind: str | None = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request with the key."""
        named = {"Content-Type": kind} if kind and content is not None else {}
        self.last = self.client.request(method, path, json=json, content=content, headers={**named, **(headers or {})})
        return self.last

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of a request that has to succeed."""
        response = self.ask(method, path, json=body)
        assert response.status_code < 300, (self.name, method, path, response.status_code, response.text)
        return response.json() if response.content else None

    # What a client does

    def write(self, words: str) -> str:
        """Store the words as they are; the memory's id."""
        raise NotImplementedError

    def find(self, query: str) -> list[str]:
        """What a search shows, best first."""
        raise NotImplementedError

    def listed(self) -> list[str]:
        """What a list of everything shows."""
        raise NotImplementedError

    def read(self, id: str) -> str | None:
        """What the memory says; None if there is none."""
        raise NotImplementedError

    def change(self, id: str, words: str) -> None:
        """Have it say something else."""
        raise NotImplementedError

    def delete(self, id: str) -> None:
        """Delete it."""
        raise NotImplementedError

    # How it asks

    def body(self, words: str) -> dict[str, Any]:
        """The body that stores the words."""
        raise NotImplementedError

    path: ClassVar[str]

    def sample_write(self, words: str, **more: Any) -> tuple[str, str, bytes]:
        """Method, path and body of a write."""
        return "POST", self.path, json.dumps({**self.body(words), **more}).encode()

    def sample_reads(self) -> list[str]:
        """Paths of reads that succeed whatever is stored."""
        raise NotImplementedError

    def of_id(self) -> list[tuple[str, str, Any]]:
        """Every request that names a memory: method, path with `{id}`, body with `{id}`."""
        raise NotImplementedError

    def check_error(self, response: Response) -> None:
        """The answer says what went wrong in this protocol's shape."""
        raise NotImplementedError

    def _read(self, path: str, field: str) -> str | None:
        response = self.ask("GET", path)
        if response.status_code == 404:
            self.check_error(response)
            return None
        assert response.status_code == 200, (self.name, path, response.text)
        said = response.json()
        for part in field.split("."):
            said = said[part]
        return str(said)


class OpenMemory(Door):
    """`/api/v1`."""

    name = "openmemory"
    path = "/api/v1/memories"

    def body(self, words: str) -> dict[str, Any]:
        return {"text": words, "infer": False}

    def write(self, words: str) -> str:
        return str(self.done("POST", self.path, self.body(words))["id"])

    def find(self, query: str) -> list[str]:
        return [hit["content"] for hit in self.done("POST", f"{self.path}/search", {"query": query})["results"]]

    def listed(self) -> list[str]:
        return [item["content"] for item in self.done("GET", f"{self.path}?size=100")["items"]]

    def read(self, id: str) -> str | None:
        return self._read(f"{self.path}/{id}", "text")

    def change(self, id: str, words: str) -> None:
        self.done("PUT", f"{self.path}/{id}", {"memory_content": words})

    def delete(self, id: str) -> None:
        self.done("DELETE", f"{self.path}/{id}")

    def state(self, id: str, state: str) -> None:
        """Pause or resume it; the other doors have no verb for it."""
        self.done("POST", f"{self.path}/actions/pause", {"memory_ids": [id], "state": state})

    def sample_reads(self) -> list[str]:
        return [self.path, "/api/v1/apps", "/api/v1/stats"]

    def of_id(self) -> list[tuple[str, str, Any]]:
        one = f"{self.path}/{ID_IN_PATH}"
        return [
            ("GET", one, None),
            ("PUT", one, {"memory_content": "mine now"}),
            ("DELETE", one, None),
            ("DELETE", self.path, {"memory_ids": [ID_IN_PATH]}),
            ("GET", f"{one}/history", None),
            ("GET", f"{one}/related", None),
            ("GET", f"{one}/access-log", None),
            ("POST", f"{one}/restore", {}),
            ("POST", f"{self.path}/actions/archive", {"memory_ids": [ID_IN_PATH]}),
            ("POST", f"{self.path}/actions/pause", {"memory_ids": [ID_IN_PATH], "state": "paused"}),
        ]

    def check_error(self, response: Response) -> None:
        assert response.json()["detail"], response.text


class Mem0(Door):
    """mem0's OSS server, at the root."""

    name = "mem0"
    path = "/memories"

    def credential(self, key: str) -> dict[str, str]:
        return {"X-API-Key": key}

    def body(self, words: str) -> dict[str, Any]:
        return {"messages": [{"role": "user", "content": words}], "user_id": self.user, "infer": False}

    def write(self, words: str) -> str:
        return str(self.done("POST", self.path, self.body(words))["results"][0]["id"])

    def find(self, query: str) -> list[str]:
        found = self.done("POST", "/search", {"query": query, "user_id": self.user})
        return [hit["memory"] for hit in found["results"]]

    def listed(self) -> list[str]:
        return [item["memory"] for item in self.done("GET", f"{self.path}?user_id={self.user}&top_k=100")["results"]]

    def read(self, id: str) -> str | None:
        return self._read(f"{self.path}/{id}", "memory")

    def change(self, id: str, words: str) -> None:
        self.done("PUT", f"{self.path}/{id}", {"text": words})

    def delete(self, id: str) -> None:
        self.done("DELETE", f"{self.path}/{id}")

    def sample_reads(self) -> list[str]:
        return [f"{self.path}?user_id={self.user}", "/entities"]

    def of_id(self) -> list[tuple[str, str, Any]]:
        one = f"{self.path}/{ID_IN_PATH}"
        return [
            ("GET", one, None),
            ("PUT", one, {"text": "mine now"}),
            ("DELETE", one, None),
            ("GET", f"{one}/history", None),
        ]

    def check_error(self, response: Response) -> None:
        assert response.json()["detail"], response.text


class Platform(Door):
    """Hosted mem0, under the prefix that it shares with nobody."""

    name = "platform"
    path = "/platform/v1/memories/"

    def credential(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Token {key}"}

    def body(self, words: str) -> dict[str, Any]:
        return {
            **{"messages": [{"role": "user", "content": words}], "user_id": self.user, "infer": False},
            "async_mode": False,
        }

    def write(self, words: str) -> str:
        answer = self.done("POST", self.path, self.body(words))
        return str((answer["results"] if isinstance(answer, dict) else answer)[0]["id"])

    def find(self, query: str) -> list[str]:
        body = {"query": query, "filters": {"user_id": self.user}}
        return [hit["memory"] for hit in self.done("POST", "/platform/v3/memories/search/", body)["results"]]

    def listed(self) -> list[str]:
        body = {"filters": {"user_id": self.user}}
        return [item["memory"] for item in self.done("POST", "/platform/v3/memories/", body)["results"]]

    def read(self, id: str) -> str | None:
        return self._read(f"{self.path}{id}/", "memory")

    def change(self, id: str, words: str) -> None:
        self.done("PUT", f"{self.path}{id}/", {"text": words})

    def delete(self, id: str) -> None:
        self.done("DELETE", f"{self.path}{id}/")

    def sample_reads(self) -> list[str]:
        return ["/platform/v1/ping/", "/platform/v1/entities/"]

    def of_id(self) -> list[tuple[str, str, Any]]:
        one = f"{self.path}{ID_IN_PATH}/"
        return [
            ("GET", one, None),
            ("PUT", one, {"text": "mine now"}),
            ("DELETE", one, None),
            ("GET", f"{one}history/", None),
            ("PUT", "/platform/v1/batch/", {"memories": [{"memory_id": ID_IN_PATH, "text": "mine now"}]}),
            ("DELETE", "/platform/v1/batch/", {"memories": [{"memory_id": ID_IN_PATH}]}),
            ("POST", "/platform/v1/feedback/", {"memory_id": ID_IN_PATH, "feedback": "POSITIVE"}),
        ]

    def check_error(self, response: Response) -> None:
        assert isinstance(response.json(), dict), response.text
        assert response.json(), response.text


class Mem0Local(Door):
    """`/v1`, the envelope."""

    name = "mem0-local"
    path = "/v1/memories"

    def body(self, words: str) -> dict[str, Any]:
        return {"content": words, "user_id": self.user}

    def write(self, words: str) -> str:
        return str(self.done("POST", self.path, self.body(words))["data"]["memories"][0]["id"]).removeprefix("mem_")

    def find(self, query: str) -> list[str]:
        found = self.done("GET", f"{self.path}/search?{urlencode({'query': query, 'user_id': self.user})}")
        return [hit["content"] for hit in found["data"]["memories"]]

    def listed(self) -> list[str]:
        return [
            item["content"] for item in self.done("GET", f"{self.path}/user/{self.user}?limit=50")["data"]["memories"]
        ]

    def read(self, id: str) -> str | None:
        return self._read(f"{self.path}/{id}", "data.content")

    def change(self, id: str, words: str) -> None:
        self.done("PUT", f"{self.path}/{id}", {"content": words})

    def delete(self, id: str) -> None:
        self.done("DELETE", f"{self.path}/{id}")

    def sample_reads(self) -> list[str]:
        return [f"{self.path}/user/{self.user}", "/v1/status", "/v1/health"]

    def of_id(self) -> list[tuple[str, str, Any]]:
        one = f"{self.path}/{ID_IN_PATH}"
        return [("GET", one, None), ("PUT", one, {"content": "mine now"}), ("DELETE", one, None)]

    def check_error(self, response: Response) -> None:
        body = response.json()
        assert body["success"] is False, body
        assert body["timestamp"], body
        assert body["error"]["code"].isupper(), body
        assert body["error"]["message"], body


class Memento(Door):
    """`/api`."""

    name = "memento"
    path = "/api/save"
    lacks = frozenset({"change"})

    def credential(self, key: str) -> dict[str, str]:
        return {"x-api-key": key}

    def body(self, words: str) -> dict[str, Any]:
        return {"content": words, "namespace": "garden"}

    def write(self, words: str) -> str:
        return str(self.done("POST", self.path, self.body(words))["ids"][0])

    def _entries(self, query: str) -> list[dict[str, Any]]:
        found = self.done("POST", "/api/search", {"query": query, "searchMode": "hybrid", "limit": 100})
        return [hit["entry"] for hit in found["results"]]

    def find(self, query: str) -> list[str]:
        return [entry["content"] for entry in self._entries(query)]

    def listed(self) -> list[str]:
        # Its list is of one namespace; what a search over all of them shows is the nearest that it has.
        return self.find("anything at all that is remembered")

    def read(self, id: str) -> str | None:
        # No verb reads one by its id.
        entries = self._entries("anything at all that is remembered")
        return next((str(entry["content"]) for entry in entries if entry["id"] == id), None)

    def delete(self, id: str) -> None:
        self.done("DELETE", f"/api/{id}")

    def sample_reads(self) -> list[str]:
        return ["/api/list", "/api/health"]

    def of_id(self) -> list[tuple[str, str, Any]]:
        return [("DELETE", f"/api/{ID_IN_PATH}", None)]

    def check_error(self, response: Response) -> None:
        body = response.json()
        assert body["success"] is False, body
        assert body["error"], body
        assert body["code"].isupper(), body


class Mem9(Door):
    """`/v1alpha2`."""

    name = "mem9"
    path = "/v1alpha2/mem9s/memories"

    def credential(self, key: str) -> dict[str, str]:
        return {"X-API-Key": key}

    def body(self, words: str) -> dict[str, Any]:
        return {"content": words, "memory_type": "pinned"}

    def write(self, words: str) -> str:
        return str(self.done("POST", self.path, self.body(words))["id"])

    def find(self, query: str) -> list[str]:
        found = self.done("GET", f"{self.path}?{urlencode({'q': query})}")
        return [hit["content"] for hit in found["memories"]]

    def listed(self) -> list[str]:
        return [item["content"] for item in self.done("GET", f"{self.path}?limit=100")["memories"]]

    def read(self, id: str) -> str | None:
        return self._read(f"{self.path}/{id}", "content")

    def change(self, id: str, words: str) -> None:
        self.done("PUT", f"{self.path}/{id}", {"content": words})

    def delete(self, id: str) -> None:
        self.done("DELETE", f"{self.path}/{id}")

    def sample_reads(self) -> list[str]:
        return [self.path, "/v1alpha2/mem9s/imports"]

    def of_id(self) -> list[tuple[str, str, Any]]:
        one = f"{self.path}/{ID_IN_PATH}"
        return [
            ("GET", one, None),
            ("PUT", one, {"content": "mine now"}),
            ("DELETE", one, None),
            ("POST", f"{self.path}/batch-delete", {"ids": [ID_IN_PATH]}),
        ]

    def check_error(self, response: Response) -> None:
        said = response.json()["error"]
        assert isinstance(said, str), said
        assert said


class Mcp(Door):
    """`/mcp`: its verbs are tools."""

    name = "mcp"
    path = "/mcp"

    def credential(self, key: str) -> dict[str, str]:
        accepts = "application/json, text/event-stream"
        return {"Authorization": f"Bearer {key}", "Accept": accepts}

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The result of a tool."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        answer = self.done("POST", self.path, asked)
        result: dict[str, Any] = answer["result"]
        return result

    def used(self, tool: str, **arguments: Any) -> Any:
        """What a tool says that has to succeed."""
        result = self.call(tool, **arguments)
        assert not result.get("isError"), result
        return result["structuredContent"]

    def body(self, words: str) -> dict[str, Any]:
        arguments = {"text": words, "infer": False}
        call = {"name": "add_memories", "arguments": arguments}
        return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}

    def write(self, words: str) -> str:
        return str(self.used("add_memories", text=words, infer=False)["results"][0]["id"])

    def find(self, query: str) -> list[str]:
        return [hit["memory"] for hit in self.used("search_memory", query=query)["results"]]

    def listed(self) -> list[str]:
        return [item["memory"] for item in self.used("list_memories")["results"]]

    def read(self, id: str) -> str | None:
        result = self.call("get_memory", memory_id=id)
        return None if result.get("isError") else str(result["structuredContent"]["memory"])

    def change(self, id: str, words: str) -> None:
        self.used("update_memory", memory_id=id, text=words)

    def delete(self, id: str) -> None:
        self.used("delete_memories", memory_ids=[id])

    def sample_reads(self) -> list[str]:
        return []

    def of_id(self) -> list[tuple[str, str, Any]]:
        def tool(name: str, **arguments: Any) -> tuple[str, str, Any]:
            call = {"name": name, "arguments": arguments}
            return "POST", self.path, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}

        return [
            tool("get_memory", memory_id=ID_IN_PATH),
            tool("update_memory", memory_id=ID_IN_PATH, text="mine now"),
            tool("delete_memories", memory_ids=[ID_IN_PATH]),
            tool("memory_history", memory_id=ID_IN_PATH),
        ]

    def check_error(self, response: Response) -> None:
        assert response.json()["error"], response.text


ALL: tuple[type[Door], ...] = (OpenMemory, Mem0, Platform, Mem0Local, Memento, Mem9, Mcp)
