"""Write the OpenAPI document that the dashboard's types are made from: `python -m ui.openapi`. No server has to run."""

import json
from pathlib import Path

from app.routers import openmemory

TARGET = Path(__file__).parent / "openapi.json"


def document() -> str:
    """The document of `/api/v1`, as it is kept."""
    app = openmemory.build(None)  # type: ignore[arg-type]  # describing itself, the door asks nothing of the runtime
    return json.dumps(app.openapi(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(document())
