"""What a rule of `openmemory.retention` may be. Pure."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MAX_RULES = 20  # a preview asks for all of them in one statement

Days = Annotated[int, Field(ge=1, le=36_500)]
Named = Annotated[str, Field(min_length=1, max_length=255)]


class Strict(BaseModel):
    """No other keys than these, no other types than these."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Rule(Strict):
    """What is archived by itself: the memories for which all holds that the rule names."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    app: Named | None = None
    category: Named | None = None
    archive_after_days: Days | None = None
    archive_after_days_without_access: Days | None = None

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.archive_after_days is None and self.archive_after_days_without_access is None:
            raise ValueError("archive_after_days or archive_after_days_without_access is required")
        return self


def _unique(rules: list[Rule]) -> list[Rule]:
    if len({rule.name for rule in rules}) < len(rules):
        raise ValueError("more than one rule has the same name")
    return rules


Rules = Annotated[list[Rule], Field(max_length=MAX_RULES), AfterValidator(_unique)]
