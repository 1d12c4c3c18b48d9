#!/usr/bin/env python3
"""From a model's file to its first result, and the most memory, beside ONNX Runtime's CPU provider.

Load: ONNX Runtime's is the time from InferenceSession(path) to the end of the first run, within a
process that has imported all it needs, its kernels among that; Rigor's are the `seconds` load,
prepare, compile and compute of `rigor infer`, within a process that has opened its device and has
the kernels that all models share. `with kernels` adds what `rigor infer` waits for those, which it
reads while it loads the model: PoCL reads compiled ones anew in every process. They are in PoCL's
cache and in Rigor's: a run before the rounds puts them there. The file is in the system's cache, on
both sides.
`whole` is each whole process, from start to end: Python's imports, or opening OpenCL's drivers,
count there.

Memory: VmHWM of a process of its own that loads and runs 1 + 10 times; from it what the same
process has before it reads the model is taken off (Python with NumPy and ONNX Runtime imported;
`rigor infer` of a model of one node, which opens the same drivers). Both raw figures are given too.

Each round takes both peers, one after the other; ratios are the medians of the rounds', Rigor's
over ONNX Runtime's: below 1 Rigor is faster, or smaller.

Usage: load_and_memory.py --rigor PATH [--light FOLDER] [--rounds 5] [--only PART] [MODEL...]
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

import beside_onnxruntime as beside

# What measures ONNX Runtime: says seconds to the first result and its VmHWM in KiB before and after.
PEER = """
import re, sys, time
import numpy as np
import onnxruntime as ort
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1))
path, threads, runs, *inputs = sys.argv[1:]
inputs = dict(pair.split("=", 1) for pair in inputs)
inputs = {name: np.load(file) for name, file in inputs.items()}
before = peak()
start = time.perf_counter()
options = ort.SessionOptions()
options.intra_op_num_threads = int(threads)
options.log_severity_level = 3
session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
session.run(None, inputs)
first = time.perf_counter() - start
for _ in range(int(runs) - 1):
    session.run(None, inputs)
print(first, before, peak())
"""


def peer(path: str, ports: list[str], threads: int, runs: int) -> tuple[float, float, int, int]:
    """Seconds to the first result and of the whole process, KiB before and at most."""
    start = time.perf_counter()
    out = subprocess.check_output([sys.executable, "-c", PEER, path, str(threads), str(runs)] + ports)
    whole = time.perf_counter() - start
    first, before, peak = out.split()
    return float(first), whole, int(before), int(peak)


# Starts a program and says its seconds and its ru_maxrss in KiB, which would be this process's where
# that is larger: a process begins as a copy of the one that starts it.
STARTER = """
import resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode
whole = time.perf_counter() - start
print(whole, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def own(a: argparse.Namespace, path: str, ports: list[str], runs: int) -> tuple[dict, float, int]:
    """Seconds by part and of the whole process, and KiB at most."""
    command = [a.rigor, "infer", path, "--device", a.device, "--json", "--repeat", str(runs)]
    for port in ports:
        command += ["--input", port]
    done = subprocess.run([sys.executable, "-c", STARTER] + command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{path}: rigor infer failed")
    whole, peak = done.stderr.split()
    return json.loads(done.stdout)["seconds"], float(whole), int(peak)


def least(a: argparse.Namespace, folder: str) -> int:
    """KiB of `rigor infer` where the model is next to nothing."""
    port = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [port("x")], [port("y")])
    path = f"{folder}/least.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9),
              path)
    np.save(f"{folder}/least.npy", np.ones(1, np.float32))
    ports = [f"x={folder}/least.npy"]
    own(a, path, ports, 11)
    return min(own(a, path, ports, 11)[2] for _ in range(3))


def measure(a: argparse.Namespace, path: str, base: int, folder: str) -> tuple[float, float, float]:
    name = os.path.basename(path).removesuffix(".onnx")
    name = path.split(os.sep)[-4] if name == "model" else name
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    ports = []
    for k, (port, value) in enumerate(beside.feed(session, path).items()):
        np.save(f"{folder}/{k}.npy", value)
        ports.append(f"{port}={folder}/{k}.npy")
    del session
    own(a, path, ports, 11)
    loads, kernels, wholes, memories = [], [], [], []
    for _ in range(a.rounds):
        theirs = peer(path, ports, a.threads, 1)
        parts, whole, _ = own(a, path, ports, 1)
        ours = sum(parts[part] for part in ("load", "prepare", "compile", "compute"))
        loads.append((theirs[0], ours))
        kernels.append((theirs[0], ours + parts["kernels"]))
        wholes.append((theirs[1], whole))
    for _ in range(a.memory_rounds):
        theirs = peer(path, ports, a.threads, 11)
        memories.append((theirs[3], theirs[3] - theirs[2], own(a, path, ports, 11)[2]))
    middle = lambda pairs, k: statistics.median(pair[k] for pair in pairs)
    ratio, read = (statistics.median(b / x for x, b in pairs) for pairs in (loads, kernels))
    raw, peak, mine = (middle(memories, k) / 1024 for k in range(3))
    size = (mine - base / 1024) / peak
    print(f"{name:34} first result {middle(loads, 0) * 1e3:7.1f} ms   Rigor "
          f"{middle(loads, 1) * 1e3:7.1f} ms   ratio {ratio:5.2f}   with kernels "
          f"{middle(kernels, 1) * 1e3:7.1f} ms   ratio {read:5.2f}   whole "
          f"{middle(wholes, 0) * 1e3:6.0f} and {middle(wholes, 1) * 1e3:6.0f} ms   memory "
          f"{peak:6.0f} MiB   Rigor {mine - base / 1024:6.0f} MiB   ratio {size:5.2f}   raw "
          f"{raw:6.0f} and {mine:6.0f} MiB", flush=True)
    return ratio, read, size


def main() -> None:
    parser = beside.arguments(__doc__, rounds=5)
    parser.add_argument("--memory-rounds", type=int, default=1)
    a = parser.parse_args()
    models = [path for path in beside.paths(a) if path in a.models or "silero" not in path]
    with tempfile.TemporaryDirectory() as folder:
        base = least(a, folder)
        print(f"ONNX Runtime {ort.__version__}, {a.threads} threads; Rigor with next to no model "
              f"{base / 1024:.0f} MiB")
        found = [measure(a, path, base, folder) for path in models if a.only in path]
    for k, what in enumerate(("first result", "with kernels", "memory")):
        ratios = [each[k] for each in found]
        print(f"{what}: ratios {min(ratios):.2f} to {max(ratios):.2f}, median "
              f"{statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
