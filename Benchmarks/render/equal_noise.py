#!/usr/bin/env python3
"""How long Rigor and Blender Cycles take to the same noise, each against its own long render.

Renders a scene with both at several sample counts and once at many, and takes the root mean square
error of each picture to its own renderer's long one, over all channels clipped to --most (so that a
few bright samples do not decide). Noise falls with a power of the time; the time to --noise is read
off a line through the points in logarithms. Long renders take most of the time: --keep names a folder
where they are kept, and found by the next run. Runs in a Python that has `bpy`; Cycles runs through
`render_with_cycles.py`, found below $RIGOR_SHARED/peers or named by --peer.

    venv/bin/python Benchmarks/render/equal_noise.py helmet.gltf --env beach.hdr --rigor .build/release/rigor
"""
import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import bpy
import numpy


def pixels(path):
    """Linear RGB of an EXR."""
    image = bpy.data.images.load(path, check_existing=False)
    image.colorspace_settings.name = "Non-Color"
    data = numpy.empty(len(image.pixels), numpy.float32)
    image.pixels.foreach_get(data)
    channels = image.channels
    bpy.data.images.remove(image)
    return data.reshape(-1, channels)[:, :3].astype(numpy.float64)


def rigor(arguments, samples, output):
    """Seconds as the rate counts them: without loading and compiling."""
    command = [arguments.rigor, "render", arguments.scene, "--camera", "auto", "--json", "--size",
               arguments.size, "--spp", str(samples), "--bounces", str(arguments.bounces),
               "--device", arguments.device, "-o", output]
    if arguments.env:
        command += ["--env", arguments.env]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL).stdout)
    return sum(float(report["seconds"][part]) for part in ("prepare", "compute", "digest", "write"))


def cycles(arguments, samples, output):
    command = [sys.executable, arguments.peer, arguments.scene, "--size", arguments.size, "--spp",
               str(samples), "--bounces", str(arguments.bounces), "--threads",
               str(os.cpu_count()), "--out", output]
    if arguments.env:
        command += ["--env", arguments.env]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL).stdout
    return float(re.search(r"seconds=([0-9.]+)", text).group(1))


def long_picture(arguments, name, render, folder):
    """The picture that stands for no noise: kept from another run, or rendered."""
    scene = os.path.splitext(os.path.basename(arguments.scene))[0]
    path = os.path.join(arguments.keep or folder,
                        f"{scene}-{arguments.size}-{arguments.long}-{name}.exr")
    if not os.path.exists(path):
        render(arguments, arguments.long, path + ".part.exr")
        os.replace(path + ".part.exr", path)
    return pixels(path)


def line(points):
    """Slope and offset of log(noise) over log(seconds), by least squares."""
    xs = [math.log(seconds) for seconds, _ in points]
    ys = [math.log(noise) for _, noise in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)
    return slope, y - slope * x


def main():
    shared = os.environ.get("RIGOR_SHARED", "")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene")
    parser.add_argument("--env")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--bounces", type=int, default=4)
    parser.add_argument("--samples", default="16,64,256")
    parser.add_argument("--long", type=int, default=8192)
    parser.add_argument("--keep", help="folder of the long pictures")
    parser.add_argument("--most", type=float, default=16.0)
    parser.add_argument("--noise", type=float, default=0.0, help="default: Cycles' at the middle")
    parser.add_argument("--rigor", default=".build/release/rigor")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--peer", default=os.path.join(shared, "peers", "render_with_cycles.py"))
    arguments = parser.parse_args()

    counts = [int(count) for count in arguments.samples.split(",")]
    points, truths = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, render in (("rigor", rigor), ("cycles", cycles)):
            path = os.path.join(folder, f"{name}.exr")
            truth = numpy.minimum(long_picture(arguments, name, render, folder), arguments.most)
            truths[name] = truth
            points[name] = []
            for count in counts:
                seconds = render(arguments, count, path)
                error = numpy.minimum(pixels(path), arguments.most) - truth
                points[name].append((seconds, float(numpy.sqrt((error ** 2).mean()))))
                print(f"{name} {count} spp: {seconds:.2f} s, noise {points[name][-1][1]:.5f}",
                      file=sys.stderr)
    noise = arguments.noise or points["cycles"][len(counts) // 2][1]
    seconds = {}
    for name, measured in points.items():
        slope, offset = line(measured)
        seconds[name] = math.exp((math.log(noise) - offset) / slope)
    difference = truths["rigor"] - truths["cycles"]
    print(json.dumps({
        "scene": os.path.basename(arguments.scene), "size": arguments.size, "noise": noise,
        "points": {name: [[round(a, 3), round(b, 6)] for a, b in measured]
                   for name, measured in points.items()},
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "ratio": round(seconds["cycles"] / seconds["rigor"], 3),
        "long_pictures_psnr_db": round(
            10 * math.log10(1 / (numpy.minimum(truths["rigor"], 1)
                                 - numpy.minimum(truths["cycles"], 1)).__pow__(2).mean()), 2),
        "long_pictures_mean_difference": round(float(difference.mean()), 5),
    }, indent=2))


if __name__ == "__main__":
    main()
