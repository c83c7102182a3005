"""Column vocabulary shared by the tables."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import JSON, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

from app.database import UtcDateTime, new_id, now

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Created = Annotated[datetime, mapped_column(UtcDateTime, default=now)]
Updated = Annotated[datetime, mapped_column(UtcDateTime, default=now, onupdate=now)]
Time = Annotated[datetime, mapped_column(UtcDateTime)]
Name = Annotated[str, mapped_column(String(255))]
Word = Annotated[str, mapped_column(String(32))]
Object = Annotated[dict[str, Any], mapped_column(Json, default=dict)]
Strings = Annotated[list[str], mapped_column(Json, default=list)]
