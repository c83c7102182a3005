"""Fields that requests of this protocol share, with their bounds."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from app.errors import Invalid
from app.services.drafts import checked_characters, expiry, moment


def _time(value: Any) -> Any:
    if value is None or value == "":
        return None
    when = moment(value) or _short_epoch(value)
    if when is None:
        raise Invalid("not a time: epoch seconds or ISO 8601")
    return when


def _expiry(value: Any) -> Any:
    if value is None or value == "":
        return None
    when = expiry(value)
    if when is None:
        raise Invalid("not a time: epoch seconds or ISO 8601")
    return when


def _short_epoch(value: Any) -> datetime | None:
    # A query parameter is text, and the page's dates are epochs: here "0" is one, in a memory's metadata it is nothing.
    return moment(float(value)) if isinstance(value, str) and re.fullmatch(r"-?\d{1,20}(\.\d{1,9})?", value) else None


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(checked_characters)]
Phrase = Annotated[str, Field(max_length=1_000), AfterValidator(checked_characters)]
Question = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(checked_characters)]
Time = Annotated[datetime | None, BeforeValidator(_time)]
Expiry = Annotated[datetime | None, BeforeValidator(_expiry)]
