#!/usr/bin/env python3
"""Matrix products beside ONNX Runtime's MatMul and MatMulInteger and beside NumPy's BLAS: squares,
and the tall and wide shapes of the models that are measured. B is a constant, as weights are.

Usage: products.py --rigor PATH [--kind float|int8] [--rounds 3] [--only PART]
"""
import argparse
import os
import statistics
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import beside_onnxruntime as beside

SQUARES = [(n, n, n) for n in (512, 1024, 1536, 2048)]
# rows, depth, columns; several where A has a batch of equal B.
MODELS = {"rec": [(40, 120, 480), (40, 480, 120), (40, 120, 6625)],
          "minilm": [(128, 384, 384), (128, 384, 1536), (128, 1536, 384)],
          "magika": [(1, 512, 512), (2048, 8, 64)], "one row": [(1, 2048, 1000), (1, 9216, 4096)]}


def write(path: str, rows: int, depth: int, columns: int, kind: str) -> None:
    rng = np.random.default_rng(0)
    if kind == "float":
        b, types = rng.standard_normal((depth, columns)).astype(np.float32), ("FLOAT", "FLOAT")
        node = helper.make_node("MatMul", ["a", "b"], ["c"])
    else:
        b, types = rng.integers(-127, 128, (depth, columns), dtype=np.int8), ("UINT8", "INT32")
        node = helper.make_node("MatMulInteger", ["a", "b"], ["c"])
    port = lambda name, shape, t: helper.make_tensor_value_info(name, getattr(TensorProto, t), shape)
    graph = helper.make_graph([node], "product", [port("a", [rows, depth], types[0])],
                              [port("c", [rows, columns], types[1])],
                              [numpy_helper.from_array(b, "b")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                ir_version=9), path)


def blas_gflops(rows: int, depth: int, columns: int) -> float:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((rows, depth)).astype(np.float32)
    b = rng.standard_normal((depth, columns)).astype(np.float32)
    seconds = []
    for _ in range(12):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * rows * depth * columns / statistics.median(seconds[2:]) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rigor", required=True)
    parser.add_argument("--kind", choices=["float", "int8"], default="float")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="part of the names to measure")
    a = parser.parse_args()
    beside.TYPES["tensor(uint8)"] = np.uint8
    beside.LIMITS["a"] = 256
    with tempfile.TemporaryDirectory() as folder:
        for group, shapes in {"square": SQUARES, **MODELS}.items():
            for rows, depth, columns in shapes:
                name = f"{group} {rows}x{depth}x{columns}"
                if a.only not in name:
                    continue
                path = os.path.join(folder, name.replace(" ", "_") + ".onnx")
                write(path, rows, depth, columns, a.kind)
                if a.kind == "float":
                    print(f"NumPy {blas_gflops(rows, depth, columns):6.1f} GFLOP/s;", end=" ")
                print(f"{2e-6 * rows * depth * columns:9.2f} MFLOP", end="  ")
                beside.measure(path, a)


if __name__ == "__main__":
    main()
