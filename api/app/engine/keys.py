"""What a memory is called inside a search: the 32 hexadecimal digits of its id.

A search looks up hundreds of ids thousands of times, and a UUID is made, hashed and compared in Python, a text in C.
Keys sort as their ids do.
"""

from uuid import UUID

Key = str


def key_of(id: str | UUID) -> Key:
    """The key of an id that is written in any of its forms."""
    return id.hex if isinstance(id, UUID) else id.replace("-", "").lower()
