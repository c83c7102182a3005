"""`page`, and `size` or its alias `page_size`, as fastapi-pagination's parameters."""

from typing import Annotated

from fastapi import Depends, Query
from fastapi_pagination import Params

from app.services.views import Window

MAX_PAGE = 1_000_000
MAX_SIZE = 100


class Paging(Params):
    """Which page of a list."""

    @property
    def window(self) -> Window:
        """As services take it."""
        return Window(self.size, (self.page - 1) * self.size)


PageNumber = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Page number, from 1.")]
Size = Annotated[int | None, Query(ge=1, le=MAX_SIZE, description="Items a page.")]


async def _by_fifty(page: PageNumber = 1, size: Size = None, page_size: Size = None) -> Paging:
    return Paging(page=page, size=size or page_size or 50)


async def _by_ten(page: PageNumber = 1, size: Size = None, page_size: Size = None) -> Paging:
    return Paging(page=page, size=size or page_size or 10)


# Async, though they wait for nothing: FastAPI would send plain functions to a thread and back.
FiftyAPage = Annotated[Paging, Depends(_by_fifty)]
TenAPage = Annotated[Paging, Depends(_by_ten)]
