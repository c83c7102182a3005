"""One body that works for each request of this door, for the API reference."""

from typing import Any

MEMORY = "01a1fe24-e396-7509-98c4-a63598f0d0e1"
SAID = [{"role": "user", "content": "I moved to Lisbon in May"}]
OF_ALICE = {"AND": [{"user_id": "alice"}, {"run_id": "*"}]}
SEARCH = {"query": "Where do I live?", "filters": {"user_id": "alice"}, "top_k": 5}

EXAMPLES: dict[str, Any] = {
    "POST /v3/memories/add": {"messages": SAID, "user_id": "alice", "metadata": {"topic": "home"}},
    "POST /v1/memories": {"messages": SAID, "user_id": "alice", "output_format": "v1.1"},
    "POST /v3/memories": {"filters": OF_ALICE},
    "POST /v2/memories": {"filters": OF_ALICE},
    "POST /v3/memories/search": SEARCH,
    "POST /v2/memories/search": SEARCH,
    "POST /v1/memories/search": {"query": "Where do I live?", "user_id": "alice", "limit": 5},
    "PUT /v1/memories/{memory_id}": {"text": "I moved to Lisbon in June", "expiration_date": None},
    "PUT /v1/batch": {"memories": [{"memory_id": MEMORY, "text": "I moved to Lisbon in June"}]},
    "DELETE /v1/batch": {"memories": [{"memory_id": MEMORY}]},
    "POST /v1/feedback": {"memory_id": MEMORY, "feedback": "POSITIVE", "feedback_reason": "Just what I needed"},
    "POST /v1/exports": {
        "schema": {"type": "object", "properties": {"city": {"type": "string"}}},
        "filters": {"user_id": "alice"},
    },
    "POST /v1/exports/get": {"filters": {"user_id": "alice"}},
    "POST /v1/summary": {"filters": {"user_id": "alice"}},
    "PATCH /api/v1/orgs/organizations/{org_id}/projects/{project_id}": {
        "custom_instructions": "Remember decisions and why they were taken."
    },
}
