"""/imports."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from app.errors import Invalid
from app.routers.bounds import bounded, says_more
from app.routers.mem9 import wire_sessions as wire
from app.routers.mem9.door import Id, Reading, ReadSpace, WriteSpace, Writing, answer, refuse_pages
from app.routers.mem9.wire_memories import identifier
from app.services import imports

router = APIRouter(prefix="/imports", tags=["imports"])

TOO_LARGE = "invalid multipart form or file too large: {}"
FIELDS = ("file_type", "agent_id", "session_id")
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "file_type"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "file_type": {"type": "string", "enum": list(wire.KINDS)},
                        "agent_id": {"type": "string"},
                        "session_id": {"type": "string"},
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file and the form's fields."""

    file: BinaryIO
    filename: str
    kind: str
    agent_id: str | None
    session_id: str | None


async def upload(request: Request) -> AsyncIterator[Upload]:
    """The form, spooled to the disk and bounded while it comes in.

    Read here and not declared as the endpoint's body, which FastAPI would read before it asks who is there.
    """
    refuse_pages(request)
    too_large = Invalid(TOO_LARGE.format(f"more than {imports.MAX_BYTES} bytes"))
    if says_more(request.scope, imports.MAX_BYTES):
        raise too_large
    try:
        form = await Request(request.scope, bounded(request.receive, imports.MAX_BYTES, too_large)).form(
            max_files=1, max_fields=8
        )
    except HTTPException as error:
        raise Invalid(TOO_LARGE.format(error.detail)) from None
    try:
        yield _upload(form)
    finally:
        await form.close()


def _upload(form: FormData) -> Upload:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise Invalid("file: file required")
    kind, agent_id, session_id = (one if isinstance(one := form.get(name), str) else None for name in FIELDS)
    return Upload(file.file, file.filename or "", wire.kind(kind), wire.agent(agent_id), session_id)


Uploaded = Annotated[Upload, Depends(upload, scope="function")]


@router.post("", status_code=202, summary="Take in a file of memories or of a session", openapi_extra=BODY)
def create(ctx: Writing, space: WriteSpace, sent: Uploaded) -> Response:
    """A task: what becomes of it is to be asked."""
    task = imports.create(ctx, space, sent.file, sent.filename, sent.kind, sent.agent_id, sent.session_id)
    return answer(wire.accepted(task))


@router.get("", summary="All imports, newest first")
def listing(ctx: Reading, space: ReadSpace) -> Response:
    """And how they stand together."""
    return answer(wire.tasks(imports.listing(ctx, space)))


@router.get("/{task_id}", summary="One import")
def get(ctx: Reading, space: ReadSpace, task_id: Id) -> Response:
    """How many of its pieces are done."""
    return answer(wire.task(imports.get(ctx, space, identifier(task_id))))
