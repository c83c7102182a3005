"""What the retention rules do, in JSON. Pure: no FastAPI, no I/O."""

from collections.abc import Sequence

from pydantic import BaseModel

from app.routers.openmemory.wire_memories import MemoryItem, item
from app.services.retention import Due, Ran


class RuleDue(BaseModel):
    """What one rule would archive: how many memories, and the oldest of them."""

    rule: str
    count: int
    memories: list[MemoryItem]


class Preview(BaseModel):
    """GET /retention/preview."""

    rules: list[RuleDue]


class RuleRan(BaseModel):
    """How many memories one rule archived."""

    rule: str
    archived: int


class RunAnswer(BaseModel):
    """POST /retention/run; `is_done` is false while there is more to archive."""

    rules: list[RuleRan]
    is_done: bool


def preview(found: Sequence[Due]) -> Preview:
    """What each rule would archive."""
    rules = [RuleDue(rule=due.rule, count=due.count, memories=[item(view) for view in due.memories]) for due in found]
    return Preview(rules=rules)


def ran(done: Ran) -> RunAnswer:
    """What each rule archived."""
    rules = [RuleRan(rule=name, archived=count) for name, count in done.archived.items()]
    return RunAnswer(rules=rules, is_done=done.is_done)
