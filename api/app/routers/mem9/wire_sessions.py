"""Raw turns and imports in mem9's shapes. Pure: no FastAPI, no I/O."""

from collections.abc import Sequence
from typing import Any

from app.errors import Invalid
from app.routers.mem9.wire import filled, moment, source
from app.routers.reply import Reply
from app.services import imports, ingests, sessions
from app.services.imports import TaskView
from app.services.sessions import TurnView
from app.services.space_chains import Source

MOST_SESSIONS = 100
EACH = 500
KINDS = ("session", "memory")
MAX_AGENT = 100  # bytes of an import's agent_id; a longer one is left out


def wanted(session_ids: Sequence[str]) -> list[str]:
    """The sessions, each once.

    Raises:
        Invalid: none, or too many.
    """
    names = list(dict.fromkeys(name for one in session_ids if (name := ingests.named("session_id", one))))
    if not names:
        raise Invalid("session_id: at least one session_id required")
    if len(names) > MOST_SESSIONS:
        raise Invalid(f"session_id: too many session_ids: maximum is {MOST_SESSIONS}")
    return names


def each(limit: str | None) -> int:
    """How many turns of a session.

    Raises:
        Invalid: no positive whole number.
    """
    if not limit:
        return EACH
    if not limit.isascii() or not limit.isdigit() or len(limit) > 18 or int(limit) < 1:
        raise Invalid("limit_per_session: must be a positive integer")
    return min(int(limit), EACH)


def turns(found: Sequence[tuple[TurnView, Source | None]], each: int) -> Reply:
    """The rows of GET /session-messages."""
    return Reply(200, {"messages": [_turn(view, place) for view, place in found], "limit_per_session": each})


def _turn(view: TurnView, place: Source | None) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "session_id": view.run_id or "",
        "agent_id": view.agent_id or "",
        "source": view.source or "",
        "seq": view.seq,
        "role": view.role,
        "content": view.content,
        "content_type": sessions.kind_of(view.content),
        "tags": view.tags,
        "state": "active",
        "created_at": moment(view.created_at),
        "updated_at": moment(view.updated_at),
        **filled({"chain_source": source(place)}),
    }


def kind(file_type: str | None) -> str:
    """What a file holds.

    Raises:
        Invalid: neither of the two.
    """
    if file_type not in KINDS:
        raise Invalid("file_type: must be session or memory")
    return file_type


def agent(agent_id: str | None) -> str | None:
    """The agent that a file is attributed to.

    Raises:
        Invalid: it could be a path.
    """
    if agent_id and any(part in agent_id for part in ("/", "\\", "..")):
        raise Invalid("agent_id: invalid characters in agent_id")
    return agent_id if agent_id and len(agent_id.encode("utf-8", "replace")) <= MAX_AGENT else None


def accepted(task: TaskView) -> Reply:
    """A file that was taken in. Whatever becomes of it, the task says: a client has to ask it anyway."""
    return Reply(202, {"id": str(task.id), "status": imports.PENDING})


def task(found: TaskView) -> Reply:
    """One import."""
    return Reply(200, _task(found))


def _task(found: TaskView) -> dict[str, Any]:
    return {
        "id": str(found.id),
        "file": found.file,
        "status": found.status,
        "total": found.total,
        "done": found.done,
        **filled({"error": found.error}),
    }


def tasks(found: Sequence[TaskView]) -> Reply:
    """All imports, and how they stand together."""
    return Reply(200, {"status": imports.overall(found), "tasks": [_task(one) for one in found]})
