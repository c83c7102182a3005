"""Files as other products write them, made by us from their public descriptions: scripted, no real export."""

import io
import json
import zipfile
from typing import Any


def zipped(**files: Any) -> bytes:
    """A zip; `__` in a name is a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, held in files.items():
            made.writestr(name.replace("__", "."), held if isinstance(held, bytes | str) else json.dumps(held))
    return out.getvalue()


def chatgpt(id: str, title: str, *said: tuple[str, str], at: float = 1_714_550_400) -> dict[str, Any]:
    """A conversation of ChatGPT's: a tree with an abandoned branch beside the current one."""
    nodes: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": ["n0"]}}
    parent = "root"
    for place, (role, text) in enumerate(said):
        nodes[f"n{place}"] = {
            "id": f"n{place}",
            "parent": parent,
            "children": [f"n{place + 1}"],
            "message": {
                "author": {"role": role, "name": None},
                "create_time": at + place,
                "content": {"content_type": "text", "parts": [text]},
                "recipient": "all",
                "metadata": {},
            },
        }
        parent = f"n{place}"
    left = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["an abandoned draft"]}}
    nodes["aside"] = {"id": "aside", "parent": "root", "children": [], "message": left}
    return {
        "conversation_id": id, "title": title, "create_time": at, "update_time": at, "mapping": nodes,
        "current_node": parent,
    }  # fmt: skip


def claude(uuid: str, name: str, *said: tuple[str, str]) -> dict[str, Any]:
    """A conversation of Claude's."""
    return {
        "uuid": uuid,
        "name": name,
        "created_at": "2025-03-02T15:59:23.000000Z",
        "updated_at": "2025-03-02T15:59:23.000000Z",
        "account": {"uuid": "u"},
        "chat_messages": [
            {
                "uuid": f"{uuid}-{place}",
                "sender": sender,
                "text": text,
                "content": [{"type": "text", "text": text}],
                "created_at": "2025-03-02T16:00:00Z",
            }
            for place, (sender, text) in enumerate(said)
        ],
    }


def mem0(**fields: Any) -> dict[str, Any]:
    """A memory of mem0's."""
    return {
        "id": "0fbd9f7c-2d0a-4c6c-9a1f-6d1c9f1b2a11",
        "memory": "Prefers window seats",
        "hash": "d41d8cd98f00b204e9800998ecf8427e",
        "metadata": {"source": "chat"},
        "categories": ["travel"],
        "created_at": "2024-07-20T01:30:36.275141-07:00",
        "updated_at": "2024-07-20T01:30:36.275172-07:00",
        "user_id": "alex",
        "agent_id": "planner",
        "run_id": "trip-1",
        **fields,
    }
