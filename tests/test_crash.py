"""The real server is killed while it is written to, and loses nothing that it said yes to. More: `make bench-crash`."""

from pathlib import Path

import pytest
from bench import crash

from tests.conftest import MODEL_CACHE


def test_three_kills_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash, "MOST_SECONDS", 0.8)
    MODEL_CACHE.mkdir(parents=True, exist_ok=True)
    (tmp_path / "models").symlink_to(MODEL_CACHE)
    writers: list[crash.Writer] = []
    for wrong in crash.run(tmp_path, kills=3, clients=3, seed=7, writers=writers):
        assert wrong == []
    assert sum(writer.answered for writer in writers) > 0
