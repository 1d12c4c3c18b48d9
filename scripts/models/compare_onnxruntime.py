#!/usr/bin/env python3
"""Compare `rigor infer` with ONNX Runtime: max |a-b| / max |b| of every output, batch 1 and 4.

Also checks that item 0 of the batch of 4 has the bits of the same item alone.

Usage: compare_onnxruntime.py --rigor PATH [--device SELECTOR] [--light FOLDER] [MODEL.onnx...]
The light networks come from reseed_light.py. Exit code 1 when an error passes 1e-4.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime as ort

TYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}


def installed() -> list[str]:
    found = []
    for package, pattern in (
        ("rapidocr_onnxruntime", "models/ch_ppocr_mobile_v2.0_cls_infer.onnx"),
        ("magika", "models/*/model.onnx"),
    ):
        for folder in sys.path:
            found += glob.glob(os.path.join(folder, package, pattern))
    return found


def feed(session: ort.InferenceSession, batch: int) -> dict:
    rng = np.random.default_rng(7)
    values = {}
    for i in session.get_inputs():
        default = [4, 3, 48, 192]
        shape = [d if isinstance(d, int) and d > 0 else default[k] for k, d in enumerate(i.shape)]
        shape[0] = 4
        kind = TYPES[i.type]
        if kind is np.float32:
            values[i.name] = rng.standard_normal(shape).astype(kind)[:batch]
        else:
            values[i.name] = rng.integers(0, 257, shape).astype(kind)[:batch]
    return values


def run(rigor: str, device: str, path: str, inputs: dict) -> tuple[dict, dict]:
    with tempfile.TemporaryDirectory() as folder:
        command = [rigor, "infer", path, "--json", "--repeat", "3", "-o", f"{folder}/out.npz"]
        if device:
            command += ["--device", device]
        for k, (name, value) in enumerate(inputs.items()):
            np.save(f"{folder}/{k}.npy", value)
            command += ["--input", f"{name}={folder}/{k}.npy"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{path}: {done.stderr.strip()}")
        with np.load(f"{folder}/out.npz") as out:
            return json.loads(done.stdout), {name: out[name] for name in out.files}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--rigor", required=True)
    parser.add_argument("--device", default="")
    parser.add_argument("--light")
    a = parser.parse_args()
    models = a.models or installed()
    if a.light:
        models += sorted(glob.glob(os.path.join(a.light, "*.onnx")))
    worst = 0.0
    for path in models:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        alone = None
        for batch in (1, 4):
            inputs = feed(session, batch)
            report, found = run(a.rigor, a.device, path, inputs)
            error = 0.0
            for output, expected in zip(session.get_outputs(), session.run(None, inputs)):
                value = found[output.name]
                assert value.shape == expected.shape, (value.shape, expected.shape)
                difference = np.abs(value.astype(np.float64) - expected).max()
                error = max(error, float(difference / max(np.abs(expected).max(), 1e-30)))
            first = [v[0].tobytes() for v in found.values()]
            if batch == 1:
                alone = first
            equal = "" if batch == 1 else ("same bits alone" if first == alone else "BITS DIFFER")
            spread = float(np.std(expected) / max(np.abs(expected).max(), 1e-30))
            worst = max(worst, error if first == alone else 1.0)
            name = os.path.basename(path).removesuffix(".onnx")
            print(f"{name:36} batch {batch}  error {error:.2e}  spread {spread:.1e}  "
                  f"{report['milliseconds']:9.2f} ms  {report['digest'][:18]}  {equal}", flush=True)
    sys.exit(0 if worst <= 1e-4 else 1)


if __name__ == "__main__":
    main()
