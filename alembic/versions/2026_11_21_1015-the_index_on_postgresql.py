"""the index beside the memories on PostgreSQL: vectors by pgvector, words as tsvector

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from app.errors import Conflict

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LEAST = (0, 8)  # iterative scans, without which small owners vanish behind the graph
MISSING = """The extension pgvector is not installed on the PostgreSQL server. Install it there (Debian and Ubuntu: the
package postgresql-NN-pgvector; Docker: the image pgvector/pgvector), then start again"""
FORBIDDEN = """This database's user may not create the extension pgvector. Have an administrator run, once and in this
database: CREATE EXTENSION vector; then start again"""
OLD = """pgvector is at {version} and 0.8 or newer is needed. Have an administrator update the package on the server and
run in this database: ALTER EXTENSION vector UPDATE; then start again"""


def upgrade() -> None:
    """PostgreSQL alone: SQLite has its own."""
    if op.get_bind().dialect.name == "sqlite":
        return
    _use_pgvector()
    op.execute("""CREATE TABLE memory_vectors (
        memory_id UUID NOT NULL, owner_id UUID NOT NULL, model VARCHAR(255) NOT NULL, vector VECTOR NOT NULL,
        CONSTRAINT pk_memory_vectors PRIMARY KEY (memory_id, model))""")
    op.execute("CREATE INDEX ix_memory_vectors_owner_model ON memory_vectors (owner_id, model)")
    op.execute("""CREATE TABLE memory_terms (
        memory_id UUID NOT NULL, owner_id UUID NOT NULL, length INTEGER NOT NULL, terms TSVECTOR NOT NULL,
        CONSTRAINT pk_memory_terms PRIMARY KEY (memory_id))""")
    op.execute("CREATE INDEX ix_memory_terms_owner ON memory_terms (owner_id) INCLUDE (length)")
    # Without the list of what is pending, which every search would have to read through.
    op.execute("CREATE INDEX ix_memory_terms_terms ON memory_terms USING gin (terms) WITH (fastupdate = off)")
    op.execute("UPDATE memories SET indexed_at = NULL WHERE indexed_at IS NOT NULL")


def _use_pgvector() -> None:
    connection = op.get_bind()
    there = sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
    if not connection.scalar(there):
        raise Conflict(" ".join(MISSING.split()))
    installed = sa.text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    if connection.scalar(installed) is None:
        try:
            with connection.begin_nested():
                connection.execute(sa.text("CREATE EXTENSION vector"))
        except sa.exc.ProgrammingError as error:
            raise Conflict(" ".join(FORBIDDEN.split())) from error
    version = str(connection.scalar(installed))
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST:
        raise Conflict(" ".join(OLD.format(version=version).split()))


def downgrade() -> None:
    """Drop the tables; the extension stays, others may use it."""
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute("DROP TABLE memory_terms")
    op.execute("DROP TABLE memory_vectors")
