#!/usr/bin/env python3
"""Latency of models beside ONNX Runtime's CPU provider: rounds back to back, since other load
moves both.

Each round takes the median of ONNX Runtime's runs and of `rigor infer`'s, as many of each, after a
first one; a model's ratio is the median of the rounds' (above 1: Rigor is faster). Also checks the
largest difference, as a part of the largest value. Models that Rigor refuses are listed with its
reason. The light networks come from scripts/models/reseed_light.py.

Usage: beside_onnxruntime.py --rigor PATH [--light FOLDER] [--rounds 3] [--only PART] [MODEL...]
"""
import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime as ort

TYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}
# Sizes that a model leaves open, by a part of its file's name.
SHAPES = {"det_infer": [1, 3, 640, 640], "rec_infer": [1, 3, 48, 320],
          "cls_infer": [1, 3, 48, 192], "minilm": [1, 128], "silero_vad_16k_sequence": [20, 576],
          "silero_vad": [1, 576]}
# Inputs of other sizes, by name, and numbers that are no matter of chance.
OTHERS = {"state": [2, 1, 128], "h": [1, 1, 128], "c": [1, 1, 128]}
FIXED = {"sr": 16000}
# Whole numbers are below this, by the input's name; masks and the like are 0 or 1.
LIMITS = {"bytes": 257, "input_ids": 1000}


def installed() -> list[str]:
    """Models that packages of this Python ship."""
    found = []
    for folder in sys.path:
        for pattern in ("rapidocr_onnxruntime/models/*_infer.onnx", "magika/models/*/model.onnx",
                        "silero_vad/data/silero_vad_16k_*.onnx"):
            found += sorted(glob.glob(os.path.join(folder, pattern)))
    return found


def feed(session: ort.InferenceSession, path: str) -> dict:
    rng = np.random.default_rng(0)
    usual = next((s for part, s in SHAPES.items() if part in path), [])
    values = {}
    for port in session.get_inputs():
        if port.name in FIXED:
            values[port.name] = np.array(FIXED[port.name], TYPES[port.type])
            continue
        wanted = OTHERS.get(port.name, usual)
        shape = [d if isinstance(d, int) and d > 0 else (wanted[k] if k < len(wanted) else 1)
                 for k, d in enumerate(port.shape)]
        kind = TYPES[port.type]
        values[port.name] = (rng.standard_normal(shape).astype(kind) if kind is np.float32
                             else rng.integers(0, LIMITS.get(port.name, 2), shape).astype(kind))
    return values


def peer_milliseconds(session: ort.InferenceSession, inputs: dict, runs: int) -> float:
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        session.run(None, inputs)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:]) * 1e3


def difference(path: str, session: ort.InferenceSession, expected: list) -> float:
    worst = 0.0
    with np.load(path) as found:
        for output, b in zip(session.get_outputs(), expected):
            gap = np.abs(found[output.name].astype(np.float64) - b).max()
            worst = max(worst, float(gap / max(np.abs(b).max(), 1e-30)))
    return worst


def measure(path: str, a: argparse.Namespace) -> float | None:
    options = ort.SessionOptions()
    options.intra_op_num_threads = a.threads
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = os.path.basename(path).removesuffix(".onnx")
    if name == "model":
        name = path.split(os.sep)[-4]
    inputs = feed(session, path)
    with tempfile.TemporaryDirectory() as folder:
        command = [a.rigor, "infer", path, "--device", a.device, "--json"]
        for k, (port, value) in enumerate(inputs.items()):
            np.save(f"{folder}/{k}.npy", value)
            command += ["--input", f"{port}={folder}/{k}.npy"]
        done = subprocess.run(command + ["-o", f"{folder}/out.npz"], capture_output=True,
                              text=True)
        if done.returncode != 0:
            print(f"{name:34} not run: {done.stderr.strip().splitlines()[-1]}", flush=True)
            return None
        error = difference(f"{folder}/out.npz", session, session.run(None, inputs))
        # A round takes about as long for every model.
        runs = max(5, min(60, int(2000 / peer_milliseconds(session, inputs, 3))))
        peers, owns = [], []
        for _ in range(a.rounds):
            peers.append(peer_milliseconds(session, inputs, runs))
            report = json.loads(subprocess.check_output(command + ["--repeat", str(runs + 1)]))
            owns.append(report["milliseconds"])
    ratio = statistics.median(peer / own for peer, own in zip(peers, owns))
    print(f"{name:34} ONNX Runtime {statistics.median(peers):8.2f} ms   Rigor "
          f"{statistics.median(owns):8.2f} ms   ratio {ratio:5.2f}   error {error:.1e}   "
          f"{report['digest'][:18]}", flush=True)
    return ratio


def arguments(text: str, rounds: int) -> argparse.ArgumentParser:
    """What all that measure models take."""
    parser = argparse.ArgumentParser(description=text,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="by default those of installed packages")
    parser.add_argument("--rigor", required=True)
    parser.add_argument("--light", help="folder of the light networks")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2, help="of ONNX Runtime")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--only", default="", help="part of the names to measure")
    return parser


def paths(a: argparse.Namespace) -> list[str]:
    """The models that are asked for."""
    light = sorted(glob.glob(os.path.join(a.light, "*.onnx"))) if a.light else []
    return (a.models or installed()) + light


def main() -> None:
    a = arguments(__doc__, rounds=3).parse_args()
    print(f"ONNX Runtime {ort.__version__}, {a.threads} threads")
    ratios = [r for m in paths(a) if a.only in m and (r := measure(m, a)) is not None]
    if ratios:
        print(f"ratios {min(ratios):.2f} to {max(ratios):.2f}, median "
              f"{statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
