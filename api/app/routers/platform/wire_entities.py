"""Users, agents, apps and runs in the hosted mem0's shapes. Pure: no FastAPI, no I/O."""

from typing import Any

from app.services.entities import Entity

ORG_ID, PROJECT_ID = "commonplace", "default"  # there is one of each: the server


def entity(one: Entity) -> dict[str, Any]:
    """One entity; `id` and `name` are the same, for older clients delete by the one and newer ones by the other."""
    return {
        "id": one.name,
        "name": one.name,
        "type": one.kind,
        "total_memories": one.total,
        "created_at": one.created_at.isoformat(),
        "updated_at": one.updated_at.isoformat(),
        "owner": PROJECT_ID,
        "organization": ORG_ID,
        "metadata": {},
    }


def ping(email: str | None, name: str) -> dict[str, Any]:
    """Whom the key belongs to; the client takes the organisation and project from here."""
    return {"status": "ok", "org_id": ORG_ID, "project_id": PROJECT_ID, "user_email": email or name}
