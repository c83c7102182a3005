"""What agents send to a space: contents and conversations, checked before anything is accepted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.context import Context
from app.engine.turns import Turn, without_blocks
from app.errors import Invalid
from app.services import accounts, drafts, inference, spaces
from app.services.decisions import PINNED
from app.services.drafts import Draft
from app.services.inference import Learned
from app.services.intakes import MAX_TURNS, Intake, Session, intake
from app.services.recalls import Hit
from app.services.spaces import Space

MAX_BYTES = 50_000
MAX_TAGS = 20
MAX_ROLE = 32
AT_ONCE = 1_000
VALUE = "mem9:metadata"  # where metadata lies that is no object


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation; `seq` if the client numbers them."""

    role: str
    content: str
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a write beside its words; `metadata` is any JSON. `agent_id` wins over the agent that asks."""

    agent_id: str | None = None
    session_id: str | None = None
    tags: Sequence[str] = ()
    metadata: Any = None

    def template(self, agent: str | None) -> Draft:
        """What every memory from it has.

        Raises:
            Invalid: too many tags, or a name or metadata that cannot be stored.
        """
        writer = named("agent_id", self.agent_id) or agent
        drafted = drafts.draft("-", as_object(self.metadata))
        run_id = named("session_id", self.session_id) or drafted.run_id
        tags = checked_tags(self.tags)
        return replace(drafted, content="", agent_id=writer, source=writer, run_id=run_id, tags=tags)


def as_object(metadata: Any) -> dict[str, Any]:
    """Metadata as it is stored: an object as it is, anything else in one."""
    if metadata is None or isinstance(metadata, dict):
        return metadata or {}
    return {VALUE: metadata}


def as_sent(metadata: dict[str, Any]) -> Any:
    """Metadata as it was sent."""
    return metadata[VALUE] if metadata.keys() == {VALUE} else metadata


def named(field: str, value: str | None) -> str | None:
    """The name, None for an empty one.

    Raises:
        Invalid: nobody can have it.
    """
    if not value or not value.strip():
        return None
    try:
        return accounts.check_name(value)
    except Invalid as error:
        raise Invalid(f"{field}: {error}") from None


def checked_tags(tags: Sequence[str]) -> list[str]:
    """The tags without repetitions.

    Raises:
        Invalid: too many, or one that cannot be stored.
    """
    if len(tags) > MAX_TAGS:
        raise Invalid(f"tags: too many (max {MAX_TAGS})")
    return list(dict.fromkeys(tag for one in tags if (tag := named("tags", one))))


def checked_content(content: str, field: str = "content") -> str:
    """The text, if it may be a memory's here.

    Raises:
        Invalid: it is empty, over the limit, or cannot be stored.
    """
    if len(content.encode("utf-8", "replace")) > MAX_BYTES:
        raise Invalid(f"{field}: too long (max {MAX_BYTES})")
    try:
        return drafts.checked_text(content)
    except Invalid as error:
        raise Invalid(f"{field}: {error}") from None


def pin(ctx: Context, space: Space, content: str, about: About) -> Hit:
    """Store a text as it is, as a pinned memory, now."""
    item = replace(about.template(space.agent), content=checked_content(content), memory_type=PINNED)
    return store(ctx, space, [item])[0]


def store(ctx: Context, space: Space, drafted: Sequence[Draft]) -> list[Hit]:
    """Store each draft as it is, all or none; no model is asked."""
    if not 1 <= len(drafted) <= AT_ONCE:
        raise Invalid(f"memories: 1 to {AT_ONCE} are stored at once")
    own = spaces.writer(ctx, space)
    done = inference.add_many(own, own.caller.name, drafted, app=space.app(own.caller), infer=False)
    return [Hit(view, space.nodes[0].source) for view in done.memories]


def add(ctx: Context, space: Space, content: str, about: About, *, later: bool) -> Learned:
    """Learn from a text; with `later` only keep it, for the worker.

    Raises:
        Invalid: the text, a tag or the metadata is over a limit: whatever is accepted can be stored.
        Kept: as `inference.add`.
    """
    taken_in = replace(intake(checked_content(content)), template=about.template(space.agent))
    own = spaces.writer(ctx, space)
    return inference.add(own, own.caller.name, taken_in, app=space.app(own.caller), later=later)


def add_conversation(
    ctx: Context, space: Space, said: Sequence[Said], about: About, *, infer: bool, later: bool
) -> Learned | None:
    """Keep the messages of a conversation, remember each, and with `infer` learn; None if nobody says anything.

    A long one is taken in piece by piece, each with its receipt; the answer is the last one's.

    Raises:
        as `add`.
    """
    pieces = list(conversation(said, about.template(space.agent), infer=infer))
    own = spaces.writer(ctx, space)
    app, learned = space.app(own.caller), None
    for piece in pieces:
        learned = inference.add(own, own.caller.name, piece, app=app, later=later)
    return learned


def conversation(said: Sequence[Said], template: Draft, *, infer: bool, most: int = MAX_TURNS) -> Iterator[Intake]:
    """The messages as intakes, without memory blocks that an agent put in, and without those that say nothing.

    Raises:
        Invalid: a message that is too long, or cannot be stored.
    """
    piece, length = list[tuple[Turn, int, bool]](), 0
    for place, one in enumerate(said):
        turn = _turn(one, place)
        if not turn.content:
            continue
        if len(piece) >= most or length + len(turn.content) > drafts.MAX_TEXT:
            yield _intake(piece, template, infer)
            piece, length = [], 0
        piece.append((turn, place if one.seq is None else one.seq, one.seq is not None))
        length += len(turn.content)
    if piece:
        yield _intake(piece, template, infer)


def _turn(said: Said, place: int) -> Turn:
    content = without_blocks(said.content)
    if len(content) > drafts.MAX_TEXT:
        raise Invalid(f"messages[{place}].content: too long (max {drafts.MAX_TEXT})")
    if not 1 <= len(said.role) <= MAX_ROLE:
        raise Invalid(f"messages[{place}].role: must have 1 to {MAX_ROLE} characters")
    drafts.checked_characters(said.role)
    return Turn(said.role, drafts.checked_characters(content))


def _intake(piece: Sequence[tuple[Turn, int, bool]], template: Draft, infer: bool) -> Intake:
    session = Session(tuple(place for _, place, _ in piece), tuple(is_sent for _, _, is_sent in piece))
    return Intake(tuple(turn for turn, _, _ in piece), template, infer, session=session)
