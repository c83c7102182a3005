"""How this server is deployed: the environment, read once. What a user may change in the dashboard is in
`default_config.json` and the `configs` table instead; a key lives in one of the two."""

import ipaddress
import secrets
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from limits import parse_many
from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]


LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _base(value: str | None) -> str | None:
    return value.rstrip("/") if value else None


def _rates(value: str) -> str:
    if value.strip().lower() != "off":
        parse_many(value)  # raises ValueError
    return value


CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(_split)]
Rates = Annotated[str, AfterValidator(_rates)]


class Settings(BaseSettings):
    """Every field is an environment variable of the same name, documented in docs/settings.md (a test compares)."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True, env_ignore_empty=True)

    host: str = Field(
        "127.0.0.1", validation_alias=AliasChoices("HOST", "API_HOST", "host"), description="Address to listen on."
    )
    port: int = Field(
        8765,
        ge=0,
        le=65535,
        validation_alias=AliasChoices("PORT", "API_PORT", "port"),
        description="Port to listen on.",
    )
    data_dir: Path = Field(Path("data"), description="Where the database, the secrets and the model's graph are kept.")
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the database; the SQLite file `commonplace.db` in DATA_DIR when absent."
    )
    auth_mode: Literal["required", "open"] = Field(
        "required", description="`required`: every request carries a key or a token. `open`: everybody is the admin."
    )
    allow_open_beyond_loopback: bool = Field(
        False, description="The second yes that AUTH_MODE=open needs to listen on an address beyond loopback."
    )
    admin_api_key: SecretStr | None = Field(
        None,
        min_length=8,
        validation_alias=AliasChoices("ADMIN_API_KEY", "API_KEY", "admin_api_key"),
        description="An API key that is the admin's; not stored, valid while it is set.",
    )
    jwt_secret: SecretStr | None = Field(
        None, min_length=32, description="Signs access tokens; generated and kept in DATA_DIR when absent."
    )
    default_user_id: str = Field(
        "default_user",
        min_length=1,
        max_length=255,
        validation_alias=AliasChoices("DEFAULT_USER_ID", "USER", "default_user_id"),
        description="The admin's user id, created at the first start; `USER` is read when it is absent.",
    )
    cors_origins: CommaSeparated = Field(
        default_factory=list,
        description="Comma-separated origins whose pages may call the API, `*` for any. Absent: any when AUTH_MODE is "
        "`required`, where a page needs a key; a page served by this machine when it is `open`, where it needs none.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")
    allowed_provider_hosts: CommaSeparated = Field(
        default_factory=list,
        description="Comma-separated private hosts (`host` or `host:port`) that provider URLs in the config may name.",
    )
    max_import_bytes: int = Field(
        2 * 1024**3, ge=1024, description="Most bytes that an imported backup may hold when decompressed."
    )
    vector_cache_bytes: int = Field(
        256 * 1024**2,
        ge=1024**2,
        description="Memory for the embedded index's vectors, in bytes; least recently used owners leave first.",
    )
    dashboard_dir: Path | None = Field(
        None, description="The dashboard's built pages; `ui/out` beside the server's code when absent."
    )
    mem9_provisioning: Literal["open", "admin", "off"] | None = Field(
        None,
        description="Who may make mem9 spaces: `open` is everybody, `admin` an admin's key, `off` nobody. `open` when "
        "absent and HOST is loopback, else `admin`.",
    )
    mem9_provisions_per_hour: int = Field(
        600, ge=1, description="Most mem9 spaces and chains that are made in an hour when everybody may."
    )
    mem9_strict_if_match: bool = Field(
        False, description="Refuse a mem9 PUT whose If-Match is not the present version with 412."
    )
    sweep_seconds: float = Field(15.0, gt=0, description="Pause between two sweeps of the index, in seconds.")
    redis_url: str | None = Field(
        None,
        pattern=r"^(rediss?|redis\+unix)://.",
        description="Redis that counts requests for several processes; without it each counts its own.",
    )
    rate_limit_mem0_local: Rates = Field("100/minute; 20/10 seconds", description="Requests a key, mem0-local's door.")
    rate_limit_mem9: Rates = Field("200/2 seconds", description="Requests a key and a client address, mem9's door.")
    rate_limit_openmemory: Rates = Field("off", description="Requests a key, OpenMemory's door.")
    rate_limit_mem0: Rates = Field("off", description="Requests a key, mem0's doors.")
    rate_limit_memento: Rates = Field("off", description="Requests a key, Memento's door.")
    rate_limit_mcp: Rates = Field("off", description="Requests a key, MCP's door.")
    rate_limit_login: Rates = Field("10/minute", description="Attempts to sign in, a user name and a client address.")
    max_memory_size: int = Field(
        1_000_000, ge=1, le=1_000_000, description="Most characters of a memory that comes in by mem0-local's door."
    )
    search_limit: int = Field(50, ge=1, le=1_000, description="Most hits that mem0-local's door answers.")

    public_url: Annotated[str | None, AfterValidator(_base)] = Field(
        None,
        pattern=r"^https?://[^/?#\s]+[^?#\s]*$",
        description="The server's URL as clients reach it, behind a proxy above all; OAuth's metadata names it.",
    )
    allowed_hosts: CommaSeparated = Field(
        default_factory=list,
        description="Comma-separated host names under which the server answers when AUTH_MODE is `open`, beside "
        "addresses, names without a dot and PUBLIC_URL's. `/mcp` knows no more than these, loopback, HOST and "
        "PUBLIC_URL's, in either mode; absent: any when AUTH_MODE is `required`.",
    )
    mcp_sessions: int = Field(256, ge=1, description="Most SSE sessions that one credential may have open at once.")
    mcp_idle_seconds: float = Field(21600.0, gt=0, description="An SSE session without a message for so long is ended.")

    @cached_property
    def url(self) -> str:
        """The database's SQLAlchemy URL, `DATABASE_URL` or the SQLite file in DATA_DIR."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'commonplace.db'}"

    @cached_property
    def signing_key(self) -> str:
        """The JWT secret: `JWT_SECRET`, else the one kept in DATA_DIR, made (mode 0600) at the first call."""
        if self.jwt_secret:
            return self.jwt_secret.get_secret_value()
        return _kept_secret(self.data_dir / "jwt_secret")

    @property
    def dashboard(self) -> Path:
        """Where the dashboard's pages are, if they have been built."""
        return self.dashboard_dir or ROOT / "ui" / "out"

    @property
    def has_dashboard(self) -> bool:
        """Whether they have been."""
        return (self.dashboard / "index.html").is_file()

    @property
    def allowed_origins(self) -> list[str]:
        """Origins whose pages may call the API; see CORS_ORIGINS."""
        return self.cors_origins or ([] if self.is_open else ["*"])

    @property
    def allowed_origin_pattern(self) -> str | None:
        """Further origins, as a regular expression: OpenMemory's own dashboard runs on another port of the machine."""
        return LOOPBACK_ORIGIN if self.is_open and not self.cors_origins else None

    @property
    def is_open(self) -> bool:
        """Whether everybody is the admin."""
        return self.auth_mode == "open"

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def provisioning(self) -> Literal["open", "admin", "off"]:
        """Who may make mem9 spaces."""
        return self.mem9_provisioning or ("open" if self.listens_on_loopback else "admin")

    @property
    def address(self) -> str:
        """The base URL to show to a person."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 -- shown, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{secrets.token_hex(4)}")
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
    # Two processes may start at once: the first link wins, and both read what it holds.
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text().strip()
