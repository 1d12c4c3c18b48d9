#!/usr/bin/env python3
"""Rays and trees of a scene, by Rigor and by Embree 3, turn by turn on the same triangles and rays.

Both run with all threads and count CPU time as well as wall time: on a machine with other work,
ratios of CPU time say more. Embree comes from the system (Debian: libembree-dev).

    Benchmarks/rays/beside_embree.py helmet.gltf [--device cpu] [--turns 3]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


def compiled(folder):
    here = os.path.dirname(os.path.abspath(__file__))
    program = os.path.join(folder, "embree")
    subprocess.run(["cc", "-O2", "-march=native", os.path.join(here, "embree.c"), "-o", program,
                    "-lembree3", "-lpthread", "-lm"], check=True)
    return program


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene")
    parser.add_argument("--rigor", default=".build/release/rigor")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tree-only", action="store_true")
    arguments = parser.parse_args()
    threads = os.cpu_count()

    rates, trees, bytes_per_triangle = {}, {}, 0
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(folder)
        command = [arguments.rigor, "bench", "--scene", arguments.scene, "--json", "--side",
                   str(arguments.side), "--device", arguments.device, "--runs",
                   str(arguments.runs), "--export", folder]
        if arguments.tree_only:
            command += ["--tree-only"]
        for _ in range(arguments.turns):
            ours = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            theirs = json.loads(subprocess.run([program, folder, str(arguments.runs)], check=True,
                                               stdout=subprocess.PIPE).stdout)
            tree = ours["tree"]
            bytes_per_triangle = tree["bytes"] / max(tree["triangles"], 1)
            for name, report in (("rigor", ours), ("embree", theirs)):
                tree = report["tree"]
                trees.setdefault(name, []).append(tree["triangles"] / float(tree["seconds"]))
            devices = ours["devices"]
            for name, rays in (("rigor", devices[0]["rays"] if devices else []),
                               ("embree", theirs["rays"])):
                for one in rays:
                    if name == "embree" and one["missed"]:
                        print(f"{one['set']}: {one['missed']} rays hit for one alone",
                              file=sys.stderr)
                    key = (one["set"], name, one["kernel"])
                    rate = one["rays"] / (float(one["cpu_seconds"]) / threads)
                    rates.setdefault(key, []).append((rate, one["rays"] / float(one["seconds"])))
    report = {
        "scene": os.path.basename(arguments.scene),
        "tree": {
            "bytes_per_triangle": round(bytes_per_triangle, 1),
            **{f"{name}_mtri_per_second": round(statistics.median(x) / 1e6, 3)
               for name, x in trees.items()},
            "ratio": round(statistics.median(trees["rigor"])
                           / statistics.median(trees["embree"]), 3),
        }, "sets": {}}
    for name in ("camera", "diffuse", "shuffled"):
        kernels = {key[1:]: statistics.median(rate for rate, _ in values)
                   for key, values in rates.items() if key[0] == name}
        if not kernels:
            continue
        best = {who: max((rate, kernel) for (one, kernel), rate in kernels.items() if one == who)
                for who in ("rigor", "embree")}
        report["sets"][name] = {
            "mrays_per_second_of_cpu_time": {
                f"{who} {kernel}": round(rate / 1e6, 2) for (who, kernel), rate in kernels.items()},
            "best": {who: kernel for who, (_, kernel) in best.items()},
            "ratio": round(best["rigor"][0] / best["embree"][0], 3),
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
