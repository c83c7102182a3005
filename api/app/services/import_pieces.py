"""From what a file holds to the adds that the worker does: memories a hundred at a time, conversations turn by turn."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from app.services import drafts, ingests
from app.services.drafts import MAX_TEXT, Draft
from app.services.import_formats import Conversation, Item, Message, Problem, Record
from app.services.ingests import Said
from app.services.intakes import Intake, Session

MEMORIES_A_PIECE = 100
MESSAGES_A_PIECE = 50
MOST_PROBLEMS = 100

Treatment = Literal["learn", "keep", "skip"]


@dataclass(frozen=True, slots=True)
class Options:
    """What a person chose for an import; None is what the file says, or what is usual.

    Attributes:
        user_id: whose the memories will be; app: which app is said to have written them.
        mode: of a backup: `skip` leaves what is there, `overwrite` makes it what the file says.
        conversations: `learn` from them, `keep` what the user said in them, or `skip` them.
        chosen: the ids of the conversations that are wanted; None is all.
        tags: given to everything; categories: to memories.
    """

    user_id: str | None = None
    app: str | None = None
    format: str | None = None
    mode: str = "skip"
    conversations: Treatment = "skip"
    memories: bool = True
    chosen: frozenset[str] | None = None
    tags: Sequence[str] = ()
    categories: Sequence[str] = ()

    def wants(self, conversation: Conversation) -> bool:
        """Whether the conversation is to be taken in."""
        return self.conversations != "skip" and (self.chosen is None or conversation.id in self.chosen)


@dataclass(slots=True)
class Seen:
    """What was seen in a file, in numbers, and the first things that could not be read."""

    formats: Counter[str] = field(default_factory=Counter)
    memories: int = 0
    repeated: int = 0
    conversations: int = 0
    messages: int = 0
    unreadable: int = 0
    problems: list[Problem] = field(default_factory=list)
    categories: set[str] = field(default_factory=set)
    _known: set[tuple[str, str | None, datetime | None]] = field(default_factory=set)

    def note(self, format: str, item: Item) -> bool:
        """Count the item; False for a memory that the file holds twice."""
        self.formats[format] += not isinstance(item, Problem)
        if isinstance(item, Problem):
            self.unreadable += 1
            self.problems += [item] if len(self.problems) < MOST_PROBLEMS else []
        elif isinstance(item, Conversation):
            self.conversations += 1
            self.messages += len(item.messages)
        elif self._is_repeated(item.draft):
            self.repeated += 1
            return False
        else:
            self.memories += 1
            self.categories.update(item.draft.categories)
        return True

    def _is_repeated(self, item: Draft) -> bool:
        key = (drafts.content_hash(item.content), item.author, item.occurred_at)
        is_known = key in self._known
        self._known.add(key)
        return is_known


@dataclass(slots=True)
class Pieces:
    """What is to be done, and what of the file it is."""

    seen: Seen = field(default_factory=Seen)
    drafted: list[list[Draft]] = field(default_factory=list)
    conversations: list[Intake] = field(default_factory=list)
    memories: int = 0
    chosen: int = 0

    @property
    def total(self) -> int:
        """How many pieces there are."""
        return len(self.drafted) + len(self.conversations)


def cut(found: Iterable[tuple[str, Item]], options: Options) -> Pieces:
    """The items as pieces, as far as they are wanted.

    Raises:
        Invalid: as reading the file does.
    """
    pieces = Pieces()
    for format, item in found:
        if not pieces.seen.note(format, item):
            continue
        if isinstance(item, Record) and options.memories:
            _add(pieces, marked(item.draft, options))
        elif isinstance(item, Conversation) and options.wants(item):
            intakes = list(_intakes(item, options))
            pieces.conversations += intakes
            pieces.chosen += bool(intakes)
    return pieces


def marked(item: Draft, options: Options) -> Draft:
    """A memory with what was chosen for all."""
    tags = list(dict.fromkeys([*item.tags, *options.tags]))[: ingests.MAX_TAGS]
    categories = list(dict.fromkeys([*item.categories, *options.categories]))
    return replace(item, tags=tags, categories=categories)


def _add(pieces: Pieces, item: Draft) -> None:
    pieces.memories += 1
    if not pieces.drafted or len(pieces.drafted[-1]) >= MEMORIES_A_PIECE:
        pieces.drafted.append([])
    pieces.drafted[-1].append(item)


def _intakes(conversation: Conversation, options: Options) -> Iterator[Intake]:
    """To be learned from, all that was said; to be kept, what the user said. Either way known again by its words."""
    learns = options.conversations == "learn"
    messages = conversation.messages if learns else conversation.said_by_user
    template = Draft(
        content="",
        metadata={"conversation": conversation.title} if conversation.title else {},
        agent_id=conversation.agent_id,
        run_id=conversation.id,
        occurred_at=conversation.started_at,
        tags=list(options.tags)[: ingests.MAX_TAGS],
        created_at=None,
    )
    for intake in ingests.conversation(list(_said(messages)), template, infer=learns, most=MESSAGES_A_PIECE):
        session = intake.session or Session(())
        yield replace(intake, session=replace(session, remembers=not learns))


def _said(messages: Sequence[Message]) -> Iterator[Said]:
    for one in messages:
        for start in range(0, len(one.text), MAX_TEXT):
            yield Said(one.role, one.text[start : start + MAX_TEXT])
