"""What a user may change while the server runs."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Object, Updated


class Config(Base):
    """A named part of the configuration that differs from `default_config.json`."""

    __tablename__ = "configs"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Object]
    updated_at: Mapped[Updated]
