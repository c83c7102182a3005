"""What an import would do, before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from sqlalchemy import select

from app.context import Context
from app.errors import NotFound
from app.models import App, User
from app.services import backups, decisions, drafts, import_formats, import_pieces, inference, scopes, similars
from app.services.drafts import Draft
from app.services.import_formats import BACKUP, FORMATS, Conversation, Problem, Record
from app.services.import_pieces import MEMORIES_A_PIECE, Options, Seen
from app.services.scopes import Scope

SHOWN = 50
MOST_CONVERSATIONS = 5_000
FALLBACK = "import"

NO_MODEL = (
    "No model is configured, so conversations cannot be learned from. What you said in them can be kept as it is."
)
TOO_MANY = f"Only the newest {MOST_CONVERSATIONS:,} conversations are listed; all of them can be taken in."


@dataclass(frozen=True, slots=True)
class Shown:
    """A memory as it would be stored; `is_known` if one says the same already, word for word."""

    content: str
    created_at: datetime | None
    tags: list[str]
    categories: list[str]
    is_known: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation to choose or not."""

    id: str
    title: str
    started_at: datetime | None
    messages: int
    by_user: int


@dataclass(slots=True)
class Preview:
    """What a file holds, and what of it is there already."""

    format: str
    label: str
    app: str
    has_model: bool
    memories: int = 0
    duplicates: int = 0
    conversations: int = 0
    messages: int = 0
    unreadable: int = 0
    apps: int = 0
    categories: int = 0
    items: list[Shown] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def preview(ctx: Context, file: BinaryIO, filename: str, options: Options) -> Preview:
    """What importing the file would do; nothing is written.

    Raises:
        NotFound: the user is not the caller's own, and the caller is no admin.
        Invalid: nothing of the file is known; TooLarge: it is over a limit.
        Forbidden: it is a backup, and the key is bound to an app.
    """
    owner = check_owner(ctx, options)
    has_model = inference.asks_a_model(ctx.runtime)
    with import_formats.opened(file, filename, ctx.settings.max_import_bytes) as package:
        if package.is_backup:
            return _of_backup(ctx, file, owner, has_model=has_model)
        looking = _Looking(ctx, owner, options)
        for format, item in import_formats.read(package, options.format):
            looking.take(format, item)
    return looking.done(has_model=has_model)


def check_owner(ctx: Context, options: Options) -> str:
    """Whose the memories will be.

    Raises:
        NotFound: not the caller's own, and the caller is no admin.
    """
    owner = options.user_id or ctx.caller.name
    if owner != ctx.caller.name and not ctx.caller.is_admin:
        raise NotFound(scopes.NO_USER)
    return owner


def app_of(ctx: Context, options: Options, format: str) -> str:
    """The app that is said to have written what is taken in."""
    return options.app or ctx.caller.app or FORMATS[format][1] or FALLBACK


def _of_backup(ctx: Context, file: BinaryIO, owner: str, *, has_model: bool) -> Preview:
    found = backups.preview(ctx, file, owner)
    shown = [Shown(one.content, one.created_at, one.tags, one.categories, one.is_known) for one in found.first]
    return Preview(
        BACKUP,
        FORMATS[BACKUP][0],
        "",
        has_model,
        memories=found.memories,
        duplicates=found.known,
        apps=found.apps,
        categories=found.categories,
        items=shown,
    )


class _Looking:
    """A look through a file, in bounded memory: what is known is asked a hundred memories at a time."""

    def __init__(self, ctx: Context, owner: str, options: Options) -> None:
        self._ctx = ctx
        self._owner = owner
        self._options = options
        self._seen = Seen()
        self._waiting: list[Draft] = []
        self._items: list[Shown] = []
        self._talks: list[Talk] = []
        self._known = 0
        self._scope: Scope | None = None
        self._asked = False

    def take(self, format: str, item: Record | Conversation | Problem) -> None:
        """Another item."""
        if not self._seen.note(format, item):
            return
        if isinstance(item, Record):
            self._waiting.append(import_pieces.marked(item.draft, self._options))
            if len(self._waiting) >= MEMORIES_A_PIECE:
                self._compare()
        elif isinstance(item, Conversation):
            talk = Talk(item.id, item.title, item.started_at, len(item.messages), len(item.said_by_user))
            self._talks.append(talk)

    def done(self, *, has_model: bool) -> Preview:
        """What was seen."""
        self._compare()
        seen = self._seen
        format = import_formats.format_of(seen.formats, self._options.format)
        talks = sorted(self._talks, key=lambda talk: talk.started_at or drafts.EARLIEST, reverse=True)
        warnings = [NO_MODEL] if talks and not has_model else []
        warnings += [TOO_MANY] if len(talks) > MOST_CONVERSATIONS else []
        return Preview(
            format,
            FORMATS[format][0],
            app_of(self._ctx, self._options, format),
            has_model,
            memories=seen.memories + seen.repeated,
            duplicates=seen.repeated + self._known,
            conversations=seen.conversations,
            messages=seen.messages,
            unreadable=seen.unreadable,
            categories=len(seen.categories),
            items=self._items,
            talks=talks[:MOST_CONVERSATIONS],
            problems=seen.problems,
            warnings=warnings,
        )

    def _compare(self) -> None:
        known = self._of_same_words(self._waiting)
        self._known += sum(known)
        for item, is_known in zip(self._waiting, known, strict=True):
            if len(self._items) < SHOWN:
                self._items.append(Shown(item.content, item.created_at, item.tags, item.categories, is_known))
        self._waiting = []

    def _of_same_words(self, drafted: Sequence[Draft]) -> list[bool]:
        """Which of them will not be written: the rule is the one by which they would be (`decisions.settle_exact`)."""
        if not self._asked:
            self._asked, self._scope = True, self._find_scope()
        if self._scope is None or not drafted:
            return [False] * len(drafted)
        steps = [decisions.Step(item) for item in drafted]
        decisions.settle_exact(steps, similars.of_same_hash(self._ctx, self._scope, drafted))
        return [step.reason is not None for step in steps]

    def _find_scope(self) -> Scope | None:
        """What the app that is going to write can see; nothing, if the owner is not there yet."""
        format = import_formats.format_of(self._seen.formats, self._options.format)
        name = app_of(self._ctx, self._options, format)
        query = select(User.id, App.id).outerjoin(App, (App.owner_id == User.id) & (App.name == name))
        row = self._ctx.row(query.where(User.user_id == self._owner))
        if row is None:
            return None
        return Scope(row[0], None) if row[1] is None else similars.scope_of(self._ctx, row[0], row[1])
