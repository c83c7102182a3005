"""The one organisation and its one project, which is the server's configuration. Pure: no FastAPI, no I/O."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.errors import Invalid
from app.routers.platform.wire_entities import ORG_ID, PROJECT_ID

NAME = "Commonplace"
SETTABLE = ("custom_instructions", "custom_categories")
IGNORED = ("org_id", "project_id", "name", "description")
MAX_CATEGORIES = 200

Json = dict[str, Any]


def _category(value: Any) -> Any:
    """A category of ours from mem0's `{name: description}`, or from a name alone."""
    if isinstance(value, str):
        return {"name": value, "description": value}
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, description),) = value.items()
        return {"name": name, "description": description or name}
    raise Invalid('a category is {"name": "description"}')


class Category(BaseModel):
    """A category of ours."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: Annotated[str, Field(min_length=1, max_length=5_000)]


class ProjectUpdate(BaseModel):
    """PATCH of the project; settings of the hosted mem0 that this server has not are refused."""

    model_config = ConfigDict(extra="allow")

    custom_instructions: str | None = None
    custom_categories: (
        Annotated[list[Annotated[Category, BeforeValidator(_category)]], Field(max_length=MAX_CATEGORIES)] | None
    ) = None

    @model_validator(mode="after")
    def nothing_strange(self) -> Self:
        """Refuse what is asked for that there is not."""
        strange = [name for name, value in (self.model_extra or {}).items() if name not in IGNORED and value]
        if strange:
            raise ValueError(f"this server has no project setting {', '.join(strange)}")
        return self

    def changes(self) -> Json:
        """As the configuration takes it: only what was sent."""
        ours: Json = {}
        if "custom_instructions" in self.model_fields_set:
            ours["custom_instructions"] = self.custom_instructions or None
        if self.custom_categories is not None:
            ours["categories"] = [category.model_dump() for category in self.custom_categories]
        return {"openmemory": ours}


def project(config: Json, fields: Sequence[str] | None = None) -> Json:
    """The project; with `fields` only those."""
    ours = config["openmemory"]
    shape = {
        "org_id": ORG_ID,
        "project_id": PROJECT_ID,
        "name": NAME,
        "description": None,
        "custom_instructions": ours["custom_instructions"],
        "custom_categories": [{item["name"]: item["description"]} for item in ours["categories"]],
        "agent_custom_instructions": None,
        "retrieval_criteria": [],
        "enable_graph": False,
        "multilingual": True,
        "decay": False,
    }
    return {name: value for name, value in shape.items() if not fields or name in fields}


def changed(config: Json) -> Json:
    """The answer to a change."""
    return {"message": "Project updated successfully", **project(config, SETTABLE)}


def organization() -> Json:
    """The one organisation."""
    return {"org_id": ORG_ID, "name": NAME, "description": None}


def projects(config: Json) -> list[Json]:
    """The one project, in a list."""
    return [project(config, ("org_id", "project_id", "name", "description"))]
