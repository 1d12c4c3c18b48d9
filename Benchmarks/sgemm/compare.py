#!/usr/bin/env python3
"""Matrix product beside NumPy's BLAS: rounds back to back, since other load moves both.

Each round takes the median of NumPy's products and of `rigor infer`'s on a model that is one
MatMul with a constant factor, as many of each, after a first one. The second includes sending one
matrix and fetching the result; `rigor bench --quick` has the product alone (gemm_square).

Usage: compare.py --rigor PATH [--size 1536] [--rounds 5] [--device SELECTOR]
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


RUNS = 15


def numpy_seconds(a: np.ndarray, b: np.ndarray) -> float:
    seconds = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def metric(document, name: str):
    if isinstance(document, dict):
        if document.get("name") == name:
            return document.get("median")
        document = list(document.values())
    if isinstance(document, list):
        for entry in document:
            found = metric(entry, name)
            if found is not None:
                return found
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigor", required=True)
    parser.add_argument("--size", type=int, default=1536)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    n = a.size
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, n, n)).astype(np.float32)
    giga = 2 * n**3 / 1e9
    with tempfile.TemporaryDirectory() as folder:
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])], "sgemm",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [n, n])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [n, n])],
            [numpy_helper.from_array(w, "w")])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.save(model, f"{folder}/m.onnx")
        np.save(f"{folder}/x.npy", x)
        infer = [a.rigor, "infer", f"{folder}/m.onnx", "--input", f"x={folder}/x.npy",
                 "--repeat", str(RUNS + 1), "--device", a.device, "--json"]
        subprocess.check_output(infer)  # compiles
        ratios = []
        for _ in range(a.rounds):
            peer = giga / numpy_seconds(x, w)
            own = giga / (json.loads(subprocess.check_output(infer))["milliseconds"] / 1e3)
            ratios.append(own / peer)
            print(f"NumPy {peer:7.1f} GFLOP/s   rigor infer {own:7.1f}   ratio {own / peer:.2f}")
        print(f"median ratio {statistics.median(ratios):.2f}")
    bench = [a.rigor, "bench", "--quick", "--device", a.device, "--json"]
    done = subprocess.run(bench, capture_output=True, text=True)
    if done.returncode == 0:
        peer = giga / numpy_seconds(x, w)
        own = metric(json.loads(done.stdout), "gemm_square")
        if own is not None:
            print(f"NumPy {peer:7.1f} GFLOP/s   rigor bench {float(own):7.1f}   "
                  f"ratio {float(own) / peer:.2f}")


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    main()
