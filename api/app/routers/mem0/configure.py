"""/configure and /generate-instructions."""

from typing import Any

from fastapi import APIRouter

from app.routers.mem0 import wire_config as wire
from app.routers.mem0.wire_memories import Sentence, said
from app.routers.protocol import Reading, Writing
from app.services import configs, instructions

CONFIGURED = Sentence(message="Configuration set successfully")

router = APIRouter(tags=["configuration"])


@router.post("/configure", summary="Change the configuration")
def configure(ctx: Writing, body: dict[str, Any]) -> Sentence:
    """What the body names is changed; what cannot be built is refused, and all stays as it was. Admins only."""
    return said(CONFIGURED, configs.lay_over(ctx, wire.sent(body)))


@router.get("/configure", summary="Read the configuration")
def configuration(ctx: Reading) -> dict[str, Any]:
    """Secrets are masked. Admins only."""
    return wire.shown(configs.public(ctx))


@router.get("/configure/providers", summary="The providers that there are")
def providers(ctx: Reading) -> wire.Providers:
    """By section."""
    return wire.Providers.model_validate(configs.providers(ctx))


@router.post("/generate-instructions", summary="Have the LLM write instructions for a use case")
def generate_instructions(ctx: Writing, body: wire.InstructionsRequest) -> wire.InstructionsAnswer:
    """Nothing is stored; `POST /configure` takes them."""
    return wire.instructions(instructions.generate(ctx, body.use_case))
