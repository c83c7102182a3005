"""How a request comes in: its key, its agent, its body, and the Context that all of it is answered in."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Path, Request, Response
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, ValidationError
from starlette.types import Scope

from app.context import Caller, Context
from app.errors import Forbidden, Invalid, NotFound, TooLarge, Unauthenticated
from app.routers.protocol import MAX_BODY, bearer, render, runtime_of
from app.routers.reply import JSON, Reply
from app.services import accounts, space_chains, spaces
from app.services.spaces import Space, Standing

IN_PATH = re.compile(r"/mem9s/([^/]+)")
Model = TypeVar("Model", bound=BaseModel)

api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="The key of a space, or of a chain of them.")


def shown(request: Request, key: Annotated[str | None, Depends(api_key)]) -> str | None:
    """The key that the request shows: of the path where the path has one (`/v1alpha1/mem9s/{tenant_id}/...`)."""
    named = request.path_params.get("tenant_id")
    return (key or "").strip() or None if named is None else str(named)


def shown_in_path(scope: Scope) -> str | None:
    """The key in the path of a request that nobody has read yet."""
    found = IN_PATH.search(scope["path"])
    return found[1] if found else None


Shown = Annotated[str | None, Depends(shown)]


def agent(
    name: Annotated[str | None, Header(alias="X-Mnemo-Agent-Id", description="Who writes.")] = None,
) -> str | None:
    """Who the request says to be."""
    return (name or "").strip() or None


Agent = Annotated[str | None, Depends(agent)]


def _enter(request: Request, key: str | None, name: str | None, scope: str) -> Space:
    runtime = runtime_of(request)
    try:
        space = spaces.enter(runtime, key, name, scope)
    except Unauthenticated:
        if "tenant_id" not in request.path_params:
            raise
        if spaces.standing(runtime, key) is Standing.inactive:
            raise Forbidden("tenant is not active") from None
        raise NotFound("tenant not found") from None
    request.state.user_id = space.nodes[0].caller.name
    return space


def read(request: Request, key: Shown, name: Agent) -> Space:
    """What the key opens for reading."""
    return _enter(request, key, name, "read")


def write(request: Request, key: Shown, name: Agent) -> Space:
    """What the key opens for writing."""
    return _enter(request, key, name, "write")


def reading(request: Request, space: Annotated[Space, Depends(read)]) -> Iterator[Context]:
    """A Context that only reads."""
    with runtime_of(request).context(space.nodes[0].caller) as ctx:
        yield ctx


def writing(request: Request, space: Annotated[Space, Depends(write)]) -> Iterator[Context]:
    """A Context that writes, committed before the answer goes out."""
    with runtime_of(request).context(space.nodes[0].caller, writing=True) as ctx:
        yield ctx


def provisioning(request: Request, key: Shown) -> Iterator[Context]:
    """A Context in which spaces and chains are made, for whom that is allowed."""
    refuse_pages(request)
    runtime = runtime_of(request)
    with runtime.context(spaces.provisioner(runtime, key), writing=True) as ctx:
        yield ctx


def managed(request: Request, key: Shown) -> UUID:
    """The chain that the key manages."""
    return space_chains.manage(runtime_of(request), key)


def managing(request: Request, _: Annotated[UUID, Depends(managed)]) -> Iterator[Context]:
    """A Context for a chain, which is nobody's: what may be done to it is its key's to say."""
    runtime = runtime_of(request)
    with runtime.context(Caller(UUID(int=0), "", None, frozenset()), writing=True) as ctx:
        yield ctx


def beside(request: Request, sent: Annotated[Any, Depends(bearer)]) -> Caller | None:
    """The admin who asks beside the chain's key, by `Authorization: Bearer`."""
    caller = accounts.identify(runtime_of(request), sent.credentials) if sent else None
    return caller if caller is not None and caller.is_admin and caller.app is None else None


# scope="function": committed before the answer, as `routers.protocol` has it.
ReadSpace = Annotated[Space, Depends(read)]
WriteSpace = Annotated[Space, Depends(write)]
Reading = Annotated[Context, Depends(reading, scope="function")]
Writing = Annotated[Context, Depends(writing, scope="function")]
Provisioning = Annotated[Context, Depends(provisioning, scope="function")]
Chain = Annotated[UUID, Depends(managed)]
Managing = Annotated[Context, Depends(managing, scope="function")]
Admin = Annotated[Caller | None, Depends(beside)]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="The version that is meant.")]
Id = Annotated[str, Path(description="Opaque.")]


def strict(request: Request, prefer: Annotated[str | None, Header()] = None) -> bool:
    """Whether `If-Match` is meant: by the setting, or because the request says `Prefer: handling=strict`."""
    return runtime_of(request).settings.mem9_strict_if_match or "handling=strict" in (prefer or "").replace(" ", "")


Strict = Annotated[bool, Depends(strict)]


def refuse_pages(request: Request) -> None:
    """Pass unless a web page may have sent this unasked: where no key is needed, it would be carried out.

    Raises:
        Forbidden: it shows no key, comes from a page, and is not of a kind for which a browser asks first.
    """
    sent = request.headers
    is_json = sent.get("content-type", "").split(";")[0].strip().lower() == JSON
    if "origin" in sent and not is_json and "x-api-key" not in sent and "authorization" not in sent:
        raise Forbidden("Content-Type: must be application/json")


async def body(request: Request) -> bytes:
    """The body as it came, whatever its Content-Type, and so bounded here too: uploads are bounded elsewhere."""
    refuse_pages(request)
    read = bytearray()
    async for piece in request.stream():
        read += piece
        if len(read) > MAX_BODY:
            raise TooLarge(f"body: too long (max {MAX_BODY})")
    return bytes(read)


def sent(model: type[Model]) -> Callable[[bytes], Model]:
    """What reads the body as one of `model`: the first JSON value; what follows it and unknown fields are ignored."""

    def parse(raw: Annotated[bytes, Depends(body)]) -> Model:
        try:
            text = raw.decode("utf-8-sig").lstrip()
            if not text:
                raise Invalid("invalid JSON: EOF")
            return model.model_validate(json.JSONDecoder(parse_constant=_refuse).raw_decode(text)[0])
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "body"
            raise Invalid(f"invalid JSON: {where}: {first['msg']}") from None
        except (ValueError, RecursionError) as error:
            if isinstance(error, Invalid):
                raise
            raise Invalid("invalid JSON: not a JSON value") from None

    return parse


def _refuse(constant: str) -> None:
    raise Invalid(f"invalid JSON: {constant} is not JSON")


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """The body in the OpenAPI document, which FastAPI does not see."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    nested = schema.pop("$defs", {})
    inner = json.dumps(schema)
    for name, definition in nested.items():
        inner = inner.replace(json.dumps({"$ref": f"#/components/schemas/{name}"}), json.dumps(definition))
    return {"requestBody": {"required": True, "content": {JSON: {"schema": json.loads(inner)}}}}


def answer(reply: Reply) -> Response:
    """The answer as it goes out."""
    return render(reply)
