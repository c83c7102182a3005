"""Alembic's entry: run by `commonplace migrate` and the tests with a connection, by the alembic command with a URL."""

from typing import Any

from alembic import context
from sqlalchemy import Connection

from app.database import Database, UtcDateTime
from app.models import Memory
from app.settings import Settings

GRAPHS = "ix_memory_vectors_hnsw_"  # made by the store when an owner is large enough


def concerns(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Whether alembic should look at a table, column or index on this database."""
    dialect = thing.info.get("dialect")
    return not (name or "").startswith(GRAPHS) and dialect in {None, context.get_context().dialect.name}


def render(kind: str, thing: Any, autogen: Any) -> str | bool:
    """Write our column types as what the database stores."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(thing, UtcDateTime) else False


def migrate(connection: Connection) -> None:
    """Bring the connection's database to the wanted revision."""
    context.configure(
        connection=connection,
        target_metadata=Memory.metadata,
        include_object=concerns,
        render_item=render,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Use the caller's connection, else open the one that the environment names."""
    connection = context.config.attributes.get("connection")
    if connection is not None:
        migrate(connection)
        return
    settings = Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with Database(settings.url).engine.connect() as connection:
        migrate(connection)
        connection.commit()


main()
