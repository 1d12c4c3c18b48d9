#!/usr/bin/env python3
"""Time an epoch of preset `cnn` on the shipped digits: rigor beside NumPy's float32 (OpenBLAS).

NumPy's network is the same, its convolutions being products with gathered columns, its optimiser
Adam; both in turns, medians of some runs.

Usage: beside_numpy.py --rigor PROGRAM [--runs 3]
"""
import argparse
import json
import os
import statistics
import subprocess
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")

import numpy as np

BATCH, EPOCHS = 32, 4


def columns(x):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    n, c, h, w = x.shape
    return view.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, c * 9)


def fold(d, shape):
    n, c, h, w = shape
    d = d.reshape(n, h, w, c, 3, 3)
    out = np.zeros((n, c, h + 2, w + 2), np.float32)
    for y in range(3):
        for x in range(3):
            out[:, :, y:y + h, x:x + w] += d[:, :, :, :, y, x].transpose(0, 3, 1, 2)
    return out[:, :, 1:-1, 1:-1]


class Block:
    """Convolution and batch normalisation."""

    def __init__(self, rng, inputs, outs):
        bound = np.sqrt(6 / (inputs * 9))
        self.p = [rng.uniform(-bound, bound, (outs, inputs * 9)).astype(np.float32),
                  np.ones(outs, np.float32), np.zeros(outs, np.float32)]

    def forward(self, x):
        self.shape, self.columns = x.shape, columns(x)
        y = self.columns @ self.p[0].T
        self.root = np.sqrt(y.var(0) + np.float32(1e-5))
        self.normal = (y - y.mean(0)) / self.root
        n, _, h, w = x.shape
        y = self.normal * self.p[1] + self.p[2]
        return y.reshape(n, h, w, -1).transpose(0, 3, 1, 2)

    def back(self, d):
        d = np.ascontiguousarray(d.transpose(0, 2, 3, 1)).reshape(-1, d.shape[1])
        scale, bias = (d * self.normal).sum(0), d.sum(0)
        d = d * self.p[1]
        d = (d - d.mean(0) - self.normal * (d * self.normal).mean(0)) / self.root
        self.g = [d.T @ self.columns, scale, bias]
        return fold(d @ self.p[0], self.shape)


def pool(x):
    n, c, h, w = x.shape
    parts = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    parts = parts.reshape(n, c, h // 2, w // 2, 4)
    return parts.max(-1), parts.argmax(-1)


def unpool(d, best):
    n, c, h, w = d.shape
    parts = np.zeros((n, c, h, w, 4), np.float32)
    np.put_along_axis(parts, best[..., None], d[..., None], -1)
    return parts.reshape(n, c, h, w, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 2 * h, 2 * w)


class Network:
    def __init__(self):
        rng = np.random.default_rng(1)
        self.blocks = [Block(rng, 1, 16), Block(rng, 16, 32), Block(rng, 32, 32)]
        self.dense = [rng.uniform(-0.2, 0.2, (10, 128)).astype(np.float32),
                      np.zeros(10, np.float32)]
        self.memory, self.t = {}, 0

    def step(self, x, y, rate=np.float32(0.003)):
        a = np.maximum(self.blocks[0].forward(x), 0)
        b = np.maximum(self.blocks[1].forward(a), 0)
        c, best1 = pool(b)
        e = np.maximum(self.blocks[2].forward(c) + c, 0)
        f, best2 = pool(e)
        flat = f.reshape(len(x), -1)
        z = flat @ self.dense[0].T + self.dense[1]
        z = z - z.max(1, keepdims=True)
        logs = z - np.log(np.exp(z).sum(1, keepdims=True))
        d = np.exp(logs)
        d[np.arange(len(y)), y] -= 1
        d /= len(y)
        gradients = [(self.dense, [d.T @ flat, d.sum(0)])]
        d = unpool((d @ self.dense[0]).reshape(f.shape), best2) * (e > 0)
        d = self.blocks[2].back(d) + d
        d = self.blocks[1].back(unpool(d, best1) * (b > 0))
        self.blocks[0].back(d * (a > 0))
        gradients += [(block.p, block.g) for block in self.blocks]
        self.t += 1
        for at, (ps, gs) in enumerate(gradients):
            for i, (p, g) in enumerate(zip(ps, gs)):
                m, s = self.memory.setdefault((at, i), (np.zeros_like(p), np.zeros_like(p)))
                m += np.float32(0.1) * (g - m)
                s += np.float32(0.001) * (g * g - s)
                p -= rate * (m / np.float32(1 - 0.9 ** self.t)) / (
                    np.sqrt(s / np.float32(1 - 0.999 ** self.t)) + np.float32(1e-8))
        return -logs[np.arange(len(y)), y].mean()


def numpy_epoch(x, y):
    network, rng = Network(), np.random.default_rng(2)
    seconds = time.monotonic()
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for first in range(0, len(x) - BATCH + 1, BATCH):
            chosen = order[first:first + BATCH]
            loss = network.step(x[chosen], y[chosen])
    return (time.monotonic() - seconds) / EPOCHS, loss


def rigor_epoch(program):
    line = [program, "train", "--example", "digits", "--epochs", str(EPOCHS), "--json"]
    made = subprocess.run(line, capture_output=True, text=True, check=True)
    document = json.loads(made.stdout)
    return document["seconds"]["compute"] / EPOCHS, document["loss"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigor", required=True)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Examples/digits")
    data = np.load(os.path.join(folder, "digits.npz"))
    held = np.arange(len(data["x"])) % 5 == 4
    x = data["x"][~held].astype(np.float32) / 16
    y = data["y"][~held].astype(np.int64)
    ours, theirs = [], []
    for _ in range(options.runs):
        ours.append(rigor_epoch(options.rigor))
        theirs.append(numpy_epoch(x, y))
    mine, other = (statistics.median(t for t, _ in runs) for runs in (ours, theirs))
    print(f"rigor {mine:.3f} s an epoch, last loss {ours[0][1]:.4f}")
    print(f"NumPy {other:.3f} s an epoch, last loss {theirs[0][1]:.4f}; {other / mine:.2f}x")


main()
