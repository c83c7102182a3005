"""Retrieval quality over HTTP: real conversations in, every question through the search door, what was found out.

One user a conversation, one memory a turn. A question's answer key names the turns that hold the answer (evidence);
what is measured is how many of them come back, and how high. No LLM, no judge.
"""

import argparse
import hashlib
import json
import math
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from bench.client import Server, checked, connect, mean, out, percentile, progress, started, wait_until_healthy
from rich.progress import Progress
from rich.table import Table

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "locomo-dev.json"
APP = "bench"
LIMIT = 20
BATCH = 200  # memories a bulk call: small enough for the progress bar to move
PAGE = 100
CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}
ADVERSARIAL = 5
FLOOR = {"recall@5": 0.58, "recall@10": 0.66, "mrr": 0.50}
METRICS = ("recall@5", "recall@10", "recall@20", "hit@10", "mrr", "ndcg@10")
TURN_ID = re.compile(r"D:?(\d+):(\d+)")
SESSION = re.compile(r"session_(\d+)")

Key = tuple[str, str]  # conversation and dia_id: a turn


@dataclass(frozen=True, slots=True)
class Variant:
    """Where a memory says who spoke and when: inside its text, in its metadata, in both, nowhere."""

    in_text: bool
    in_metadata: bool


VARIANTS = {
    "full": Variant(in_text=True, in_metadata=True),
    "bare": Variant(in_text=False, in_metadata=True),
    "no-metadata": Variant(in_text=True, in_metadata=False),
    "nothing": Variant(in_text=False, in_metadata=False),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance; `date` is the raw text of the data."""

    conversation: str
    dia_id: str
    session: str
    speaker: str
    date: str
    text: str

    def memory(self, variant: Variant) -> dict[str, Any]:
        """The turn as an item of POST /memories/bulk."""
        metadata = {"conversation": self.conversation, "dia_id": self.dia_id}
        if variant.in_metadata:
            metadata |= {"session": self.session, "speaker": self.speaker, "date": self.date}
        text = f"{self.speaker} ({self.date}): {self.text}" if variant.in_text else self.text
        return {"text": text, "metadata": metadata}


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the turns that answer it."""

    conversation: str
    text: str
    category: int
    evidence: list[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a question: the rank (from 1) of each turn of evidence, None if it is not among the first 20."""

    question: Question
    ranks: list[int | None]
    session_rank: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Data:
    """A data file; `skipped` questions name no turn that is there, `dropped` pieces of evidence neither."""

    name: str
    turns: list[Turn]
    questions: list[Question]
    skipped: int
    dropped: int


def read(path: Path) -> Data:
    """The conversations of a LoCoMo file.

    Raises:
        OSError, KeyError, json.JSONDecodeError: there is no such file, or it is no LoCoMo file.
    """
    raw = path.read_bytes()
    samples = json.loads(raw)
    turns = [turn for sample in samples for turn in turns_of(sample)]
    known = {(turn.conversation, turn.dia_id) for turn in turns}
    asked = [(sample["sample_id"], item) for sample in samples for item in sample["qa"]]
    questions, skipped, dropped = [], 0, 0
    for conversation, item in asked:
        named = turn_ids(item.get("evidence") or [])
        evidence = [dia_id for dia_id in named if (conversation, dia_id) in known]
        dropped += len(named) - len(evidence)
        if evidence:
            questions.append(Question(conversation, item["question"], item["category"], evidence))
        else:
            skipped += 1
    return Data(hashlib.sha256(raw).hexdigest()[:8], turns, questions, skipped, dropped)


def turns_of(sample: dict[str, Any]) -> Iterator[Turn]:
    """The turns of a conversation, in order."""
    name, conversation = sample["sample_id"], sample["conversation"]
    numbers = sorted(int(match[1]) for key in conversation if (match := SESSION.fullmatch(key)))
    for number in numbers:
        session, date = f"{name}-session-{number}", conversation[f"session_{number}_date_time"]
        for turn in conversation[f"session_{number}"]:
            (dia_id,) = turn_ids([turn["dia_id"]])
            yield Turn(name, dia_id, session, turn["speaker"], date, turn["text"])


def turn_ids(evidence: Sequence[str]) -> list[str]:
    """The turns that are named, each once. The key has odd forms: "D8:6; D9:17", "D:11:26", "D30:05", "D"."""
    found = [f"D{int(match[1])}:{int(match[2])}" for text in evidence for match in TURN_ID.finditer(text)]
    return list(dict.fromkeys(found))


def owner(data: Data, conversation: str, variant: str, *, one_owner: bool) -> str:
    """The user that holds a conversation: one for each data file, variant and, as a rule, conversation."""
    return f"locomo-{data.name}-{variant}-{'all' if one_owner else conversation}"


def ingest(client: httpx.Client, user: str, turns: Sequence[Turn], variant: Variant, bar: Progress) -> int:
    """Load the turns that are not there yet; how many they were."""
    present = stored(client, user)
    missing = [turn for turn in turns if (turn.conversation, turn.dia_id) not in present]
    task = bar.add_task(f"load {user}", total=len(turns), completed=len(turns) - len(missing))
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        body = {"user_id": user, "app": APP, "infer": False, "memories": [turn.memory(variant) for turn in batch]}
        results = checked(client.post("/api/v1/memories/bulk", json=body)).json()["results"]
        if len(results) != len(batch) or any("id" not in result for result in results):
            raise RuntimeError(f"not all of {len(batch)} memories were stored: {str(results)[:500]}")
        bar.advance(task, len(batch))
    return len(missing)


def stored(client: httpx.Client, user: str) -> set[Key]:
    """The turns that the user has already: an interrupted run goes on where it was."""
    found: set[Key] = set()
    page = pages = 1
    while page <= pages:
        answer = client.get("/api/v1/memories", params={"user_id": user, "page": page, "size": PAGE})
        if answer.status_code == 404:
            return found
        listing = checked(answer).json()
        found |= {key_of(item) for item in listing["items"]}
        page, pages = page + 1, -(-listing["total"] // PAGE)
    return found


def key_of(memory: dict[str, Any]) -> Key:
    """The turn that a memory is."""
    return memory["metadata_"]["conversation"], memory["metadata_"]["dia_id"]


def ask(client: httpx.Client, user: str, question: Question, mode: str, sessions: dict[Key, str]) -> Asked:
    """Ask one question; `sessions` says to which session a turn belongs."""
    body = {"user_id": user, "query": question.text, "limit": LIMIT, "mode": mode}
    begin = time.perf_counter()
    answer = checked(client.post("/api/v1/memories/search", json=body))
    seconds = time.perf_counter() - begin
    found = [key_of(hit) for hit in answer.json()["results"]]
    wanted = [(question.conversation, dia_id) for dia_id in question.evidence]
    found_sessions = list(dict.fromkeys(sessions[key] for key in found))
    session_ranks = [rank for key in wanted if (rank := rank_of(sessions[key], found_sessions))]
    return Asked(question, [rank_of(key, found) for key in wanted], min(session_ranks, default=None), seconds)


def rank_of(wanted: object, found: Sequence[object]) -> int | None:
    """Its place in `found` from 1, None if it is not there."""
    return found.index(wanted) + 1 if wanted in found else None


def measures(asked: Sequence[Asked]) -> dict[str, float]:
    """The means over questions, each 0..1; NaN without questions."""
    each = [measure(one.ranks) for one in asked]
    return {name: mean([one[name] for one in each]) for name in METRICS}


def measure(ranks: Sequence[int | None]) -> dict[str, float]:
    """One question's figures from the ranks of its evidence; the reciprocal rank is of the first that was found."""
    found = [rank for rank in ranks if rank is not None]
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(10, len(ranks)) + 1))
    gained = sum(1 / math.log2(rank + 1) for rank in found if rank <= 10)
    return {
        **{f"recall@{k}": sum(rank <= k for rank in found) / len(ranks) for k in (5, 10, 20)},
        "hit@10": float(any(rank <= 10 for rank in found)),
        "mrr": 1 / min(found) if found else 0.0,
        "ndcg@10": gained / ideal,
    }


def load(
    client: httpx.Client, data: Data, variant: str, options: argparse.Namespace, bar: Progress
) -> dict[str, float]:
    """Load a variant of all conversations; how many memories were new, and how many a second that was."""
    begin, new = time.perf_counter(), 0
    turns: dict[str, list[Turn]] = {}
    for turn in data.turns:
        turns.setdefault(owner(data, turn.conversation, variant, one_owner=options.one_owner), []).append(turn)
    for user, theirs in turns.items():
        new += ingest(client, user, theirs, VARIANTS[variant], bar)
    return {"new": new, "per_second": new / (time.perf_counter() - begin)}


def ask_all(
    client: httpx.Client, data: Data, variant: str, mode: str, options: argparse.Namespace, bar: Progress
) -> list[Asked]:
    """Ask every question of the data."""
    sessions = {(turn.conversation, turn.dia_id): turn.session for turn in data.turns}
    users = {
        turn.conversation: owner(data, turn.conversation, variant, one_owner=options.one_owner) for turn in data.turns
    }
    for question in {question.conversation: question for question in data.questions}.values():
        ask(client, users[question.conversation], question, mode, sessions)  # not measured: fills the caches
    task = bar.add_task(f"ask {variant} {mode}", total=len(data.questions))
    asked = []
    for question in data.questions:
        asked.append(ask(client, users[question.conversation], question, mode, sessions))
        bar.advance(task)
    return asked


def summary(asked: Sequence[Asked]) -> dict[str, Any]:
    """The figures of one variant and mode: overall and by category, the guards, milliseconds of a search."""
    main = [one for one in asked if one.question.category in CATEGORIES]
    adversarial = [one for one in asked if one.question.category == ADVERSARIAL]
    milliseconds = [1000 * one.seconds for one in asked]
    groups = {name: [one for one in main if one.question.category == number] for number, name in CATEGORIES.items()}
    return {
        "overall": measures(main) | {"questions": len(main)},
        "categories": {name: measures(ones) | {"questions": len(ones)} for name, ones in groups.items()},
        "adversarial recall@10": measures(adversarial)["recall@10"],
        "session any@5": mean([float(one.session_rank is not None and one.session_rank <= 5) for one in main]),
        "search p50 ms": percentile(milliseconds, 50),
        "search p95 ms": percentile(milliseconds, 95),
    }


def show(title: str, figures: dict[str, Any]) -> None:
    """Print the figures of one variant and mode."""
    table = Table(title=title, title_justify="left")
    for column in ("", "questions", *METRICS):
        table.add_column(column, justify="right" if column else "left")
    for name, row in [*figures["categories"].items(), ("overall", figures["overall"])]:
        table.add_row(name, str(row["questions"]), *(f"{row[metric]:.3f}" for metric in METRICS))
    out.print(table)
    out.print(
        f"adversarial R@10 {figures['adversarial recall@10']:.3f}   "
        f"session-level any@5 {figures['session any@5']:.3f}   "
        f"search p50 {figures['search p50 ms']:.1f} ms, p95 {figures['search p95 ms']:.1f} ms\n"
    )


def show_caveats(data: Data) -> None:
    """Print what must be known to read the figures."""
    conversations = len({turn.conversation for turn in data.turns})
    out.print(
        f"{conversations} conversations, {len(data.turns)} turns, {len(data.questions)} questions with evidence "
        f"({data.skipped} without usable evidence skipped, {data.dropped} unknown turns in evidence dropped).\n"
        "Read with care: a few conversations, which development has looked at; about 6% of LoCoMo's answer key is "
        "wrong; evidence recall needs no LLM and no judge, and says nothing about answers. MRR is over the first "
        f"{LIMIT}; a session's place is that of its best memory; overall is categories 1-4."
    )


def misses(results: dict[str, dict[str, Any]]) -> list[str]:
    """Where a figure that the floor is for is below it."""
    held = {name: results[name]["overall"] for name in ("full hybrid", "bare hybrid") if name in results}
    return [
        f"below the floor: {name} {metric} {figures[metric]:.3f}, not {least}"
        for name, figures in held.items()
        for metric, least in FLOOR.items()
        if not figures[metric] >= least
    ]


def run(server: Server, data: Data, options: argparse.Namespace) -> dict[str, Any]:
    """Load and ask everything; prints as it goes. All figures by "variant mode", and the ingest rates by variant."""
    results: dict[str, Any] = {}
    rates: dict[str, Any] = {}
    asked: dict[str, list[Asked]] = {}
    with connect(server) as client:
        for variant in options.variants:
            with progress() as bar:
                rates[variant] = load(client, data, variant, options, bar)
                for mode in options.modes:
                    asked[f"{variant} {mode}"] = ask_all(client, data, variant, mode, options, bar)
            out.print(
                f"{variant}: {rates[variant]['new']} memories loaded, {rates[variant]['per_second']:.0f} a second"
            )
            for mode in options.modes:
                name = f"{variant} {mode}"
                results[name] = summary(asked[name])
                show(name, results[name])
    return {"results": results, "ingest": rates, "asked": {k: [asdict(one) for one in v] for k, v in asked.items()}}


def show_gap(results: dict[str, Any]) -> None:
    """Print how far bare texts are from texts that say who and when themselves (to be within 0.02)."""
    if "full hybrid" in results and "bare hybrid" in results:
        gap = results["bare hybrid"]["overall"]["recall@10"] - results["full hybrid"]["overall"]["recall@10"]
        out.print(f"bare against full, R@10: {gap:+.3f} (to be within 0.020)")


def names_of(known: Sequence[str]) -> Any:
    """A parser of comma-separated names out of `known`."""

    def parse(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(known)}")
        return names

    return parse


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="a LoCoMo file (default: %(default)s)")
    parser.add_argument("--base-url", help="a server that runs already; else one is started")
    parser.add_argument("--api-key", default="", help="its key")
    parser.add_argument("--data-dir", type=Path, help="start the server on this directory: a kept one goes on")
    parser.add_argument("--modes", type=names_of(["hybrid", "vector", "keyword"]), default=["hybrid"])
    parser.add_argument(
        "--variants", type=names_of(list(VARIANTS)), default=["full", "bare"], help=f"of {', '.join(VARIANTS)}"
    )
    parser.add_argument("--one-owner", action="store_true", help="all conversations under one user")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures and ranks to this file")
    parser.add_argument("--keep", action="store_true", help="leave the temporary directory")
    parser.add_argument("--floor", action="store_true", help="exit 1 when a hybrid figure is below the floor")
    return parser.parse_args()


def main() -> int:
    """Exit code: 0, or 1 when the floor was asked for and missed."""
    options = arguments()
    data = read(options.data)
    theirs = nullcontext(Server((options.base_url or "").rstrip("/"), options.api_key))
    with theirs if options.base_url else started(options.data_dir, keep=options.keep) as server:
        wait_until_healthy(server.base_url, server.process)
        report = run(server, data, options)
    show_gap(report["results"])
    show_caveats(data)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    missed = misses(report["results"])
    out.print("\n".join(missed) or f"The floor {FLOOR} is reached.")
    return int(options.floor and bool(missed))


if __name__ == "__main__":
    sys.exit(main())
