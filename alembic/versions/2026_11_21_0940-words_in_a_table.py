"""the embedded index: words in a plain table instead of FTS5, vectors of several models side by side (SQLite)

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

VECTORS = "seq, memory_id, owner_id, model, change, vector"


def upgrade() -> None:
    """Carry the analysed texts over; PostgreSQL has no embedded index yet."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("ALTER TABLE memory_terms RENAME TO memory_terms_fts")
    _create_words()
    op.execute("""INSERT INTO memory_terms (memory_id, owner_id, change, terms)
        SELECT v.memory_id, v.owner_id, 1, f.terms FROM memory_terms_fts f JOIN memory_vectors v ON v.seq = f.rowid""")
    op.execute("INSERT INTO word_owners (owner_id, change, removed) SELECT DISTINCT owner_id, 1, 0 FROM memory_terms")
    op.execute("DROP TABLE memory_terms_fts")
    _remake_vectors(["memory_id", "model"], "uq_memory_vectors_memory_id_model")


def _create_words() -> None:
    op.create_table(
        "memory_terms",
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("memory_id", name=op.f("pk_memory_terms")),
    )
    op.create_index("ix_memory_terms_owner_id", "memory_terms", ["owner_id", "change"])
    op.create_table(
        "word_owners",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_word_owners")),
    )


def _remake_vectors(unique: list[str], name: str) -> None:
    op.drop_index("ix_memory_vectors_owner_id", "memory_vectors")
    op.execute("ALTER TABLE memory_vectors RENAME TO old_memory_vectors")
    op.create_table(
        "memory_vectors",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_memory_vectors")),
        sa.UniqueConstraint(*unique, name=op.f(name)),
    )
    op.execute(f"INSERT OR REPLACE INTO memory_vectors ({VECTORS}) SELECT {VECTORS} FROM old_memory_vectors")
    op.execute("DROP TABLE old_memory_vectors")
    op.create_index("ix_memory_vectors_owner_id", "memory_vectors", ["owner_id", "model", "change"])


def downgrade() -> None:
    """Back to FTS5; texts without a vector are indexed again by the sweep."""
    if op.get_bind().dialect.name != "sqlite":
        return
    _remake_vectors(["memory_id"], "uq_memory_vectors_memory_id")
    op.execute("CREATE VIRTUAL TABLE memory_terms_fts USING fts5(owner, terms, tokenize = 'unicode61')")
    op.execute("""INSERT INTO memory_terms_fts (rowid, owner, terms)
        SELECT v.seq, 'u' || t.owner_id, t.terms FROM memory_terms t JOIN memory_vectors v ON v.memory_id = t.memory_id""")
    op.execute("DROP TABLE memory_terms")
    op.execute("DROP TABLE word_owners")
    op.execute("ALTER TABLE memory_terms_fts RENAME TO memory_terms")
    op.execute("UPDATE memories SET indexed_at = NULL WHERE id NOT IN (SELECT memory_id FROM memory_vectors)")
