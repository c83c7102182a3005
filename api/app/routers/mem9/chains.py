"""/space-chains."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.routers.mem9 import wire_chains as wire
from app.routers.mem9.door import Admin, Chain, Id, Managing, Provisioning, answer, sent, takes
from app.services import space_chains, spaces

router = APIRouter(prefix="/space-chains", tags=["space chains"])


@router.post("", summary="Make a chain of spaces", openapi_extra=takes(wire.ChainCreate))
def create(ctx: Provisioning, body: Annotated[wire.ChainCreate, Depends(sent(wire.ChainCreate))]) -> Response:
    """With its first key; it has no spaces yet."""
    spaces.check_rate(ctx)
    return answer(wire.created(space_chains.create(ctx, **body.fields())))


@router.get("/by-key", summary="The chain of the key")
def by_key(ctx: Managing, chain: Chain) -> Response:
    """Of a key that is disabled, too."""
    return answer(wire.chain(space_chains.get(ctx, chain)))


@router.get("/{chain_id}", summary="One chain")
def get(ctx: Managing, chain: Chain, chain_id: Id) -> Response:
    """Without its spaces."""
    return answer(wire.chain(space_chains.get(ctx, wire.same(chain, chain_id))))


@router.patch("/{chain_id}", summary="Rename a chain", openapi_extra=takes(wire.ChainChange))
def change(
    ctx: Managing, chain: Chain, chain_id: Id, body: Annotated[wire.ChainChange, Depends(sent(wire.ChainChange))]
) -> Response:
    """What is left out stays."""
    return answer(wire.chain(space_chains.change(ctx, wire.same(chain, chain_id), body.changes())))


@router.delete("/{chain_id}", status_code=204, summary="Delete a chain")
def delete(ctx: Managing, chain: Chain, chain_id: Id) -> None:
    """Its spaces stay as they are; its keys open nothing from now on."""
    space_chains.remove(ctx, wire.same(chain, chain_id))


@router.get("/{chain_id}/nodes", summary="The spaces of a chain")
def nodes(ctx: Managing, chain: Chain, chain_id: Id) -> Response:
    """In their order."""
    return answer(wire.nodes(space_chains.nodes(ctx, wire.same(chain, chain_id))))


@router.put("/{chain_id}/nodes", summary="Set the spaces of a chain", openapi_extra=takes(wire.Nodes))
def set_nodes(
    ctx: Managing,
    chain: Chain,
    admin: Admin,
    chain_id: Id,
    body: Annotated[wire.Nodes, Depends(sent(wire.Nodes))],
) -> Response:
    """All of them, in their order. Each `tenant_id` is a key of the space, or the id of one that is in the chain."""
    return answer(wire.nodes(space_chains.set_nodes(ctx, wire.same(chain, chain_id), body.wanted(), admin)))


@router.get("/{chain_id}/bindings", summary="The keys of a chain")
def bindings(ctx: Managing, chain: Chain, chain_id: Id) -> Response:
    """Without their secrets."""
    return answer(wire.bindings(space_chains.listing_keys(ctx, wire.same(chain, chain_id))))


@router.post("/{chain_id}/bindings", summary="Make one more key of a chain")
def bind(ctx: Managing, chain: Chain, chain_id: Id) -> Response:
    """Shown this once."""
    return answer(wire.bound(space_chains.add_key(ctx, wire.same(chain, chain_id))))


@router.patch(
    "/{chain_id}/bindings/{key_id}", status_code=204, summary="Disable a key", openapi_extra=takes(wire.KeyChange)
)
def disable(
    ctx: Managing,
    chain: Chain,
    chain_id: Id,
    key_id: Id,
    body: Annotated[wire.KeyChange, Depends(sent(wire.KeyChange))],
) -> None:
    """But the last one that opens anything."""
    body.checked()
    space_chains.disable_key(ctx, wire.same(chain, chain_id), wire.binding_id(key_id))
