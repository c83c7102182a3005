"""Trying what an admin is about to configure: one real call, before it is saved, and nothing of it is kept."""

from dataclasses import dataclass

from app.context import Context
from app.engine.probing import ProbeFailed
from app.errors import Invalid
from app.services import accounts, config_rules, config_secrets, configs
from app.services.config_rules import Json


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether it works, and what it said or why not, in a sentence without secrets; `milliseconds` of the call alone.

    `model` is what was asked, `dimensions` an embedder's, `answer` the first words of an LLM's.
    """

    is_well: bool
    detail: str
    milliseconds: float | None = None
    model: str | None = None
    dimensions: int | None = None
    answer: str | None = None


def run(ctx: Context, name: str, section: Json) -> Probe:
    """Ask the provider of the section `name` of `mem0` one real thing, as it stands in `section`.

    What is not named, and a masked secret, are taken as `configs.replace` takes them. Whatever that would refuse is
    told as well as what the provider refuses. At most `app.engine.probing.SECONDS`, and no transaction meanwhile.

    Raises:
        Forbidden: the caller is no admin.
    """
    accounts.require(ctx.caller, "admin")
    ctx.release()
    tried = section
    try:
        config = configs.candidate(ctx, {"mem0": {name: section}})
        tried = config["mem0"][name]
        # Not only when it differs from what is saved: what a host name means may have changed since.
        config_rules.check_reach(name, tried, ctx.engine.providers(), ctx.settings.allowed_provider_hosts)
        found = ctx.engine.probe(name, config)
    except (Invalid, ProbeFailed) as error:
        return Probe(False, config_secrets.scrub(str(error), tried))
    answer = found.answer and config_secrets.scrub(found.answer, tried)
    model = found.model and config_secrets.scrub(found.model, tried)
    return Probe(True, found.text, round(1000 * found.seconds, 1), model, found.dimensions, answer)
