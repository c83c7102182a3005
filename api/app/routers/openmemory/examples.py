"""One body that works for each request of this door, for the API reference."""

from typing import Any

MEMORY = "01a1fe24-e396-7509-98c4-a63598f0d0e1"

EXAMPLES: dict[str, Any] = {
    "POST /memories": {"user_id": "alice", "text": "I moved to Lisbon in May", "app": "notes", "infer": True},
    "DELETE /memories": {"user_id": "alice", "memory_ids": [MEMORY]},
    "POST /memories/bulk": {
        "user_id": "alice",
        "app": "notes",
        "memories": [
            {"text": "I moved to Lisbon in May"},
            {"text": "My cat is called Mia", "metadata": {"tag": "pet"}},
        ],
    },
    "POST /memories/filter": {"user_id": "alice", "search_query": "Lisbon", "page": 1, "size": 10},
    "POST /memories/filter/ids": {"user_id": "alice", "tags": ["travel"]},
    "POST /memories/actions/label": {"user_id": "alice", "memory_ids": [MEMORY], "add_tags": ["travel"]},
    "POST /memories/actions/export": {"user_id": "alice", "memory_ids": [MEMORY]},
    "POST /memories/actions/archive": {"user_id": "alice", "memory_ids": [MEMORY]},
    "POST /memories/actions/restore": {"user_id": "alice", "memory_ids": [MEMORY]},
    "POST /memories/actions/pause": {"user_id": "alice", "memory_ids": [MEMORY], "state": "paused"},
    "PUT /memories/{memory_id}": {"user_id": "alice", "memory_content": "I moved to Lisbon in June"},
    "DELETE /memories/{memory_id}": {"user_id": "alice"},
    "POST /memories/search": {"user_id": "alice", "query": "Where do I live?", "mode": "hybrid", "limit": 5},
    "POST /memories/search/why-not": {"user_id": "alice", "query": "Where do I live?", "memory_id": MEMORY},
    "POST /memories/{memory_id}/restore": {"version": 1},
    "POST /memories/{memory_id}/purge": {"user_id": "alice"},
    "POST /events/{event_id}/undo": {"force": False},
    "POST /events/{event_id}/dismiss": {"is_dismissed": True},
    "POST /review/scan": {"user_id": "alice"},
    "POST /review/resolve": {"finding_ids": [MEMORY], "action": "keep"},
    "POST /review/undo": {"finding_ids": [MEMORY]},
    "POST /review/{finding_id}/resolve": {"action": "merge", "text": "I moved to Lisbon in May 2026"},
    "PUT /apps/{app_id}": {"is_active": False},
    "POST /apps/{app_id}/access-rules": {"effect": "deny", "memory_id": MEMORY},
    "POST /backup/export": {"user_id": "alice"},
    "POST /backup/export/count": {"user_id": "alice"},
    "POST /imports/{import_id}/undo": {"force": False},
    "PUT /config": {"openmemory": {"custom_instructions": "Remember decisions and why they were taken."}},
    "PATCH /config": {"openmemory": {"custom_instructions": "Remember decisions and why they were taken."}},
    "PUT /config/mem0/llm": {
        "provider": "openai",
        "config": {"model": "gpt-4.1-mini", "api_key": "env:OPENAI_API_KEY"},
    },
    "PUT /config/mem0/embedder": {"provider": "local", "config": {}},
    "PUT /config/mem0/vector_store": {"provider": "database", "config": {}},
    "PUT /config/openmemory": {"custom_instructions": "Remember decisions and why they were taken."},
    "POST /config/test": {"name": "embedder", "section": {"provider": "local", "config": {}}},
    "POST /auth/login": {"user_id": "alice", "password": "correct horse battery staple"},
    "POST /auth/refresh": {"refresh_token": "the token that the last answer had"},
    "POST /auth/logout": {"refresh_token": "the token that the last answer had"},
    "POST /api-keys": {"label": "laptop", "scopes": ["read", "write"]},
    "PUT /api-keys/{key_id}": {"label": "old laptop"},
    "POST /users": {"user_id": "alice", "password": "correct horse battery staple"},
    "PUT /users/{user_id}": {"name": "Alice"},
}
