#!/usr/bin/env python3
"""Train a small network in NumPy's binary64, by gradients written out by hand, for the tests of
training to be held against.

Writes training.onnx, training.npz and training.json: of each variant of options the loss of each
step, how many of the test are told right after each epoch, and the weights at the end.

Usage: training_reference.py OUT_FOLDER
"""
import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ITEMS, TESTS, SHAPE, CLASSES = 48, 12, (2, 6, 6), 3
BATCH, EPOCHS, SEED = 16, 3, 9
BASE = {"optimizer": "sgd", "rate": "0.05", "momentum": "0.9", "nesterov": 0, "decay": "0",
        "schedule": "constant", "step_epochs": 1, "factor": "0.5"}
VARIANTS = {
    "plain": {"momentum": "0"},
    "momentum": {"decay": "0.01", "schedule": "step"},
    "nesterov": {"nesterov": 1, "schedule": "cosine"},
    "adam": {"optimizer": "adam", "rate": "0.01", "decay": "0.01"},
    "adamw": {"optimizer": "adamw", "rate": "0.01", "decay": "0.1", "schedule": "cosine"},
}


def philox(index: int, group: int, use: int) -> tuple:
    """Philox 4x32, ten rounds."""
    m = 0xFFFFFFFF
    c, k = [index & m, index >> 32, group, use], [SEED & m, SEED >> 32]
    for _ in range(10):
        a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(b >> 32) ^ c[1] ^ k[0], b & m, (a >> 32) ^ c[3] ^ k[1], a & m]
        k = [(k[0] + 0x9E3779B9) & m, (k[1] + 0xBB67AE85) & m]
    return tuple(c)


def order(epoch: int) -> list:
    keys = [philox(i, epoch, 1)[:2] + (i,) for i in range(ITEMS)]
    return [key[2] for key in sorted(keys)]


def convolve(x, w, b, stride, groups):
    """Padding 1; gives the result, and what its gradients need."""
    n, _, h, wd = x.shape
    outs, channels, kh, kw = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    oh, ow = (h + 2 - kh) // stride + 1, (wd + 2 - kw) // stride + 1
    y = np.zeros((n, outs, oh, ow))
    for o in range(outs):
        first = o // (outs // groups) * channels
        for i in range(oh):
            for j in range(ow):
                part = padded[:, first:first + channels, i * stride:i * stride + kh,
                              j * stride:j * stride + kw]
                y[:, o, i, j] = (part * w[o]).sum((1, 2, 3)) + b[o]
    return y, padded


def convolve_back(g, padded, w, stride, groups):
    outs, channels, kh, kw = w.shape
    dx, dw = np.zeros_like(padded), np.zeros_like(w)
    for o in range(outs):
        first = o // (outs // groups) * channels
        for i in range(g.shape[2]):
            for j in range(g.shape[3]):
                place = (slice(None), slice(first, first + channels),
                         slice(i * stride, i * stride + kh), slice(j * stride, j * stride + kw))
                d = g[:, o, i, j][:, None, None, None]
                dw[o] += (padded[place] * d).sum(0)
                dx[place] += d * w[o]
    return dx[:, :, 1:-1, 1:-1], dw, g.sum((0, 2, 3))


def forward(p, x, training):
    """Logits, and all that is needed to go back."""
    kept = {}
    # A bias before a normalisation has no gradient, and Adam would make steps of what rounding
    # leaves of it.
    y, kept["pad1"] = convolve(x, p["conv1.weight"], np.zeros(4), 1, 1)
    if training:
        mean, var = y.mean((0, 2, 3)), y.var((0, 2, 3))
        kept["mean"], kept["var"] = mean, var
    else:
        mean, var = p["norm.mean"], p["norm.var"]
    root = np.sqrt(var + 1e-5)
    kept["root"] = root
    kept["normal"] = (y - mean[:, None, None]) / root[:, None, None]
    y = kept["normal"] * p["norm.scale"][:, None, None] + p["norm.bias"][:, None, None]
    kept["relu1"] = y = np.maximum(y, 0)
    # Maxima of 2x2, the first of equal ones.
    n, c, h, w = y.shape
    parts = y.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    parts = parts.reshape(n, c, h // 2, w // 2, 4)
    kept["best"] = parts.argmax(-1)
    kept["pooled"] = y = parts.max(-1)
    y, kept["pad2"] = convolve(y, p["conv2.weight"], p["conv2.bias"], 2, 2)
    kept["relu2"] = y = np.maximum(y, 0)
    kept["flat"] = y.reshape(n, -1)
    return kept["flat"] @ p["dense.weight"].T + p["dense.bias"], kept


def gradients(p, x, labels):
    logits, kept = forward(p, x, True)
    n = len(labels)
    top = logits.max(1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True))
    loss = -logs[np.arange(n), labels].mean()
    d = np.exp(logs)
    d[np.arange(n), labels] -= 1
    d /= n
    g = {"dense.weight": d.T @ kept["flat"], "dense.bias": d.sum(0)}
    d = (d @ p["dense.weight"]).reshape(kept["relu2"].shape) * (kept["relu2"] > 0)
    d, g["conv2.weight"], g["conv2.bias"] = convolve_back(
        d, kept["pad2"], p["conv2.weight"], 2, 2)
    n, c, h, w = d.shape
    parts = np.zeros((n, c, h, w, 4))
    np.put_along_axis(parts, kept["best"][..., None], d[..., None], -1)
    d = parts.reshape(n, c, h, w, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 2 * h, 2 * w)
    d = d * (kept["relu1"] > 0)
    g["norm.scale"] = (d * kept["normal"]).sum((0, 2, 3))
    g["norm.bias"] = d.sum((0, 2, 3))
    d = d * p["norm.scale"][:, None, None]
    mean = d.mean((0, 2, 3))[:, None, None]
    along = (d * kept["normal"]).mean((0, 2, 3))[:, None, None]
    d = (d - mean - kept["normal"] * along) / kept["root"][:, None, None]
    _, g["conv1.weight"], _ = convolve_back(
        d, kept["pad1"], p["conv1.weight"], 1, 1)
    return loss, g, kept


def rate(o, step, per_epoch):
    base = float(o["rate"])
    if o["schedule"] == "step":
        return base * float(o["factor"]) ** (step // per_epoch // o["step_epochs"])
    if o["schedule"] == "cosine":
        return base * 0.5 * (1 + np.cos(np.pi * step / (per_epoch * EPOCHS)))
    return base


def train(o, start, x, y):
    p = {name: value.astype(np.float64) for name, value in start.items()}
    held = np.arange(len(x)) % 5 == 4
    tests, test_labels, x, y = x[held], y[held], x[~held], y[~held]
    per_epoch = ITEMS // BATCH
    state = {name: np.zeros_like(v) for name, v in p.items()}
    squares = {name: np.zeros_like(v) for name, v in p.items()}
    losses, correct = [], []
    for step in range(per_epoch * EPOCHS):
        at = step % per_epoch * BATCH
        chosen = order(step // per_epoch)[at:at + BATCH]
        loss, g, kept = gradients(p, x[chosen], y[chosen])
        losses.append(loss)
        r, t = rate(o, step, per_epoch), step + 1
        for name, d in g.items():
            decay = float(o["decay"]) if p[name].ndim > 1 else 0
            if o["optimizer"] != "adamw":
                d = d + decay * p[name]
            if o["optimizer"] == "sgd":
                m = float(o["momentum"])
                state[name] = m * state[name] + d
                p[name] = p[name] - r * (d + m * state[name] if o["nesterov"] else state[name])
                continue
            state[name] = 0.9 * state[name] + 0.1 * d
            squares[name] = 0.999 * squares[name] + 0.001 * d * d
            if o["optimizer"] == "adamw":
                p[name] = p[name] * (1 - r * decay)
            p[name] = p[name] - r * (state[name] / (1 - 0.9 ** t)) / (
                np.sqrt(squares[name] / (1 - 0.999 ** t)) + 1e-8)
        p["norm.mean"] = 0.9 * p["norm.mean"] + 0.1 * kept["mean"]
        p["norm.var"] = 0.9 * p["norm.var"] + 0.1 * kept["var"]
        if t % per_epoch == 0:
            told = forward(p, tests, False)[0].argmax(1)
            correct.append(int((told == test_labels).sum()))
    return losses, correct, p


def model(start):
    node = helper.make_node
    norm = ["norm.scale", "norm.bias", "norm.mean", "norm.var"]
    nodes = [
        node("Conv", ["image", "conv1.weight"], ["a"], pads=[1] * 4),
        node("BatchNormalization", ["a"] + norm, ["b"]),
        node("Relu", ["b"], ["c"]),
        node("MaxPool", ["c"], ["d"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["d", "conv2.weight", "conv2.bias"], ["e"], pads=[1] * 4, strides=[2, 2],
             group=2),
        node("Relu", ["e"], ["f"]),
        node("Flatten", ["f"], ["g"]),
        node("Gemm", ["g", "dense.weight", "dense.bias"], ["scores"], transB=1),
    ]
    graph = helper.make_graph(
        nodes, "training",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *SHAPE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(v, k) for k, v in start.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    return made


def main(folder):
    rng = np.random.default_rng(5)
    shapes = {"conv1.weight": (4, 2, 3, 3), "norm.bias": (4,),
              "conv2.weight": (4, 2, 3, 3), "conv2.bias": (4,), "dense.weight": (CLASSES, 16),
              "dense.bias": (CLASSES,)}
    start = {k: (rng.standard_normal(s) * 0.3).astype(np.float32) for k, s in shapes.items()}
    start["norm.scale"] = np.float32([1, 0.9, 1.1, 1.2])
    start["norm.mean"], start["norm.var"] = np.zeros(4, np.float32), np.ones(4, np.float32)
    count = ITEMS + TESTS
    y = np.arange(count) % CLASSES
    x = rng.standard_normal((count, *SHAPE))
    for label in range(CLASSES):
        x[y == label, :, label * 2:label * 2 + 2] += 0.8
    x = np.round(x * 256).astype(np.float32) / 256
    onnx.save(model(start), f"{folder}/training.onnx")
    np.savez(f"{folder}/training.npz", x=x, y=y.astype(np.int64))
    results = {}
    for name, change in VARIANTS.items():
        options = BASE | change
        losses, correct, weights = train(options, start, x.astype(np.float64), y)
        results[name] = {
            "options": options, "losses": losses, "correct": correct,
            "weights": {k: [round(float(v), 9) for v in w.ravel()] for k, w in weights.items()}}
    with open(f"{folder}/training.json", "w") as file:
        json.dump({"batch": BATCH, "epochs": EPOCHS, "seed": SEED, "variants": results}, file)
        file.write("\n")


main(sys.argv[1])
