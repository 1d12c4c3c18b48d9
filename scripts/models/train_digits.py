#!/usr/bin/env python3
"""Train the shipped digit classifier: a small convolutional network on scikit-learn's digits.

Plain NumPy, one seed, one thread; writes digits.onnx, labels.txt and pictures of eight digits of
the part that it was not trained on.

Usage: train_digits.py OUT_FOLDER
"""
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits

SEED = 20_240_917
EPOCHS = 40
BATCH = 32


def columns(x: np.ndarray) -> np.ndarray:
    """3x3 windows with padding 1: [n, c, h, w] -> [n, h, w, c*9], channel slowest."""
    n, c, h, w = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return view.transpose(0, 2, 3, 1, 4, 5).reshape(n, h, w, c * 9)


def fold(d: np.ndarray, shape: tuple) -> np.ndarray:
    """The transpose of `columns`."""
    n, c, h, w = shape
    d = d.reshape(n, h, w, c, 3, 3)
    out = np.zeros((n, c, h + 2, w + 2), np.float32)
    for y in range(3):
        for x in range(3):
            out[:, :, y : y + h, x : x + w] += d[:, :, :, :, y, x].transpose(0, 3, 1, 2)
    return out[:, :, 1:-1, 1:-1]


class Net:
    """conv 16, relu, conv 32, relu, pool 2, conv 32, relu, dense 10."""

    def __init__(self, rng: np.random.Generator):
        def he(*shape: int) -> np.ndarray:
            return (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)

        self.p = {
            "conv1.weight": he(16, 1, 3, 3), "conv1.bias": np.zeros(16, np.float32),
            "conv2.weight": he(32, 16, 3, 3), "conv2.bias": np.zeros(32, np.float32),
            "conv3.weight": he(32, 32, 3, 3), "conv3.bias": np.zeros(32, np.float32),
            "dense.weight": he(10, 512), "dense.bias": np.zeros(10, np.float32),
        }

    def conv(self, name: str, x: np.ndarray):
        w, b = self.p[f"{name}.weight"], self.p[f"{name}.bias"]
        cols = columns(x)
        y = np.maximum(cols @ w.reshape(len(w), -1).T + b, 0).transpose(0, 3, 1, 2)
        return y, (name, x.shape, cols, y)

    def conv_back(self, d: np.ndarray, cache, grads: dict) -> np.ndarray:
        name, shape, cols, y = cache
        w = self.p[f"{name}.weight"]
        d = (d * (y > 0)).transpose(0, 2, 3, 1)
        flat = d.reshape(-1, len(w))
        grads[f"{name}.weight"] = (flat.T @ cols.reshape(len(flat), -1)).reshape(w.shape)
        grads[f"{name}.bias"] = flat.sum(0)
        return fold(d @ w.reshape(len(w), -1), shape)

    def forward(self, x: np.ndarray):
        a, c1 = self.conv("conv1", x)
        a, c2 = self.conv("conv2", a)
        n, c, h, w = a.shape
        blocks = a.reshape(n, c, h // 2, 2, w // 2, 2)
        pooled = blocks.max((3, 5))
        a3, c3 = self.conv("conv3", pooled)
        flat = a3.reshape(n, -1)
        logits = flat @ self.p["dense.weight"].T + self.p["dense.bias"]
        return logits, (c1, c2, c3, blocks, pooled, flat)

    def gradients(self, x: np.ndarray, target: np.ndarray) -> dict:
        logits, (c1, c2, c3, blocks, pooled, flat) = self.forward(x)
        e = np.exp(logits - logits.max(1, keepdims=True))
        d = (e / e.sum(1, keepdims=True) - np.eye(10, dtype=np.float32)[target]) / len(x)
        grads = {"dense.weight": d.T @ flat, "dense.bias": d.sum(0)}
        d = self.conv_back((d @ self.p["dense.weight"]).reshape(c3[3].shape), c3, grads)
        mask = blocks == pooled[:, :, :, None, :, None]
        d = (mask * d[:, :, :, None, :, None]).reshape(c2[3].shape)
        self.conv_back(self.conv_back(d, c2, grads), c1, grads)
        return grads


def train(x: np.ndarray, y: np.ndarray) -> Net:
    rng = np.random.default_rng(SEED)
    net = Net(rng)
    m = {k: np.zeros_like(v) for k, v in net.p.items()}
    s = {k: np.zeros_like(v) for k, v in net.p.items()}
    step = 0
    for epoch in range(EPOCHS):
        rate = 2e-3 * (1 - epoch / EPOCHS)
        for picks in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            step += 1
            # Shifts by up to one pixel, against so few examples.
            batch = np.roll(x[picks], rng.integers(-1, 2), axis=3)
            for k, g in net.gradients(batch, y[picks]).items():
                m[k] = 0.9 * m[k] + 0.1 * g
                s[k] = 0.999 * s[k] + 0.001 * g * g
                net.p[k] -= (
                    rate * (m[k] / (1 - 0.9**step)) / (np.sqrt(s[k] / (1 - 0.999**step)) + 1e-8)
                    + rate * 1e-2 * net.p[k]
                ).astype(np.float32)
    return net


def export(net: Net, path: str) -> None:
    """Input `image`: float32 [batch, 1, 8, 8], 0 black to 1 white; output `probabilities`."""
    def conv(name: str, source: str, target: str) -> list:
        return [
            helper.make_node(
                "Conv", [source, f"{name}.weight", f"{name}.bias"], [name], name=name,
                kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [name], [target], name=f"{name}.relu"),
        ]

    nodes = conv("conv1", "image", "a1") + conv("conv2", "a1", "a2")
    nodes.append(
        helper.make_node(
            "MaxPool", ["a2"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]))
    nodes += conv("conv3", "p", "a3")
    nodes += [
        helper.make_node("Flatten", ["a3"], ["flat"], name="flatten", axis=1),
        helper.make_node(
            "Gemm", ["flat", "dense.weight", "dense.bias"], ["logits"], name="dense", transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], name="softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in net.p.items()])
    model = helper.make_model(
        graph, producer_name="train_digits.py", ir_version=8,
        opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def pictures(images: np.ndarray, labels: np.ndarray, folder: str) -> None:
    """Eight digits of the test part as 8x8 grey PNGs, named by what they show."""
    for digit in (0, 1, 2, 3, 4, 5, 7, 9):
        index = int(np.flatnonzero(labels == digit)[1])
        Image.fromarray(images[index], "L").save(os.path.join(folder, f"digit-{digit}.png"))


def main() -> None:
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    digits = load_digits()
    # 0..16 as bytes, so that a picture holds exactly what the network is trained on.
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    order = np.random.default_rng(SEED).permutation(len(images))
    images, labels = images[order], digits.target[order]
    split = len(images) * 4 // 5
    x = images[:, None].astype(np.float32) / np.float32(255)
    net = train(x[:split], labels[:split])
    accuracy = float((net.forward(x[split:])[0].argmax(1) == labels[split:]).mean())
    print(f"test accuracy {accuracy:.4f} on {len(images) - split} digits")
    if accuracy < 0.97:
        sys.exit("too low; 0.97 expected")
    export(net, os.path.join(folder, "digits.onnx"))
    with open(os.path.join(folder, "labels.txt"), "w") as out:
        out.write("".join(f"{digit}\n" for digit in range(10)))
    pictures(images[split:], labels[split:], folder)


if __name__ == "__main__":
    main()
