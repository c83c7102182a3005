"""Token vectors of memories: made by the run that embeds them, kept beside the truth on every database.

Between that run and the transaction that stores them they wait here, by text: the vectors travel through services that
need not know of tokens. Should more wait than there is room for, the oldest are dropped, and the memories whose they
were are ranked without until they are indexed again: no model is asked inside a transaction.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import LargeBinary, Uuid, bindparam, delete, text
from sqlalchemy.orm import Session

from app.engine.late import pack
from app.models import MemoryTokens

Vectors = NDArray[np.float32]

VERSION = 1  # raise it when the same model gives other token vectors: those that are stored are passed over then
WAITING_BYTES = 32 * 2**20

# Not of a memory that has gone meanwhile: nothing would ever remove them.
_PUT = text(
    """INSERT INTO memory_tokens (memory_id, model, tokens) SELECT id, :model, :tokens FROM memories WHERE id = :id
    ON CONFLICT (memory_id, model) DO UPDATE SET tokens = excluded.tokens"""
).bindparams(bindparam("id", type_=Uuid()), bindparam("tokens", type_=LargeBinary()))
_REMOVE = delete(MemoryTokens).where(MemoryTokens.memory_id.in_(bindparam("ids", expanding=True)))


class Tokens:
    """The token vectors that an embedder gives; none of an embedder that gives none (`are_given`)."""

    def __init__(self, embedder: Any, model: str) -> None:
        self.model = f"{model}/{VERSION}"
        self._encode = getattr(embedder, "encode_late", None)
        self._waiting: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def are_given(self) -> bool:
        """Whether the embedder gives token vectors."""
        return self._encode is not None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The texts' vectors (len(texts), dimensions); their tokens wait for `take`."""
        if self._encode is None:
            raise TypeError("this embedder gives no token vectors")
        vectors: Vectors
        vectors, tokens = self._encode(texts)
        with self._lock:
            for one, packed in zip(texts, map(pack, tokens), strict=True):
                self._bytes += len(packed) - len(self._waiting.pop(one, b""))
                self._waiting[one] = packed
            while self._bytes > WAITING_BYTES and self._waiting:
                self._bytes -= len(self._waiting.popitem(last=False)[1])
        return vectors

    def take(self, texts: Sequence[str]) -> dict[str, bytes]:
        """The tokens of those of the texts that wait, as they are stored."""
        with self._lock:
            found = {one: self._waiting.pop(one) for one in dict.fromkeys(texts) if one in self._waiting}
            self._bytes -= sum(map(len, found.values()))
        return found

    def change(self, session: Session) -> "TokensChange":
        """Puts and removals in the transaction of `session`."""
        return TokensChange(session, self)


class TokensChange:
    """Puts and removals in a transaction of the truth."""

    def __init__(self, session: Session, tokens: Tokens) -> None:
        self._session = session
        self._tokens = tokens

    def put(self, texts: Sequence[tuple[UUID, str]]) -> None:
        """Add or replace the tokens of memories, given with the text that was embedded."""
        packed = self._tokens.take([one for _, one in texts])
        rows = [{"id": id, "model": self._tokens.model, "tokens": packed[one]} for id, one in texts if one in packed]
        if rows:
            self._session.connection().execute(_PUT, rows)
        if self._tokens.are_given:
            self.remove([id for id, one in texts if one not in packed])  # else those of another text would stay

    def remove(self, ids: Sequence[UUID]) -> None:
        """Remove the tokens of memories, of whatever model."""
        if ids:
            self._session.connection().execute(_REMOVE, {"ids": list(ids)})
