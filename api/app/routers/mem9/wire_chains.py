"""Space chains in mem9's shapes. Pure: no FastAPI, no I/O."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.errors import Invalid, NotFound
from app.routers.mem9.wire import filled, moment
from app.routers.reply import Reply
from app.services.space_chains import NOT_FOUND, PREFIX, ChainView, KeyView, Made, MadeKey, NodeView, Wanted


class ChainCreate(BaseModel):
    """POST /space-chains."""

    name: str = ""
    project_id: str | None = None
    description: str | None = None
    created_by_user_id: str | None = None

    def fields(self) -> dict[str, Any]:
        """As services take them.

        Raises:
            Invalid: it has no name.
        """
        if not self.name.strip():
            raise Invalid("name: required")
        return self.model_dump()


class ChainChange(BaseModel):
    """PATCH /space-chains/{id}."""

    name: str | None = None
    description: str | None = None

    def changes(self) -> dict[str, str | None]:
        """What was sent.

        Raises:
            Invalid: an empty name.
        """
        sent: dict[str, str | None] = self.model_dump(include=self.model_fields_set)
        if "name" in sent and not (sent["name"] or "").strip():
            raise Invalid("name: required")
        return sent


class Node(BaseModel):
    """A space that is to be in a chain."""

    tenant_id: str = ""
    external_space_id: str | None = None
    display_name: str | None = None


class Nodes(BaseModel):
    """PUT /space-chains/{id}/nodes."""

    nodes: list[Node]

    def wanted(self) -> list[Wanted]:
        """The spaces in their order.

        Raises:
            Invalid: one is not named.
        """
        if not all(node.tenant_id.strip() for node in self.nodes):
            raise Invalid("nodes: tenant_id required")
        return [Wanted(one.tenant_id.strip(), one.external_space_id, one.display_name) for one in self.nodes]


class KeyChange(BaseModel):
    """PATCH /space-chains/{id}/bindings/{binding}."""

    disabled: bool | None = None

    def checked(self) -> None:
        """Pass if it disables; there is no way back.

        Raises:
            Invalid: it does not.
        """
        if self.disabled is not True:
            raise Invalid("disabled: must be true")


def same(chain_id: UUID, named: str) -> UUID:
    """The chain of the key that was shown, if the path names it.

    Raises:
        NotFound: it names another.
    """
    if named.lower() != str(chain_id):
        raise NotFound(NOT_FOUND)
    return chain_id


def binding_id(named: str) -> UUID:
    """The id of a key.

    Raises:
        NotFound: it can be none's.
    """
    try:
        return UUID(named)
    except ValueError:
        raise NotFound(NOT_FOUND) from None


def created(made: Made) -> Reply:
    """A new chain with its first key, which is shown this once."""
    return Reply(201, {"chain": _chain(made.chain), **_made(made.key)})


def _made(made: MadeKey) -> dict[str, Any]:
    return {
        "chain_api_key": made.secret,
        "binding_id": str(made.view.id),
        "key_prefix": PREFIX,
        "key_preview": made.view.preview,
    }


def chain(view: ChainView) -> Reply:
    """One chain."""
    return Reply(200, _chain(view))


def _chain(view: ChainView) -> dict[str, Any]:
    given = {
        "project_id": view.project_id,
        "description": view.description,
        "created_by_user_id": view.created_by_user_id,
    }
    times = {"created_at": moment(view.created_at), "updated_at": moment(view.updated_at)}
    return {"id": str(view.id), "name": view.name, **filled(given), **times}


def nodes(views: Sequence[NodeView]) -> Reply:
    """The spaces of a chain in their order; `tenant_id` is the id of one, never its key."""
    return Reply(200, {"nodes": [_node(view) for view in views]})


def _node(view: NodeView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "chain_id": str(view.chain_id),
        "tenant_id": str(view.space_id),
        "position": view.position,
        **filled({"external_space_id": view.external_space_id, "display_name": view.display_name}),
        "created_at": moment(view.created_at),
    }


def bindings(views: Sequence[KeyView]) -> Reply:
    """The keys of a chain without their secrets."""
    return Reply(200, {"bindings": [_binding(view) for view in views]})


def _binding(view: KeyView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "chain_id": str(view.chain_id),
        "key_prefix": PREFIX,
        "key_preview": view.preview,
        "disabled": view.disabled_at is not None,
        "created_at": moment(view.created_at),
        **filled({"disabled_at": view.disabled_at and moment(view.disabled_at)}),
    }


def bound(made: MadeKey) -> Reply:
    """A new key, which is shown this once."""
    return Reply(201, _made(made))
