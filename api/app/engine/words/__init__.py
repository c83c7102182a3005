"""The words of the index: which memories say what a query says. Always beside the truth, in its database.

Texts come analysed (`app.engine.text.terms`), scores are BM25 over the memories of one owner: what a word weighs is a
matter of how many of the owner's own memories have it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.engine.keys import Key
from app.engine.ranking.table import Told

Level = tuple[int, int]
"""An owner's counters: every change of a memory that a search could find raises the first."""


@dataclass(frozen=True, slots=True)
class Said:
    """The analysed text of one memory; repeats count."""

    id: UUID
    owner: UUID
    terms: Sequence[str]


class WordsChange(Protocol):
    """Puts and removals in a transaction of the truth."""

    def put(self, said: Sequence[Said]) -> None:
        """Add or replace."""

    def remove(self, ids: Iterable[UUID]) -> None:
        """Remove; unknown ids are passed over."""

    def committed(self) -> None:
        """The transaction is: what is held in memory may follow."""


class Words(Protocol):
    """The keyword leg; safe to use from many threads."""

    def change(self, session: Session) -> WordsChange:
        """Changes in the transaction of `session`."""

    def search(
        self,
        owner: UUID,
        terms: Sequence[str],
        limit: int,
        within: Collection[Key] | None = None,
        since: Level | None = None,
    ) -> dict[Key, float]:
        """The owner's memories that have any of the terms, at most `limit`, best first: BM25, larger is better.

        Args:
            since: what the words were level with a moment ago: that is new enough. Without it they are brought level.
        """

    def scores(self, owner: UUID, terms: Sequence[str], keys: Collection[Key]) -> dict[Key, float]:
        """BM25 of just these memories; those without any of the terms are left out. Asked right after a `search`."""

    def frequencies(self, owner: UUID, terms: Sequence[str]) -> tuple[dict[str, int], int]:
        """In how many of the owner's memories each term is, and how many memories there are."""

    def level(self, owner: UUID) -> Level | None:
        """What a search of the owner's just now was level with; None where nothing is counted."""

    def told(self, owner: UUID, keys: Collection[Key], since: Level) -> Mapping[Key, Told] | None:
        """The traits of those of the memories that are active, and of what stands before and after them, but for their
        token vectors; None where they are not held in memory.

        Args:
            since: what the words were level with a moment ago: that is new enough.
        """

    def close(self) -> None:
        """Close what is open."""
