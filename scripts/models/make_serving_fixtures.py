#!/usr/bin/env python3
"""Make the small models of Tests/ServingTests/Fixtures.

types.onnx    every type that the protocol has, in and out unchanged
dense.onnx    an open first axis, each item on its own
wide.onnx     two open axes: softmax along the last
mixed.onnx    an open first axis whose items depend on each other
range.onnx    the same: items are rounded by the range of all
count.onnx    the same: items depend on how many there are
nonzero.onnx  an output whose size depends on data
pair.onnx     items in pairs: a first axis of two, each item on its own
state.onnx    a state that comes in and goes out, whose first axis is no batch

Usage: make_serving_fixtures.py FOLDER
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

TYPES = {
    "BOOL": T.BOOL, "UINT8": T.UINT8, "UINT16": T.UINT16, "UINT32": T.UINT32, "UINT64": T.UINT64,
    "INT8": T.INT8, "INT16": T.INT16, "INT32": T.INT32, "INT64": T.INT64, "FP16": T.FLOAT16,
    "FP32": T.FLOAT, "FP64": T.DOUBLE, "BF16": T.BFLOAT16}


def save(folder: str, name: str, nodes: list, inputs: list, outputs: list, constants: dict = {}):
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info(*i) for i in inputs],
        [helper.make_tensor_value_info(*o) for o in outputs],
        [numpy_helper.from_array(a, n) for n, a in constants.items()])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(folder, f"{name}.onnx"))


def main(folder: str):
    node = helper.make_node
    save(folder, "types",
         [node("Identity", [f"in_{n}"], [f"out_{n}"]) for n in TYPES],
         [(f"in_{n}", t, ["n", 2]) for n, t in TYPES.items()],
         [(f"out_{n}", t, ["n", 2]) for n, t in TYPES.items()])
    rng = np.random.default_rng(5)
    save(folder, "dense",
         [node("MatMul", ["x", "w"], ["p"]), node("Add", ["p", "b"], ["s"]),
          node("Sigmoid", ["s"], ["y"])],
         [("x", T.FLOAT, ["n", 4])], [("y", T.FLOAT, ["n", 3])],
         {"w": rng.uniform(-1, 1, (4, 3)).astype(np.float32),
          "b": rng.uniform(-1, 1, 3).astype(np.float32)})
    save(folder, "wide", [node("Softmax", ["x"], ["y"], axis=-1)],
         [("x", T.FLOAT, ["n", "length"])], [("y", T.FLOAT, ["n", "length"])])
    save(folder, "mixed",
         [node("ReduceMean", ["x"], ["m"], axes=[0]), node("Sub", ["x", "m"], ["y"])],
         [("x", T.FLOAT, ["n", 3])], [("y", T.FLOAT, ["n", 3])])
    save(folder, "range",
         [node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
          node("DequantizeLinear", ["q", "s", "z"], ["y"])],
         [("x", T.FLOAT, ["n", 4])], [("y", T.FLOAT, ["n", 4])])
    save(folder, "count",
         [node("Shape", ["x"], ["shape"]), node("Gather", ["shape", "zero"], ["n"]),
          node("Cast", ["n"], ["c"], to=T.FLOAT), node("Mul", ["x", "c"], ["y"])],
         [("x", T.FLOAT, ["n", 4])], [("y", T.FLOAT, ["n", 4])], {"zero": np.array(0, np.int64)})
    save(folder, "nonzero", [node("NonZero", ["x"], ["y"])],
         [("x", T.FLOAT, ["n"])], [("y", T.INT64, [1, "found"])])
    save(folder, "pair", [node("Relu", ["x"], ["y"])],
         [("x", T.FLOAT, [2, 4])], [("y", T.FLOAT, [2, 4])])
    save(folder, "state",
         [node("Add", ["x", "state"], ["next"]), node("ReduceSum", ["next"], ["y"], keepdims=0)],
         [("x", T.FLOAT, [2, 1, 3]), ("state", T.FLOAT, [2, 1, 3])],
         [("y", T.FLOAT, []), ("next", T.FLOAT, [2, 1, 3])])


if __name__ == "__main__":
    main(sys.argv[1])
