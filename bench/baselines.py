"""mem0's own search over the same conversations: its `Memory`, our local embedder, its Qdrant in a directory.

Asked as `bench.retrieval` asks the server (which also answers by either leg alone: `--modes keyword,vector`), and told
the same figures. Offline; texts are stored as they are (`infer=False`), with who and when in them.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.client import out, progress
from bench.retrieval import (
    DATA,
    LIMIT,
    VARIANTS,
    Asked,
    Data,
    Key,
    Question,
    rank_of,
    read,
    show,
    show_caveats,
    summary,
)

DIMENSIONS = 384
UNUSED_LLM = {"provider": "openai", "config": {"api_key": "none", "openai_base_url": "http://127.0.0.1:9"}}


def memory(directory: Path) -> Any:
    """A `mem0.Memory` that keeps everything in `directory`."""
    importlib.import_module("app.engine")  # says no to telemetry, so before mem0
    factory = importlib.import_module("mem0.utils.factory").EmbedderFactory
    # `MemoryConfig` lets only mem0's own names pass: ours answers under one of them, in this process.
    factory.provider_to_class["huggingface"] = "app.engine.local.LocalEmbedding"
    store = {"path": str(directory / "qdrant"), "embedding_model_dims": DIMENSIONS, "on_disk": True}
    return importlib.import_module("mem0").Memory.from_config(
        {
            "llm": UNUSED_LLM,
            "embedder": {
                "provider": "huggingface",
                "config": {"model_kwargs": {"cache_dir": str(directory / "models")}},
            },
            "vector_store": {"provider": "qdrant", "config": store},
            "history_db_path": str(directory / "history.db"),
        }
    )


def load(mem0: Any, data: Data, variant: str) -> None:
    """Store every turn, one owner a conversation."""
    with progress() as bar:
        task = bar.add_task("load", total=len(data.turns))
        for turn in data.turns:
            item = turn.memory(VARIANTS[variant])
            mem0.add(item["text"], user_id=turn.conversation, metadata=item["metadata"], infer=False)
            bar.advance(task)


def ask(mem0: Any, question: Question, sessions: dict[Key, str]) -> Asked:
    """Ask one question, without a threshold."""
    begin = time.perf_counter()
    filters = {"user_id": question.conversation}
    answer = mem0.search(question.text, top_k=LIMIT, filters=filters, threshold=0.0)
    seconds = time.perf_counter() - begin
    found: list[Key] = [(hit["metadata"]["conversation"], hit["metadata"]["dia_id"]) for hit in answer["results"]]
    wanted = [(question.conversation, dia_id) for dia_id in question.evidence]
    places = list(dict.fromkeys(sessions[key] for key in found))
    best = [rank for key in wanted if (rank := rank_of(sessions[key], places))]
    return Asked(question, [rank_of(key, found) for key in wanted], min(best, default=None), seconds)


def run(data: Data, variant: str) -> dict[str, Any]:
    """All figures of mem0's search, as `bench.retrieval.summary` has them."""
    sessions = {(turn.conversation, turn.dia_id): turn.session for turn in data.turns}
    with tempfile.TemporaryDirectory(prefix="commonplace-mem0-") as directory:
        mem0 = memory(Path(directory))
        load(mem0, data, variant)
        asked: Sequence[Asked] = [ask(mem0, question, sessions) for question in data.questions]
    return summary(asked)


def main() -> int:
    """Exit code 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="a LoCoMo file (default: %(default)s)")
    parser.add_argument("--variant", choices=list(VARIANTS), default="full")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file")
    options = parser.parse_args()
    data = read(options.data)
    figures = run(data, options.variant)
    show(f"mem0's own search, {options.variant}", figures)
    show_caveats(data)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    out.print("Commonplace and its legs alone: python -m bench.retrieval --modes hybrid,keyword,vector")
    return 0


if __name__ == "__main__":
    sys.exit(main())
