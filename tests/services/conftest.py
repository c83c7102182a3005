"""Fixtures of the services' tests."""

from collections.abc import Iterator

import pytest

from app.context import Runtime
from app.services import accounts
from app.settings import Settings


@pytest.fixture
def bare(settings: Settings) -> Iterator[Runtime]:
    """A runtime whose engine is not there: writes are kept all the same."""
    runtime = Runtime(settings)
    runtime.engine.fail("this test needs none")
    accounts.bootstrap(runtime)
    yield runtime
    runtime.close()
