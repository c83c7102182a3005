"""Column vocabulary shared by the tables."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import JSON, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import UserDefinedType

from app.database import UtcDateTime, new_id, now

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Vector(UserDefinedType[str]):
    """pgvector's type, of any number of dimensions; it travels as text ("[0.1,0.2]")."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name in SQL."""
        return "VECTOR"


ischema_names["vector"] = Vector  # so that a table that has one can be read back from the database

Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Created = Annotated[datetime, mapped_column(UtcDateTime, default=now)]
Updated = Annotated[datetime, mapped_column(UtcDateTime, default=now, onupdate=now)]
Time = Annotated[datetime, mapped_column(UtcDateTime)]
Name = Annotated[str, mapped_column(String(255))]
Word = Annotated[str, mapped_column(String(32))]
Object = Annotated[dict[str, Any], mapped_column(Json, default=dict)]
Strings = Annotated[list[str], mapped_column(Json, default=list)]
