"""The configuration in mem0's shape: its sections at the top, and the instructions beside them. Pure."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from app.engine.instructions import Instructions

SECTIONS = ("llm", "embedder", "vector_store", "reranker")
INSTRUCTIONS = "custom_instructions"
OLD_NAMES = ("custom_fact_extraction_prompt", "custom_prompt")  # of the instructions


class Providers(BaseModel):
    """GET /configure/providers."""

    llm: list[str]
    embedder: list[str]


class InstructionsRequest(BaseModel):
    """POST /generate-instructions."""

    use_case: str


class InstructionsAnswer(BaseModel):
    """Instructions for a use case, and a message to try them with."""

    custom_instructions: str
    test_message: str


def sent(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of a mem0 configuration is ours to change; its version, its history's file and its graph are not."""
    mem0 = {name: body[name] for name in SECTIONS if name in body}
    named = [name for name in (INSTRUCTIONS, *OLD_NAMES) if name in body]
    ours = {INSTRUCTIONS: body[named[0]]} if named else {}
    return {name: value for name, value in (("mem0", mem0), ("openmemory", ours)) if value}


def shown(config: Mapping[str, Any]) -> dict[str, Any]:
    """Our configuration as a mem0 configuration."""
    return {
        **{name: config["mem0"][name] for name in SECTIONS},
        INSTRUCTIONS: config["openmemory"][INSTRUCTIONS],
    }


def instructions(made: Instructions) -> InstructionsAnswer:
    """Instructions for a use case."""
    return InstructionsAnswer(custom_instructions=made.text, test_message=made.test_message)
