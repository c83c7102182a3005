"""The command line: `commonplace serve | migrate | reindex | work | mcp | user | key | import | export | doctor`.

Its commands act as the admin: who can read DATA_DIR and DATABASE_URL needs no key.
"""

import importlib
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
import uvicorn
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from app import logs, migrations
from app.context import Context, Runtime
from app.database import now
from app.errors import CommonplaceError, Invalid
from app.services import accounts, backups, configs, doctor, indexes, keys, purges, rebuilds, users
from app.services.views import Window
from app.settings import Settings
from app.sweep import Sweep

PAGE = 100
GRACE_SECONDS = 20  # for requests in hand when the server is told to stop

app = typer.Typer(
    name="commonplace",
    help="A self-hosted memory server for AI agents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and some of those are secrets
)
user_app = typer.Typer(help="Who has memories here.", no_args_is_help=True)
key_app = typer.Typer(help="What programs show.", no_args_is_help=True)
app.add_typer(user_app, name="user")
app.add_typer(key_app, name="key")

UserId = Annotated[str, typer.Argument(help="The name that protocols carry.")]
OfUser = Annotated[str | None, typer.Option("--user", help="The user it is for; the admin without it.")]


def main() -> None:
    """The entry point; what is known to go wrong is one line on standard error."""
    try:
        app()
    except CommonplaceError as error:
        typer.echo(f"commonplace: {error}", err=True)
        sys.exit(1)
    except OperationalError as error:
        typer.echo(f"commonplace: The database cannot be opened: {error.orig}", err=True)
        sys.exit(1)


@app.command()
def serve() -> None:
    """Migrate the database and serve."""
    settings = _settings()
    check_exposure(settings)
    _prepare(settings, settings.log_level, beside=False)
    if settings.is_open:
        typer.secho(
            f"AUTH_MODE=open: whoever reaches {settings.address} is the admin, without any key.",
            fg=typer.colors.RED,
            bold=True,
            err=True,
        )
    uvicorn.run(
        # Imported only here: FastAPI and the doors take a second, which no other command should wait for.
        importlib.import_module("app.main").create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop" if sys.platform != "win32" else "auto",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def check_exposure(settings: Settings) -> None:
    """Pass unless AUTH_MODE=open would listen beyond loopback without having been allowed to.

    Raises:
        Invalid: it would.
    """
    if not settings.is_open or settings.allow_open_beyond_loopback or settings.listens_on_loopback:
        return
    raise Invalid(
        f"AUTH_MODE=open would make everybody who reaches {settings.host} the admin. "
        "Listen on 127.0.0.1, or set ALLOW_OPEN_BEYOND_LOOPBACK=true as well."
    )


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    settings = _settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs.configure("WARNING")
    done = migrations.migrate(settings.url)
    typer.echo(f"{'Migrated to' if done else 'Already at'} {migrations.head()}")


@app.command()
def reindex() -> None:
    """Make the index again from the memories."""
    with _runtime() as runtime:
        configs.refresh(runtime)
        if not _take_over(runtime):
            _level(runtime, indexes.forget(runtime))


def _take_over(runtime: Runtime) -> bool:
    """Build the configured index beside the one that serves, if that is another one; whether it was."""
    progress = importlib.import_module("rich.progress")
    with progress.Progress(*progress.Progress.get_default_columns(), progress.MofNCompleteColumn()) as bar:
        task, done = bar.add_task("Building the new index", total=None), None
        for done in rebuilds.run(runtime):
            bar.update(task, completed=done.done, total=done.total)
        bar.update(task, visible=done is not None)
    error = indexes.build_error(runtime)
    if error is not None:
        typer.echo(f"The configured index cannot be built, and the one before serves on: {error}", err=True)
        raise typer.Exit(1)
    if done is None:
        return False
    _level(runtime, indexes.pending(runtime))
    return True


def _level(runtime: Runtime, total: int) -> None:
    """Bring every memory level in the index, of which `total` are behind, and show how far it is."""
    progress = importlib.import_module("rich.progress")  # imported only here: serving needs no progress bars
    done = 0
    with progress.Progress(*progress.Progress.get_default_columns(), progress.MofNCompleteColumn()) as bar:
        task = bar.add_task("Indexing", total=total)
        for synced in indexes.rebuild(runtime):
            done = synced.total
            bar.update(task, completed=done)
    typer.echo(f"Indexed {done} memories")


@app.command(name="export")
def export_user(
    user_id: UserId,
    file: Annotated[Path | None, typer.Argument(help="The zip to write; named after the user without it.")] = None,
) -> None:
    """Write all of a user's memories to a zip that `import` and OpenMemory read."""
    target = file or Path(f"memories_export_{re.sub(r'[^A-Za-z0-9._-]+', '_', user_id)}.zip")
    part = target.with_name(f"{target.name}.part")  # what is there already stays until all of the new one is
    try:
        with _admin() as ctx, part.open("wb") as out:
            part.chmod(0o600)
            out.writelines(backups.export(ctx, user_id))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    typer.echo(f"Wrote {target}")


@app.command(name="import")
def import_file(
    user_id: UserId,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The zip of an export.")],
    mode: Annotated[str, typer.Option(help="skip, or overwrite: what to do with memories that are there.")] = "skip",
) -> None:
    """Read a zip into a user's memories: all of it, or nothing."""
    with _runtime() as runtime:
        configs.refresh(runtime)
        with runtime.context(accounts.admin(runtime), writing=True) as ctx, file.open("rb") as zipped:
            done = backups.import_file(ctx, zipped, user_id, mode)
        typer.echo(
            f"Imported {done.imported}, updated {done.updated}, unchanged {done.unchanged}, skipped {done.skipped}; "
            f"made {done.apps} apps and {done.categories} categories"
        )
        _level(runtime, indexes.pending(runtime))


@app.command()
def purge(
    days: Annotated[int | None, typer.Option(min=0, max=36500, help="Instead of openmemory.purge_after_days.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")] = False,
) -> None:
    """Destroy what was deleted longer ago than the configuration says."""
    with _runtime() as runtime:
        due = purges.due(runtime, days)
        if dry_run:
            typer.echo(f"Would purge {due} memories")
            return
        configs.refresh(runtime)
        typer.echo(f"Purged {purges.run(runtime, days)} memories")


@app.command()
def work() -> None:
    """Sweep the index in the foreground, until told to stop."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with _runtime(level=None) as runtime:
        sweep = Sweep(runtime)
        sweep.start()
        stopped.wait()
        sweep.stop()


@app.command(name="mcp")
def speak_mcp(
    user_id: OfUser = None,
    client: Annotated[str, typer.Option(help="The app as which it reads and writes.")] = accounts.UNNAMED_APP,
) -> None:
    """Speak the Model Context Protocol on standard input and output, as the admin."""
    with _runtime() as runtime:
        sweep = Sweep(runtime)  # loads the engine; what this process writes is indexed though no server runs
        sweep.start()
        try:
            importlib.import_module("app.routers.mcp.stdio").serve(runtime, user_id, client)
        finally:
            sweep.stop()


@app.command(name="doctor")
def examine() -> None:
    """Check that everything which is kept twice agrees; exit 1 if something does not."""
    settings = _settings()
    logs.configure("WARNING")
    runtime = Runtime(settings)
    findings = []
    for finding in doctor.examine(runtime):
        mark = typer.style("ok", fg="green") if finding.is_well else typer.style("PROBLEM", fg="red", bold=True)
        typer.echo(f"{mark:>8}  {finding.name}: {finding.text}")
        findings.append(finding)
    runtime.close()
    raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)


@user_app.command("add")
def add_user(
    user_id: UserId,
    name: Annotated[str | None, typer.Option(help="What to call them.")] = None,
    email: Annotated[str | None, typer.Option(help="Where to write to them.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="May do everything.")] = False,
    password: Annotated[bool, typer.Option("--password", help="Ask for a password, to sign in with.")] = False,
) -> None:
    """Make a user."""
    secret = _ask_password() if password else None
    with _admin(writing=True) as ctx:
        users.create(ctx, user_id, name, email, secret, admin)
    typer.echo(f"Made {user_id}")


@user_app.command("list")
def list_users() -> None:
    """Print every user."""
    with _admin() as ctx:
        for start in range(0, users.listing(ctx, Window(1)).total, PAGE):
            for user in users.listing(ctx, Window(PAGE, start)).items:
                notes = [("admin", user.is_admin), ("deactivated", not user.is_active), ("password", user.has_password)]
                typer.echo(
                    "\t".join([user.user_id, user.name or "", ", ".join(note for note, is_so in notes if is_so)])
                )


@user_app.command("password")
def set_password(user_id: UserId) -> None:
    """Set a password (asked for, or a line of standard input) and end the user's logins."""
    secret = _ask_password()
    with _admin(writing=True) as ctx:
        users.change(ctx, user_id, {"password": secret})
    typer.echo(f"Changed the password of {user_id}")


@key_app.command("create")
def create_key(
    label: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="read, write or admin; may be repeated.")] = None,
    app_name: Annotated[str | None, typer.Option("--app", help="The app that it is bound to.")] = None,
    user_id: OfUser = None,
    days: Annotated[int | None, typer.Option(min=1, max=36500, help="How long it lives.")] = None,
) -> None:
    """Make a key and print it, this once."""
    expires_at = now() + timedelta(days=days) if days else None
    with _admin(writing=True) as ctx:
        made = keys.create(ctx, label, scope or ["read", "write"], app_name, user_id, expires_at)
    typer.echo(made.secret)


@key_app.command("list")
def list_keys(user_id: OfUser = None) -> None:
    """Print every key, newest first, without its secret."""
    with _admin() as ctx:
        for start in range(0, keys.listing(ctx, Window(1), user_id).total, PAGE):
            for key in keys.listing(ctx, Window(PAGE, start), user_id).items:
                state = "revoked" if key.revoked_at else f"used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else ""
                parts = [
                    str(key.id),
                    key.prefix,
                    key.user_id,
                    key.app_name or "",
                    ",".join(key.scopes),
                    key.label,
                    state,
                ]
                typer.echo("\t".join(parts))


@key_app.command("revoke")
def revoke_key(key_id: Annotated[UUID, typer.Argument(help="The id that `key list` prints.")]) -> None:
    """Make a key worthless, at once."""
    with _admin(writing=True) as ctx:
        key = keys.revoke(ctx, key_id)
    typer.echo(f"Revoked {key.prefix} ({key.label})")


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        # Not the error itself: it holds the values, and some of those are secrets.
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors())
        raise Invalid(f"The environment is not right. {faults}") from None


def _prepare(settings: Settings, level: str, *, beside: bool = True) -> None:
    """Everything that a server needs before its first request: folder, logs, schema, an admin and a key.

    The first key is printed; `beside` what the command prints, on standard error.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs.configure(level)
    migrations.migrate(settings.url)
    runtime = Runtime(settings)
    first = accounts.bootstrap(runtime)
    runtime.close()
    if first is not None:
        typer.echo(
            "\nWelcome to Commonplace. This is shown once; keep the key.\n\n"
            f"  Dashboard    {_dashboard(settings)}\n"
            f"  Admin user   {first.user_id}\n"
            f"  API key      {first.key}\n",
            err=beside,
        )


def _dashboard(settings: Settings) -> str:
    if settings.has_dashboard:
        return f"{settings.address}/dashboard/"
    return f"not built: `make serve` builds it where Node is. The API: {settings.address}/docs"


@contextmanager
def _runtime(level: str | None = "WARNING") -> Iterator[Runtime]:
    """A prepared runtime, closed at the end; logs at `level`, None being the one of the settings."""
    settings = _settings()
    _prepare(settings, level or settings.log_level)
    runtime = Runtime(settings)
    try:
        yield runtime
    finally:
        runtime.close()


@contextmanager
def _admin(*, writing: bool = False) -> Iterator[Context]:
    """A Context of the admin, committed at the end."""
    with _runtime() as runtime, runtime.context(accounts.admin(runtime), writing=writing) as ctx:
        yield ctx


def _ask_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
