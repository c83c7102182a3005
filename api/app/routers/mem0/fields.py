"""Fields that requests of this protocol share, with their bounds."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from app.errors import Invalid
from app.services.drafts import ONE_DAY, checked_characters, expiry
from app.services.filter_fields import read_id

NOBODY = UUID(int=0)  # what is no id of ours is an unknown one
MOST = 1_000
LAST_DAY = "9999-12-28"  # "9999-12-31" means never, and there must be a day after it
IDENTITY = frozenset({"user_id", "agent_id", "run_id", "actor_id"})  # not to be said in the metadata


def _identifier(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return (value.strip() or None) if isinstance(value, str) else value


def _day(value: Any) -> Any:
    if value is None or value == "":
        return None
    when = expiry(min(value, LAST_DAY)) if isinstance(value, str) and ONE_DAY.fullmatch(value) else None
    if when is None:
        raise Invalid("not a date: YYYY-MM-DD")
    return when


def _object(value: Any) -> Any:
    return {} if value is None else value


def _without_identity(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in IDENTITY}


def _bounded(value: int) -> int:
    return min(value, MOST)


Text = Annotated[str, Field(max_length=255), AfterValidator(checked_characters)]
Identifier = Annotated[Text | None, BeforeValidator(_identifier)]
Day = Annotated[Any, BeforeValidator(_day)]
Object = Annotated[dict[str, Any], BeforeValidator(_object)]
Metadata = Annotated[Object, AfterValidator(_without_identity)]
Count = Annotated[int, Field(ge=0), AfterValidator(_bounded)]
MemoryId = Annotated[UUID, BeforeValidator(lambda value: read_id(value) or NOBODY)]
