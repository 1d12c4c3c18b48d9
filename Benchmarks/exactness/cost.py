#!/usr/bin/env python3
"""What exactness costs: the same kernels as shipped, and with contraction and fast math allowed.

A library of a few lines (loosen.c, compiled here) stands between `rigor` and OpenCL and changes what
the compiler is told; nothing in `rigor` can ask for that. Rounds go back to back, each the median of
`rigor infer`'s runs; a model's cost is the median of the rounds' (time as shipped ÷ time with all
allowed − 1): above 0 exactness costs so much. `same` says whether the results are the same all the
same. Proofs of the device's own division and root are taken as shipped on both sides.

Usage: cost.py --rigor PATH [--light FOLDER] [--rounds 5] [--only PART] [MODEL...]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime as ort

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "inference"))
import beside_onnxruntime as beside  # noqa: E402
import products  # noqa: E402


def runs_of(command: list[str], runs: int, environment: dict) -> dict:
    return json.loads(subprocess.check_output(command + ["--repeat", str(runs)],
                                              stderr=subprocess.DEVNULL, env=environment))


def measure(a: argparse.Namespace, name: str, path: str, library: str, folder: str) -> float:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    command = [a.rigor, "infer", path, "--device", a.device, "--json"]
    for k, (port, value) in enumerate(beside.feed(session, path).items()):
        np.save(f"{folder}/{k}.npy", value)
        command += ["--input", f"{port}={folder}/{k}.npy"]
    shipped, loose = dict(os.environ), dict(os.environ, LD_PRELOAD=library)
    first = runs_of(command, 3, shipped)
    runs_of(command, 1, loose)
    runs = max(6, min(200, int(a.milliseconds / max(first["milliseconds"], 0.05))))
    costs = []
    for _ in range(a.rounds):
        own, free = runs_of(command, runs, shipped), runs_of(command, runs, loose)
        costs.append((own["milliseconds"] / free["milliseconds"] - 1, own["milliseconds"]))
    cost = statistics.median(c for c, _ in costs)
    same = "same" if own["digest"] == free["digest"] else "other bits"
    print(f"{name:34} {statistics.median(m for _, m in costs):8.2f} ms   cost {cost * 100:+5.1f} % "
          f"({min(costs)[0] * 100:+.1f} to {max(costs)[0] * 100:+.1f})   {same}", flush=True)
    return cost


def main() -> None:
    parser = beside.arguments(__doc__, rounds=5)
    parser.add_argument("--milliseconds", type=float, default=1000, help="of a round's runs")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/loosen.so"
        subprocess.check_call(["cc", "-O2", "-shared", "-fPIC", "-o", library,
                               os.path.join(HERE, "loosen.c"), "-ldl"])
        work = [(os.path.basename(path).removesuffix(".onnx"), path) for path in beside.paths(a)]
        for n in (512, 1024, 1536, 2048):
            path = f"{folder}/sgemm-{n}.onnx"
            products.write(path, n, n, n, "float")
            work.append((f"sgemm {n}", path))
        costs = [measure(a, name, path, library, folder) for name, path in work if a.only in name]
    print(f"cost {min(costs) * 100:+.1f} to {max(costs) * 100:+.1f} %, median "
          f"{statistics.median(costs) * 100:+.1f} %")


if __name__ == "__main__":
    main()
