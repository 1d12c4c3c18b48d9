#!/usr/bin/env python3
"""Render a scene with Rigor and with Blender Cycles, back to back, and print the ratio of rates.

Both count width x height x samples over all their seconds but loading and compiling. Cycles runs
through `render_with_cycles.py`, found below $RIGOR_SHARED/peers or named by --peer; its Python
needs the package `bpy`.

    Benchmarks/render/beside_cycles.py helmet.gltf --env beach.hdr --spp 64 --python venv/bin/python
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys


def rigor(arguments, output):
    """One picture; what --json says of it."""
    command = [arguments.rigor, "render", arguments.scene, "--camera", "auto", "--json",
               "--size", arguments.size, "--spp", str(arguments.spp),
               "--bounces", str(arguments.bounces), "-o", output]
    if arguments.env:
        command += ["--env", arguments.env]
    if arguments.device:
        command += ["--device", arguments.device]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def cycles(arguments, output):
    """One picture; its rate in samples per second."""
    command = [arguments.python, arguments.peer, arguments.scene, "--size", arguments.size,
               "--spp", str(arguments.spp), "--bounces", str(arguments.bounces),
               "--threads", str(arguments.threads), "--out", output]
    if arguments.env:
        command += ["--env", arguments.env]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return float(re.search(r"Msamples_per_s=([0-9.]+)", text).group(1)) * 1e6


def main():
    shared = os.environ.get("RIGOR_SHARED", "")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene")
    parser.add_argument("--env")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--spp", type=int, default=64)
    parser.add_argument("--bounces", type=int, default=4)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rigor", default=".build/release/rigor")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--peer", default=os.path.join(shared, "peers", "render_with_cycles.py"))
    parser.add_argument("--out", default="/tmp")
    arguments = parser.parse_args()

    ours, theirs = [], []
    digests = set()
    for run in range(arguments.runs):
        report = rigor(arguments, os.path.join(arguments.out, "rigor.exr"))
        digests.add(report["digest"])
        ours.append(report["samples_per_second"])
        theirs.append(cycles(arguments, os.path.join(arguments.out, "cycles.exr")))
        print(f"run {run}: rigor {ours[-1] / 1e6:.3f}, cycles {theirs[-1] / 1e6:.3f} Msamples/s",
              file=sys.stderr)
    if len(digests) != 1:
        sys.exit("rigor's digests differ between runs")
    print(json.dumps({
        "scene": os.path.basename(arguments.scene), "size": arguments.size,
        "samples": arguments.spp, "bounces": arguments.bounces, "digest": digests.pop(),
        "rigor_samples_per_second": statistics.median(ours),
        "cycles_samples_per_second": statistics.median(theirs),
        "ratio": round(statistics.median(ours) / statistics.median(theirs), 3),
    }, indent=2))


if __name__ == "__main__":
    main()
