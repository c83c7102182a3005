"""/imports."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from app.errors import TooLarge
from app.routers.bounds import bounded, says_more
from app.routers.openmemory import wire_imports as wire
from app.routers.openmemory.fields import Name
from app.routers.openmemory.paging import FiftyAPage
from app.routers.protocol import Reading, Writing, runtime_of
from app.services import import_previews, import_tasks, import_undos
from app.services.import_pieces import Options

router = APIRouter(prefix="/imports", tags=["imports"])

FORM_BYTES = 4 * 1024 * 1024  # around the file: a list of chosen conversations is long
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "At most MAX_IMPORT_BYTES."},
                        "options": {"type": "string", "description": "ImportOptions, as JSON."},
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file, and what was chosen."""

    file: BinaryIO
    filename: str
    options: Options


async def upload(request: Request) -> AsyncIterator[Upload]:
    """The form, spooled to the disk and bounded while it comes in.

    Read here and not declared as the endpoint's body, which FastAPI would read before it asks who is there.
    """
    limit = runtime_of(request).settings.max_import_bytes + FORM_BYTES
    too_large = TooLarge(f"The upload is longer than {limit} bytes")
    if says_more(request.scope, limit):
        raise too_large
    body = Request(request.scope, bounded(request.receive, limit, too_large))
    async with body.form(max_files=1, max_fields=8, max_part_size=FORM_BYTES) as form:
        yield _upload(form)


def _upload(form: FormData) -> Upload:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise RequestValidationError([{"type": "missing", "loc": ("body", "file"), "msg": "Field required"}])
    sent = form.get("options")
    try:
        options = wire.ImportOptions.model_validate_json(sent if isinstance(sent, str) and sent.strip() else "{}")
    except ValidationError as error:
        problems = [{**item, "loc": ("body", "options", *item["loc"])} for item in error.errors(include_context=False)]
        raise RequestValidationError(problems) from error
    return Upload(file.file, file.filename or "file", wire.options(options))


Uploaded = Annotated[Upload, Depends(upload, scope="function")]


@router.post(
    "/preview", response_model=wire.ImportPreview, summary="What a file holds, nothing written", openapi_extra=BODY
)
def preview(ctx: Reading, sent: Uploaded) -> wire.ImportPreview:
    """The format, what there is, what is known already, and what cannot be read."""
    return wire.preview(import_previews.preview(ctx, sent.file, sent.filename, sent.options))


@router.post("", status_code=202, response_model=wire.ImportOne, summary="Take a file in", openapi_extra=BODY)
def create(ctx: Writing, sent: Uploaded) -> wire.ImportOne:
    """The worker stores it piece by piece; a backup is brought back at once, all of it or nothing."""
    return wire.one(import_tasks.create(ctx, sent.file, sent.filename, sent.options))


@router.get("", response_model=wire.ImportPage, summary="List imports")
def listing(
    ctx: Reading,
    paging: FiftyAPage,
    user_id: Annotated[Name | None, Query(description="The owner; the key's own user without it.")] = None,
) -> wire.ImportPage:
    """Newest first. A key that is bound to an app sees that app's."""
    return wire.page(import_tasks.listing(ctx, paging.window, user_id), paging)


@router.get("/{import_id}", response_model=wire.ImportOne, summary="One import")
def get(ctx: Reading, import_id: UUID) -> wire.ImportOne:
    """How far it is, what came of it, and the first of its pieces that failed."""
    return wire.one(import_tasks.get(ctx, import_id))


@router.post("/{import_id}/cancel", response_model=wire.ImportOne, summary="Call off what has not been begun")
def cancel(ctx: Writing, import_id: UUID) -> wire.ImportOne:
    """What is done stays."""
    return wire.one(import_tasks.cancel(ctx, import_id))


@router.post("/{import_id}/retry", response_model=wire.ImportOne, summary="Try the failed pieces again")
def retry(ctx: Writing, import_id: UUID) -> wire.ImportOne:
    """The worker does it."""
    return wire.one(import_tasks.retry(ctx, import_id))


@router.post("/{import_id}/undo", response_model=wire.TakenBack, summary="Take an import back")
def undo(ctx: Writing, import_id: UUID, body: wire.TakeBack | None = None) -> wire.TakenBack:
    """So many pieces a request: ask again until nothing is left."""
    return wire.taken_back(import_undos.take_back(ctx, import_id, force=bool(body and body.force)))
