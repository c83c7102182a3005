"""/backup."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile

from app.errors import Invalid, TooLarge
from app.routers.bounds import bounded, says_more
from app.routers.openmemory import wire_backup as wire
from app.routers.openmemory.fields import Name
from app.routers.protocol import Reading, Writing, runtime_of
from app.services import backups

router = APIRouter(prefix="/backup", tags=["backup"])

FORM_BYTES = 1024 * 1024  # around the file
NAME: TypeAdapter[str] = TypeAdapter(Name)
IMPORT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "user_id"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "The zip of an export."},
                        "user_id": {"type": "string", "minLength": 1, "maxLength": 255},
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded backup and the form's fields."""

    file: BinaryIO
    user_id: str
    mode: str


async def upload(
    request: Request,
    mode: Annotated[
        str, Query(description="`skip` keeps memories that are there already, `overwrite` changes them.")
    ] = "overwrite",
    user_id: Annotated[Name | None, Query(description="Where the form has none.")] = None,
) -> AsyncIterator[Upload]:
    """The form, spooled to the disk and bounded while it comes in.

    Read here and not declared as the endpoint's body, which FastAPI would read before it asks who is there.
    """
    limit = runtime_of(request).settings.max_import_bytes + FORM_BYTES
    too_large = TooLarge(f"The upload is longer than {limit} bytes")
    if says_more(request.scope, limit):
        raise too_large
    async with Request(request.scope, bounded(request.receive, limit, too_large)).form(
        max_files=1, max_fields=8
    ) as form:
        yield Upload(_file(form), _owner(form.get("user_id", user_id)), mode)


def _file(form: FormData) -> BinaryIO:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise _missing("file")
    if not (file.filename or "").lower().endswith(".zip"):
        raise Invalid("Expected a zip file.")
    return file.file


def _owner(user_id: object) -> str:
    if user_id is None:
        raise _missing("user_id")
    try:
        return NAME.validate_python(user_id)
    except ValidationError as error:
        raise RequestValidationError([{**item, "loc": ("body", "user_id")} for item in error.errors()]) from error


def _missing(field: str) -> RequestValidationError:
    return RequestValidationError([{"type": "missing", "loc": ("body", field), "msg": "Field required"}])


Uploaded = Annotated[Upload, Depends(upload, scope="function")]


@router.post("/export", response_class=StreamingResponse, summary="A user's memories as a zip")
def export(ctx: Reading, body: wire.ExportRequest) -> StreamingResponse:
    """`memories.json` and `memories.jsonl.gz`, with versions, categories, tags, access controls and status history."""
    zipped = backups.export(ctx, body.user_id, body.wanted())
    return StreamingResponse(zipped, media_type="application/zip", headers=wire.disposition(body.user_id))


@router.post("/export/count", response_model=wire.ExportCount, summary="How many memories an export would hold")
def count(ctx: Reading, body: wire.ExportRequest) -> wire.ExportCount:
    """The same selection, counted."""
    return wire.ExportCount(memories=backups.count(ctx, body.user_id, body.wanted()))


@router.post(
    "/import",
    response_model=wire.ImportAnswer,
    summary="Bring an exported zip back",
    openapi_extra=IMPORT_BODY,
)
def import_(ctx: Writing, upload: Uploaded) -> wire.ImportAnswer:
    """All of the file or nothing of it. Genuine OpenMemory exports are understood too."""
    return wire.imported(**asdict(backups.import_file(ctx, upload.file, upload.user_id, upload.mode)))
