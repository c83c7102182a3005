"""One body that works for each request of this door, for the API reference."""

from typing import Any

EXAMPLES: dict[str, Any] = {
    "POST /memories": {
        "messages": [
            {"role": "user", "content": "I am planning to watch a film tonight. Any ideas?"},
            {"role": "assistant", "content": "How about a thriller?"},
            {"role": "user", "content": "I do not like thrillers, I love science fiction."},
        ],
        "user_id": "alice",
        "metadata": {"topic": "films"},
    },
    "PUT /memories/{memory_id}": {"text": "I love science fiction and westerns", "metadata": {"topic": "films"}},
    "POST /search": {"query": "What should I watch?", "filters": {"user_id": "alice", "topic": "films"}, "top_k": 5},
    "POST /configure": {"custom_instructions": "Remember decisions and why they were taken."},
    "POST /generate-instructions": {"use_case": "A diary of the birds that I see"},
}
