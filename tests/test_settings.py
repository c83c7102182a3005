"""Variables that other servers' pages name, read as ours."""

import pytest

from app.settings import Settings

NAMES = {"HOST": "API_HOST", "PORT": "API_PORT", "ADMIN_API_KEY": "API_KEY"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without any of the variables."""
    for name in [*NAMES, *NAMES.values()]:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def read() -> tuple[str, int, str | None]:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    key = settings.admin_api_key
    return settings.host, settings.port, key.get_secret_value() if key else None


def test_mem0_locals_names_are_read_where_ours_are_absent(environment: pytest.MonkeyPatch) -> None:
    assert read() == ("127.0.0.1", 8765, None)
    for name, value in (("API_HOST", "localhost"), ("API_PORT", "8080"), ("API_KEY", "your_secure_api_key")):
        environment.setenv(name, value)
    assert read() == ("localhost", 8080, "your_secure_api_key")
    for name, value in (("HOST", "127.0.0.2"), ("PORT", "9000"), ("ADMIN_API_KEY", "our_own_key")):
        environment.setenv(name, value)
    assert read() == ("127.0.0.2", 9000, "our_own_key")


def test_sizes_of_the_page_are_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MAX_MEMORY_SIZE", "500")
    environment.setenv("SEARCH_LIMIT", "7")
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert (settings.max_memory_size, settings.search_limit) == (500, 7)
