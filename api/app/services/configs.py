"""What a user may change while the server runs: read, changed, and brought to the engine.

The row "main" of `configs` holds only what differs from `default_config.json`, so a newer version's defaults reach
whoever has not changed them. All of it is the admins': it names hosts, models and secrets.
"""

import dataclasses
import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.context import Context, Runtime
from app.engine.engine import Built, Chosen
from app.engine.sync import serve, serving
from app.errors import Conflict, Invalid, StoreUnavailable, Unavailable
from app.models import Config, Memory, State
from app.services import accounts, config_rules, config_secrets
from app.services.config_rules import Json

KEY = "main"
INDEX_SECTIONS = ("embedder", "vector_store")
READ_WHEN_USED = frozenset(  # keys that no engine is built from
    {"custom_instructions", "duplicate_threshold", "llm_timeout", "retention", "purge_after_days", "review_with_llm"}
)

logger = logging.getLogger(__name__)


def current(source: Session | Context) -> Json:
    """The effective configuration, secrets included: not for anybody's eyes. One statement."""
    return _effective(_stored(source.session if isinstance(source, Context) else source))


def public(ctx: Context) -> Json:
    """The effective configuration with its secrets masked.

    Raises:
        Forbidden: the caller is no admin.
    """
    accounts.require(ctx.caller, "admin")
    shown: Json = config_secrets.mask(current(ctx))
    return shown


def section(ctx: Context, *path: str) -> Json:
    """One section of `public`, for instance `section(ctx, "mem0", "llm")`."""
    shown: Json = config_rules.at(public(ctx), *path)
    return shown


def replace(ctx: Context, sent: Json) -> Json:
    """Replace the sections that `sent` names; answers like `public`.

    What is not named is kept, null is the default, a masked secret is the one that is kept. When the embedder, the
    vector store or the categories change, the new engine is built first, and used after the commit.

    Raises:
        Invalid: it makes no sense, leads where it may not, or the engine cannot be built from it; nothing is changed.
        Conflict: somebody else changed the configuration meanwhile.
        Forbidden: the caller is no admin.
    """
    return _change(ctx, sent, config_rules.replaced)


def merge(ctx: Context, sent: Json) -> Json:
    """Change only the keys that `sent` names; otherwise as `replace`."""
    return _change(ctx, sent, lambda old, sent: config_rules.merged(old, sent, config_rules.defaults()))


def lay_over(ctx: Context, sent: Json) -> Json:
    """As `merge`, but a provider that is exchanged for another keeps nothing of the one before."""
    return _change(ctx, sent, config_rules.laid_over)


def providers(ctx: Context) -> dict[str, list[str]]:
    """The providers that each section of `mem0` may name."""
    known = ctx.engine.providers()
    names = {"llm": known.llm_names(), "embedder": known.embedder_names()}
    return {name: [one for one in found if one not in config_rules.OBJECTS_ONLY] for name, found in names.items()}


def reset(ctx: Context) -> Json:
    """Back to `default_config.json`; answers like `public`."""
    return _change(ctx, {}, lambda *_: config_rules.defaults())


def put_section(ctx: Context, sent: Json, *path: str) -> Json:
    """`replace` for one section; answers that section."""
    body = sent
    for key in reversed(path):
        body = {key: body}
    changed: Json = config_rules.at(replace(ctx, body), *path)
    return changed


def candidate(ctx: Context, sent: Json) -> Json:
    """What `replace` would make of the configuration, secrets included: not for anybody's eyes. Nothing is changed.

    Raises:
        Invalid: it makes no sense, or leads where it may not.
        Forbidden: the caller is no admin.
    """
    return _combined(ctx, sent, config_rules.replaced)[2]


def _combined(ctx: Context, sent: Json, combine: Callable[[Json, Json], Json]) -> tuple[Json, Json, Json]:
    """What is stored, the effective configuration, and what it would become, which has been checked."""
    accounts.require(ctx.caller, "admin")
    config_rules.check_size(sent)
    # Read in a session of its own: no transaction is open while names are resolved and the engine is built.
    with ctx.runtime.database.reading() as session:
        seen = _stored(session)
    old = _effective(seen)
    new = combine(old, config_secrets.restore(sent, old))
    providers = ctx.engine.providers()
    _forget_foreign(old, new, sent, providers)
    config_rules.check(new, providers)
    _check_destinations(ctx, old, new, sent, providers)
    return seen, old, new


def _change(ctx: Context, sent: Json, combine: Callable[[Json, Json], Json]) -> Json:
    seen, old, new = _combined(ctx, sent, combine)
    chosen = choose_llm(ctx.runtime, new) if llm_part(old) != llm_part(new) else None
    built = _build(ctx, new) if _engine_part(old) != _engine_part(new) else None
    if new != old:
        _store(ctx, seen, config_rules.difference(config_rules.defaults(), new))
        logger.info("the configuration was changed", extra={"sections": _changed(old, new)})
    if chosen is not None:
        ctx.after_commit(lambda: ctx.engine.use_llm(chosen))
    if built is not None:
        ctx.after_commit(lambda: _exchange(ctx.runtime, built))
    shown: Json = config_secrets.mask(new)
    return shown


def _exchange(runtime: Runtime, built: Built) -> None:
    engine = runtime.engine
    if engine.is_ready and engine.index.identity != built.index.identity:
        engine.prepare(built)  # the sweep builds its index beside the one that serves, and then exchanges them
    else:
        engine.use(built)
    runtime.wake.set()


def _forget_foreign(old: Json, new: Json, sent: Json, providers: Any) -> None:
    """Drop the keys of the provider before that the new one does not take and nobody sent."""
    if config_rules.at(new, "mem0", "llm", "provider") == old["mem0"]["llm"]["provider"]:
        return
    config = config_rules.at(new, "mem0", "llm", "config")
    named = config_rules.at(sent, "mem0", "llm", "config") or {}
    known = config_rules.accepted(new, providers)["llm"] if isinstance(config, dict) else frozenset()
    for key in [key for key in config or () if key not in known and key not in named]:
        del config[key]


def _check_destinations(ctx: Context, old: Json, new: Json, sent: Json, providers: Any) -> None:
    for name in config_rules.PROVIDERS:
        before, after = old["mem0"][name], new["mem0"][name]
        if before != after:
            config_rules.check_carried(name, before, after, config_rules.at(sent, "mem0", name))
            config_rules.check_reach(name, after, providers, ctx.settings.allowed_provider_hosts)


def _build(ctx: Context, config: Json) -> Built:
    try:
        built = ctx.engine.build(config)
        built.index.check()
        if built.no_reranker:
            raise Invalid(config_secrets.scrub(built.no_reranker, config["mem0"]["reranker"]))
    except (Invalid, StoreUnavailable) as error:
        reason = config_secrets.scrub(str(error), config["mem0"]["embedder"])
        raise Invalid(f"The engine cannot be built from this configuration: {reason}") from None
    return built


def _changed(old: Json, new: Json) -> list[str]:
    return [f"{top}.{key}" for top in new for key in new[top] if new[top][key] != old[top].get(key)]


def _engine_part(config: Mapping[str, Any]) -> Json:
    """What an engine is built from: changing the rest needs no new one."""
    ours = {key: value for key, value in config["openmemory"].items() if key not in READ_WHEN_USED}
    return {**ours, **{name: config["mem0"][name] for name in ("embedder", "vector_store", "reranker")}}


def llm_part(config: Mapping[str, Any]) -> Json:
    """What the LLM is built from."""
    return {"llm": config["mem0"]["llm"], "llm_timeout": config["openmemory"]["llm_timeout"]}


def choose_llm(runtime: Runtime, config: Json) -> Chosen:
    """The LLM of a configuration, or why there is none yet: a key that the environment does not have.

    Raises:
        Invalid: there cannot be one: a package is missing.
    """
    part = llm_part(config)
    try:
        return Chosen(runtime.engine.build_llm(config), part=part)
    except Unavailable as error:
        return _no_llm(error, config)
    except Invalid as error:
        reason = config_secrets.scrub(str(error), config["mem0"]["llm"])
        raise Invalid(f"The engine cannot be built from this configuration: {reason}") from None


def _no_llm(error: Exception, config: Json) -> Chosen:
    # Not logger.exception: a client's message may quote the key that it was given.
    reason = config_secrets.scrub(str(error), config["mem0"]["llm"])
    logger.warning("the LLM cannot be built; what is to be learned with it is kept: %s", reason)
    told = "it cannot be built from the configuration; the server's log says why"
    return Chosen(failure=told, part=llm_part(config))


def _effective(stored: Json) -> Json:
    default = config_rules.defaults()
    config: Json = config_rules.merged(default, stored, default)
    return config


def _stored(session: Session) -> Json:
    return session.scalar(select(Config.value).where(Config.key == KEY)) or {}


def _store(ctx: Context, seen: Json, value: Json) -> None:
    insert = (sqlite if ctx.runtime.database.is_sqlite else postgresql).insert
    # The row is made first, so that there is one to lock when two requests are the first at once.
    ctx.session.execute(insert(Config).values(key=KEY, value={}).on_conflict_do_nothing())
    row = ctx.session.scalars(select(Config).where(Config.key == KEY).with_for_update()).one()
    if row.value != seen:
        raise Conflict("The configuration was changed meanwhile; read it again")
    row.value = value
    ctx.session.flush()


def refresh(runtime: Runtime) -> None:
    """Have the engine in use be the one whose index serves, whoever changed what, in whichever process.

    That is the configured one, or the one before it while the configured one's index is built (`services.rebuilds`).
    Does nothing when it is. When it cannot be built none is in use, and the next refresh tries again.
    """
    with runtime.database.reading() as session:
        config, served = current(session), serving(session)
    _refresh_llm(runtime, config)  # first: who waits for the engine finds out then whether there is an LLM, too
    if served is not None and served.get("identity", "") != identity(runtime, config) and "embedder" in served:
        before = {**config, "mem0": {**config["mem0"], **{name: served[name] for name in INDEX_SECTIONS}}}
        if _use(runtime, before):
            return
        logger.warning("the index before cannot be used any more; the configured one serves while it is being built")
    if _use(runtime, config):
        _adopt(runtime, config)


def _refresh_llm(runtime: Runtime, config: Json) -> None:
    """Have the LLM in use be the configured one. One that could not be built is tried again: its host may be back."""
    in_use = runtime.engine.in_use
    if in_use.failure is None and in_use.part == llm_part(config):
        return
    section = config["mem0"]["llm"]
    try:
        config_rules.check_reach("llm", section, runtime.engine.providers(), runtime.settings.allowed_provider_hosts)
        chosen = choose_llm(runtime, config)
    except Invalid as error:  # it must not keep the index from being built
        chosen = _no_llm(error, config)
    runtime.engine.use_llm(chosen)


def identity(runtime: Runtime, config: Json) -> str:
    """Which index the configuration asks for."""
    found: str = runtime.engine.providers().identity(*(config["mem0"][name] for name in INDEX_SECTIONS))
    return found


def sections(config: Json) -> Json:
    """Those of the configuration that an index is built from."""
    return {name: config["mem0"][name] for name in INDEX_SECTIONS}


def _use(runtime: Runtime, config: Json) -> bool:
    """Have the engine be the one of `config`; whether it is."""
    engine = runtime.engine
    if engine.config and _engine_part(engine.config) == _engine_part(config):
        return True
    embedder = config["mem0"]["embedder"]
    try:
        # Again, not only when it was saved: what the host name means may have changed since.
        for name in INDEX_SECTIONS:
            allowed = runtime.settings.allowed_provider_hosts
            config_rules.check_reach(name, config["mem0"][name], engine.providers(), allowed)
        engine.use(_with_safe_reranker(runtime, engine.build(config), config["mem0"]["reranker"]))
    except Invalid as error:
        # Not logger.exception: a client's message may quote the key that it was given.
        reason = config_secrets.scrub(str(error), embedder)
        logger.error("the engine cannot be built; writes are kept and indexed later: %s", reason)
        # Whoever may not read the configuration is not told its hosts and models either.
        engine.fail("it cannot be built from the configuration; the server's log says why")
        return False
    return True


def _adopt(runtime: Runtime, config: Json) -> None:
    """Have the engine's index be the one that serves, if none does, or the one that does cannot be used."""
    index = runtime.engine.index
    with runtime.database.reading() as session:
        served = serving(session)
    if served is not None and served.get("identity") == index.identity:
        return
    with runtime.relaxed.transaction() as session:
        if served is not None and served.get("model") != index.model:
            session.execute(update(Memory).where(Memory.state == State.active).values(indexed_at=None))
        serve(session, index, sections(config))


def _with_safe_reranker(runtime: Runtime, built: Built, section: Json) -> Built:
    """The engine without its reranker if that may not be asked, or there is none: searches go on without it."""
    try:
        config_rules.check_reach(
            "reranker", section, runtime.engine.providers(), runtime.settings.allowed_provider_hosts
        )
        why = built.no_reranker
    except Invalid as error:
        built, why = dataclasses.replace(built, reranker=None), str(error)
    if why:
        logger.error("there is no reranker; searches go on without it: %s", config_secrets.scrub(why, section))
    return built
