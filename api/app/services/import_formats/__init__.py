"""Files of other products, read: what a file holds, whatever wrote it, an item at a time. Pure.

    file ──> packages (zip, gzip or plain; bounded) ──> reading (JSON, lines of JSON, a table, text)
                                                            │ what each record looks like
                                                            ▼
                                shapes (chatgpt, claude, mem0, mem9, sessions, plain) ──> items

A record is known by what is in it and not by the file's name. What cannot be read is a `Problem` beside the rest, never
the end of it. **To add a format**: a file with its `Shape`, and a line in `shapes.SHAPES`.
"""

from app.services.import_formats.items import Conversation, Item, Message, Problem, Record
from app.services.import_formats.packages import Package, opened
from app.services.import_formats.reading import BACKUP, FORMATS, format_of, read

__all__ = [
    "BACKUP",
    "FORMATS",
    "Conversation",
    "Item",
    "Message",
    "Package",
    "Problem",
    "Record",
    "format_of",
    "opened",
    "read",
]
