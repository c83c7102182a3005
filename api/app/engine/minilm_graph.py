"""Builds the ONNX graph of a BERT sentence encoder from a Hugging Face directory.

Imports `onnx` and `safetensors`, so `local.py` loads this module only when no built graph is cached.
The network is BERT's encoder (Devlin et al. 2018, https://arxiv.org/abs/1810.04805) as `transformers` computes it, then
mean pooling over the real tokens and L2 normalisation as sentence-transformers does.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open

from app.engine import late
from app.errors import Invalid

OPSET = 20  # the first with Gelu as one operator; onnxruntime has it since 1.17
IR_VERSION = 10
MASKED = -1e9  # added to the attention score of a padding token: its softmax weight becomes 0
LEAST_POSITIONS = 256

Tensor = NDArray[np.float32]


@dataclass
class Architecture:
    """What config.json says about the network: counts of layers and heads, and the LayerNorm epsilon."""

    layers: int
    heads: int
    hidden: int
    epsilon: float


class Graph:
    """An ONNX graph under construction. A value is known by its name, which every method returns.

    Constants go to the file at once and the nodes at the end: a protobuf message may be written in pieces, since a
    reader merges them (https://protobuf.dev/programming-guides/encoding/#last-one-wins). Serialising MiniLM as one
    message took 220 MB more at its peak.
    """

    def __init__(self, weights: Any, file: BinaryIO) -> None:
        self.weights = weights
        self.names = set(weights.keys())
        self.file = file
        self.constants = 0
        self.nodes: list[onnx.NodeProto] = []

    def constant(self, array: NDArray[Any]) -> str:
        self.constants += 1
        name = f"constant_{self.constants}"
        piece = onnx.ModelProto()
        piece.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        self.file.write(piece.SerializeToString())
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def op(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weight(self, name: str) -> Tensor:
        if name not in self.names:
            raise Invalid(f"The model's weights have no tensor {name!r}: not a BERT sentence encoder")
        tensor: Tensor = self.weights.get_tensor(name).astype(np.float32, copy=False)
        return tensor

    def linear(self, x: str, name: str, scale: float = 1.0) -> str:
        matrix, bias = self.weight(f"{name}.weight").T, self.weight(f"{name}.bias")
        factor = np.float32(scale)
        return self.op("Add", self.op("MatMul", x, self.constant(matrix * factor)), self.constant(bias * factor))

    def norm(self, x: str, name: str, epsilon: float) -> str:
        scale, bias = (self.constant(self.weight(f"{name}.{part}")) for part in ("weight", "bias"))
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)


def write(directory: Path, target: Path) -> None:
    """Build the graph of the model in `directory` and put it at `target`, whole or not at all.

    Inputs `input_ids` and `attention_mask`, int64 (texts, tokens). Outputs, float32, each computed when asked for:
    `sentence` (texts, hidden), rows of unit length; `states` (texts, tokens, hidden), the last layer, of which a
    sentence is the mean; `tokens` (texts, tokens, 64), the same on fewer axes, rows of unit length.
    Raises Invalid when the directory holds another kind of model.
    """
    architecture = _read_architecture(directory)
    with _whole_or_nothing(target) as file, safe_open(directory / "model.safetensors", "numpy") as weights:
        graph = Graph(weights, file)
        _encode(graph, architecture)
        file.write(_model(graph, architecture).SerializeToString())


@contextmanager
def _whole_or_nothing(target: Path) -> Iterator[BinaryIO]:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix="building-", suffix=".onnx")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power cut could leave the right name on an empty file
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)


def _model(graph: Graph, architecture: Architecture) -> onnx.ModelProto:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [
        helper.make_tensor_value_info("sentence", TensorProto.FLOAT, ["texts", architecture.hidden]),
        helper.make_tensor_value_info("states", TensorProto.FLOAT, ["texts", "tokens", architecture.hidden]),
        helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["texts", "tokens", late.DIMENSIONS]),
    ]
    body = helper.make_graph(graph.nodes, "sentence_encoder", inputs, outputs)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _read_architecture(directory: Path) -> Architecture:
    config = _read_json(directory / "config.json")
    pooling = _read_json(directory / "1_Pooling" / "config.json")
    try:
        _refuse_other_kinds(config, pooling)
        return Architecture(
            config["num_hidden_layers"], config["num_attention_heads"], config["hidden_size"], config["layer_norm_eps"]
        )
    except KeyError as missing:
        raise Invalid(f"{directory / 'config.json'} does not say {missing}") from missing


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise Invalid(f"{path} is not a JSON object") from error


def _refuse_other_kinds(config: dict[str, Any], pooling: dict[str, Any]) -> None:
    needed = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, value in needed.items():
        if config.get(key, value) != value:
            raise Invalid(f"The local embedder runs models with {key} {value!r}, not {config[key]!r}")
    if config["max_position_embeddings"] < LEAST_POSITIONS:
        raise Invalid(f"The local embedder needs a model with at least {LEAST_POSITIONS} positions")
    modes = {key for key, on in pooling.items() if key.startswith("pooling_mode_") and on is True}
    if modes != {"pooling_mode_mean_tokens"}:
        raise Invalid(f"The local embedder pools by the mean over tokens, not by {sorted(modes)}")


def _encode(graph: Graph, architecture: Architecture) -> None:
    mask = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    bias = _attention_bias(graph, mask)
    x = _embed(graph, architecture)
    for number in range(architecture.layers):
        x = _layer(graph, architecture, x, bias, f"encoder.layer.{number}")
    _pool(graph, x, mask)
    graph.op("Identity", x, output="states")
    _shorten(graph, x)


def _attention_bias(graph: Graph, mask: str) -> str:
    """0 where a token may be attended to, MASKED where not: (texts, 1, 1, tokens)."""
    padding = graph.op("Sub", graph.constant(np.array([1], np.float32)), mask)
    bias = graph.op("Mul", padding, graph.constant(np.array([MASKED], np.float32)))
    return graph.op("Unsqueeze", bias, graph.integers(1, 2))


def _embed(graph: Graph, architecture: Architecture) -> str:
    words = graph.op("Gather", graph.constant(graph.weight("embeddings.word_embeddings.weight")), "input_ids")
    # Every token is of type 0 (one segment), so its row is added to the position table here, once.
    positions = graph.weight("embeddings.position_embeddings.weight")
    table = graph.constant(positions + graph.weight("embeddings.token_type_embeddings.weight")[0])
    # Slice, not Range and Gather: onnxruntime 1.31 rewrites those, with a scalar start, to an invalid Slice.
    tokens = graph.op("Shape", "input_ids", start=1, end=2)
    rows = graph.op("Slice", table, graph.integers(0), tokens, graph.integers(0))
    return graph.norm(graph.op("Add", words, rows), "embeddings.LayerNorm", architecture.epsilon)


def _layer(graph: Graph, architecture: Architecture, x: str, bias: str, name: str) -> str:
    attended = graph.linear(_attend(graph, architecture, x, bias, name), f"{name}.attention.output.dense")
    x = graph.norm(graph.op("Add", attended, x), f"{name}.attention.output.LayerNorm", architecture.epsilon)
    wide = graph.op("Gelu", graph.linear(x, f"{name}.intermediate.dense"), approximate="none")
    return graph.norm(
        graph.op("Add", graph.linear(wide, f"{name}.output.dense"), x), f"{name}.output.LayerNorm", architecture.epsilon
    )


def _attend(graph: Graph, architecture: Architecture, x: str, bias: str, name: str) -> str:
    width = architecture.hidden // architecture.heads

    def heads(part: str, order: list[int], scale: float = 1.0) -> str:
        values = graph.linear(x, f"{name}.attention.self.{part}", scale)
        split = graph.op("Reshape", values, graph.integers(0, 0, architecture.heads, width))
        return graph.op("Transpose", split, perm=order)

    # Scaling the query's weights here saves scaling every matrix of scores later.
    query, key = heads("query", [0, 2, 1, 3], width**-0.5), heads("key", [0, 2, 3, 1])
    scores = graph.op("Add", graph.op("MatMul", query, key), bias)
    mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), heads("value", [0, 2, 1, 3]))
    joined = graph.op("Transpose", mixed, perm=[0, 2, 1, 3])
    return graph.op("Reshape", joined, graph.integers(0, 0, architecture.hidden))


def _pool(graph: Graph, x: str, mask: str) -> None:
    column = graph.op("Unsqueeze", mask, graph.integers(2))
    total = graph.op("ReduceSum", graph.op("Mul", x, column), graph.integers(1), keepdims=0)
    count = graph.op("ReduceSum", column, graph.integers(1), keepdims=0)
    mean = graph.op("Div", total, count)
    length = graph.op("ReduceL2", mean, graph.integers(1), keepdims=1)
    graph.op("Div", mean, length, output="sentence")


def _shorten(graph: Graph, x: str) -> None:
    short = graph.op("MatMul", x, graph.constant(principal_axes(graph.weight("embeddings.word_embeddings.weight"))))
    graph.op("Div", short, graph.op("ReduceL2", short, graph.integers(2), keepdims=1), output="tokens")


def principal_axes(vocabulary: Tensor) -> Tensor:
    """The axes on which the vectors of a model's words (words, hidden) differ most: (hidden, late.DIMENSIONS).

    They depend on the weights alone. An axis may point either way, and every machine must choose the same way, since
    what one has stored is compared with what another asks: its greatest component is positive.
    """
    exact = vocabulary.astype(np.float64)
    axes = np.linalg.eigh(exact.T @ exact)[1][:, ::-1][:, : late.DIMENSIONS]
    greatest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.asarray(axes * np.sign(greatest), dtype=np.float32)
