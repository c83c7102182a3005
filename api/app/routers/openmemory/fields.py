"""Fields that requests of this protocol share, with their bounds."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from app.errors import Invalid
from app.services.drafts import checked_characters, moment


def _time(value: Any) -> Any:
    if value is None or value == "":
        return None
    when = moment(value)
    if when is None:
        raise Invalid("not a time: epoch seconds or ISO 8601")
    return when


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(checked_characters)]
Phrase = Annotated[str, Field(max_length=1_000), AfterValidator(checked_characters)]
Question = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(checked_characters)]
Time = Annotated[datetime | None, BeforeValidator(_time)]
