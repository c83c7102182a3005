"""/config: what may be changed while the server runs. Admins only."""

from typing import Any

from fastapi import APIRouter

from app.routers.openmemory import wire_config as wire
from app.routers.openmemory import wire_probes
from app.routers.protocol import Reading, Writing
from app.services import configs, probes, providers

router = APIRouter(prefix="/config", tags=["config"])


@router.get("", response_model=wire.Config, summary="Read the configuration")
def read(ctx: Reading) -> dict[str, Any]:
    """All of it; secrets are masked, `env:NAME` is shown."""
    return configs.public(ctx)


@router.put("", response_model=wire.Config, summary="Replace sections of the configuration")
def replace(ctx: Writing, body: wire.Config) -> dict[str, Any]:
    """What the body does not name is kept, null is the default, a masked secret is the one that is kept."""
    return configs.replace(ctx, wire.sent(body))


@router.patch("", response_model=wire.Config, summary="Change single values of the configuration")
def merge(ctx: Writing, body: wire.Config) -> dict[str, Any]:
    """Only the keys that the body names are changed."""
    return configs.merge(ctx, wire.sent(body))


@router.post("/reset", response_model=wire.Config, summary="Back to the defaults")
def reset(ctx: Writing) -> dict[str, Any]:
    """Forgets every change, secrets too."""
    return configs.reset(ctx)


@router.get("/schema", response_model=dict[str, Any], summary="The configuration's JSON Schema")
def read_schema(ctx: Reading) -> dict[str, Any]:
    """Made from the rules by which a configuration is checked, with the keys that each provider takes."""
    return providers.schema(ctx)


@router.get("/providers", response_model=wire_probes.Providers, summary="What each section may name")
def read_providers(ctx: Reading) -> wire_probes.Providers:
    """The providers that this server knows, and the keys that each takes."""
    return wire_probes.providers(providers.known(ctx))


@router.post("/test", response_model=wire_probes.TestAnswer, summary="Try a section before it is saved")
def test(ctx: Reading, body: wire_probes.TestRequest) -> wire_probes.TestAnswer:
    """One real call, of 30 seconds at most: an LLM answers, an embedder embeds, a store keeps, finds and forgets a
    vector, a reranker ranks two texts. A masked secret is the one that is kept; nothing is stored."""
    return wire_probes.answer(probes.run(ctx, body.name, wire.sent(body.section)))


@router.get("/mem0/llm", response_model=wire.Llm, summary="Read the LLM's section")
def read_llm(ctx: Reading) -> dict[str, Any]:
    """Its provider and configuration."""
    return configs.section(ctx, "mem0", "llm")


@router.put("/mem0/llm", response_model=wire.Llm, summary="Replace the LLM's section")
def put_llm(ctx: Writing, body: wire.Llm) -> dict[str, Any]:
    """Answers the section as it is now."""
    return configs.put_section(ctx, wire.sent(body), "mem0", "llm")


@router.get("/mem0/embedder", response_model=wire.Embedder, summary="Read the embedder's section")
def read_embedder(ctx: Reading) -> dict[str, Any]:
    """Its provider and configuration."""
    return configs.section(ctx, "mem0", "embedder")


@router.put("/mem0/embedder", response_model=wire.Embedder, summary="Replace the embedder's section")
def put_embedder(ctx: Writing, body: wire.Embedder) -> dict[str, Any]:
    """The new embedder is tried first; afterwards every memory is embedded again in the background."""
    return configs.put_section(ctx, wire.sent(body), "mem0", "embedder")


@router.get("/mem0/vector_store", response_model=wire.VectorStore, summary="Read the vector store's section")
def read_vector_store(ctx: Reading) -> dict[str, Any]:
    """Its provider and configuration."""
    return configs.section(ctx, "mem0", "vector_store")


@router.put("/mem0/vector_store", response_model=wire.VectorStore, summary="Replace the vector store's section")
def put_vector_store(ctx: Writing, body: wire.VectorStore) -> dict[str, Any]:
    """Answers the section as it is now."""
    return configs.put_section(ctx, wire.sent(body), "mem0", "vector_store")


@router.get("/openmemory", response_model=wire.OpenMemory, summary="Read OpenMemory's section")
def read_openmemory(ctx: Reading) -> dict[str, Any]:
    """Custom instructions and categories."""
    return configs.section(ctx, "openmemory")


@router.put("/openmemory", response_model=wire.OpenMemory, summary="Replace OpenMemory's section")
def put_openmemory(ctx: Writing, body: wire.OpenMemory) -> dict[str, Any]:
    """What the body does not name is kept; null clears the custom instructions."""
    return configs.put_section(ctx, wire.sent(body), "openmemory")
