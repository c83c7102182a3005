"""What came in to be learned: a conversation, what is known about it, and what is to be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.engine.turns import Turn
from app.errors import Invalid, TooLarge
from app.services import drafts
from app.services.drafts import Draft

ROLE = "role"
MAX_TURNS = 500
MAX_PROMPT = 20_000  # characters
TIMES = ("occurred_at", "expires_at", "created_at")
KEPT = ("metadata", "agent_id", "run_id", "author", "memory_type", "tags", "source")


@dataclass(frozen=True, slots=True)
class Session:
    """The place of each turn in its conversation; `sent`, where the client itself numbered them.

    Without `remembers` no turn becomes a memory: there is only what a model learns from them.
    """

    places: tuple[int, ...]
    sent: tuple[bool, ...] = ()
    remembers: bool = True


@dataclass(frozen=True, slots=True)
class Intake:
    """Turns, and as `template` what every memory from them has: metadata, session, author, the time it was said.

    `prompt` is the caller's own word to the model; without `infer` each turn is stored as it is. With `keeps_roles` a
    memory that is a turn has the turn's role in its metadata. `session` is there where the turns are a conversation
    that is kept: each of them is remembered, whatever is learned from it.
    """

    turns: tuple[Turn, ...]
    template: Draft
    infer: bool = True
    prompt: str | None = None
    keeps_roles: bool = False
    session: Session | None = None

    def drafts(self) -> list[Draft]:
        """Each turn that somebody said as a memory by itself, verbatim."""
        return [self.of_turn(turn) for turn in self.turns if turn.is_said and turn.content.strip()]

    def of_turn(self, turn: Turn) -> Draft:
        """A turn as a memory, verbatim; its author is who said it."""
        metadata = {**self.template.metadata, **({ROLE: turn.role} if self.keeps_roles else {})}
        author = turn.name or self.template.author
        return replace(self.template, content=turn.content, author=author, metadata=metadata)

    def kept(self) -> dict[str, Any]:
        """As it is kept in a receipt until it succeeded, as JSON."""
        said_at, expires_at = self.template.occurred_at, self.template.expires_at
        return {
            "turns": [[turn.role, turn.content, turn.name] for turn in self.turns],
            "template": {name: getattr(self.template, name) for name in KEPT},
            "said_at": said_at.isoformat() if said_at else None,
            "expires_at": expires_at.isoformat() if expires_at else None,
            "infer": self.infer,
            "prompt": self.prompt,
            "keeps_roles": self.keeps_roles,
            "places": None if self.session is None else list(self.session.places),
            "remembers": self.session is None or self.session.remembers,
        }


def restored(kept: Mapping[str, Any]) -> Intake:
    """What `Intake.kept` was made from."""
    said_at, expires_at = drafts.moment(kept["said_at"]), drafts.moment(kept.get("expires_at"))
    template = Draft(content="", occurred_at=said_at, expires_at=expires_at, **kept["template"])
    turns = tuple(Turn(*turn) for turn in kept["turns"])
    places = kept.get("places")
    session = None if places is None else Session(tuple(places), remembers=kept.get("remembers", True))
    return Intake(turns, template, kept["infer"], kept["prompt"], kept.get("keeps_roles", False), session)


def kept_draft(item: Draft) -> dict[str, Any]:
    """A draft as it is kept in a receipt, as JSON."""
    times = {name: when.isoformat() for name in TIMES if (when := getattr(item, name)) is not None}
    named = {"categories": item.categories} if item.categories else {}
    return {"content": item.content, **{name: getattr(item, name) for name in KEPT}, **times, **named}


def restored_draft(kept: Mapping[str, Any]) -> Draft:
    """What `kept_draft` was made from."""
    times = {name: drafts.moment(kept[name]) for name in TIMES if name in kept}
    return Draft(**{**kept, **times})


def intake(
    said: str | Sequence[Turn],
    metadata: Mapping[str, Any] | None = None,
    *,
    run_id: str | None = None,
    agent_id: str | None = None,
    infer: bool = True,
    prompt: str | None = None,
    expires_at: datetime | None = None,
    longest: int = drafts.MAX_TEXT,
) -> Intake:
    """A checked intake of a text or of messages; session, author and time from the metadata, as `drafts.draft`.

    Args:
        longest: characters, of the messages together.

    Raises:
        Invalid: it is empty or overlong, has control characters, or the metadata is no plain JSON or too large.
    """
    named = drafts.draft("-", metadata, expires_at)
    template = replace(named, content="", run_id=run_id or named.run_id, agent_id=agent_id or named.agent_id)
    turns = _turns(said, template.author, longest)
    return Intake(tuple(turns), template, infer, _prompt(prompt))


def _turns(said: str | Sequence[Turn], author: str | None, longest: int) -> Sequence[Turn]:
    if isinstance(said, str):
        return [Turn("user", drafts.checked_text(said, longest), author)]
    return _checked(said, longest)


def _checked(said: Sequence[Turn], longest: int) -> Sequence[Turn]:
    if len(said) > MAX_TURNS:
        raise TooLarge(f"There are {len(said)} messages; at most {MAX_TURNS} are taken at once")
    length = sum(len(turn.content) for turn in said)
    if length > longest:
        raise TooLarge(f"The messages have {length} characters; at most {longest} are taken at once")
    if not any(turn.content.strip() for turn in said if turn.is_said):
        raise Invalid("No message says anything")
    for turn in said:
        drafts.checked_characters(turn.content)
    return said


def _prompt(prompt: str | None) -> str | None:
    if prompt is not None and len(prompt) > MAX_PROMPT:
        raise TooLarge(f"The prompt has {len(prompt)} characters; at most {MAX_PROMPT} are taken")
    return drafts.checked_characters(prompt).strip() or None if prompt else None


NOTHING = Intake((), Draft(content=""))
