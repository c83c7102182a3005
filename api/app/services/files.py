"""The database's own files, which keep what was deleted until they are told: SQLite's file and its log.

`secure_delete` overwrites what is deleted where it stood last, but not where it stood before its page was split; only
VACUUM, which writes the whole file anew, leaves nothing. That they are to be cleaned is noted in the transaction that
deletes, so a killed process does not forget it. PostgreSQL clears its pages in its own time (docs/retention.md).
"""

import logging
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, select
from sqlalchemy.orm import Session

from app.context import Context, Runtime
from app.database import now
from app.models import Config
from app.services import chores

KEY = "files"
PATIENCE = 5  # seconds that other users of the file are waited for
SMALL = 64 * 2**20  # bytes that are written anew in well under a second
REST = 20  # times as long as a cleaning took the next one waits, unless somebody asks for it

logger = logging.getLogger(__name__)


def soil(ctx: Context) -> None:
    """Note, in the transaction that deletes, that the files will hold what it deleted."""
    if ctx.runtime.database.is_sqlite:
        row = _noted(ctx.session)
        _note(ctx.session, {**row, "soiled": row["soiled"] + 1})


def _noted(session: Session) -> dict[str, Any]:
    """How often the files were soiled, and how often so when they were last cleaned."""
    return session.scalar(select(Config.value).where(Config.key == KEY)) or {"soiled": 0, "cleaned": 0}


def _note(session: Session, value: dict[str, Any]) -> None:
    session.merge(Config(key=KEY, value=value))
    session.flush()


def clean_small(runtime: Runtime) -> None:
    """Clean the files now if that is quick; else have the worker do so."""
    if runtime.database.is_sqlite and _file(runtime).stat().st_size <= SMALL:
        clean(runtime)
    else:
        runtime.wake.set()


def clean(runtime: Runtime, *, patient: bool = False) -> bool:
    """Clean the files if they need it; whether they are clean now. If somebody is reading for long: the next time.

    Args:
        patient: not so soon after the last time that cleaning is what the server mostly does.
    """
    with runtime.database.reading() as session:
        row = _noted(session)
    if row["soiled"] == row["cleaned"]:
        return True
    if patient and now() < datetime.fromisoformat(row.get("rests_until", chores.NEVER.isoformat())):
        return False
    begun = time.monotonic()
    if not _rewrite(_file(runtime)):
        return False
    rests_until = now() + REST * timedelta(seconds=time.monotonic() - begun)
    with runtime.database.transaction() as session:
        # What was soiled meanwhile is not clean by that.
        _note(session, {**_noted(session), "cleaned": row["soiled"], "rests_until": rests_until.isoformat()})
    return True


def _file(runtime: Runtime) -> Path:
    return Path(make_url(runtime.database.url).database or "")


def _rewrite(file: Path) -> bool:
    try:
        # A connection of its own: it waits less long than others, and sorts on the disk, not in memory.
        with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        logger.warning("the database's files are cleaned of what was purged later: %s", error)
        return False
    return not busy
