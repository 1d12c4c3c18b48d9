#!/usr/bin/env python3
"""Make the light networks of the onnx wheel worth running.

As shipped, their large weights are constants of one value, so that all outputs are equal. This
replaces each ConstantOfShape that makes a weight by seeded He-normal values (mean 0, variance
2 / fan-in), those that make parameters by channel by values near their neutral ones, makes what goes
into a Softmax an output too, and opens the batch axis.

Usage: reseed_light.py OUT_FOLDER [NAME...]      NAME such as resnet50; all by default
"""
import os
import sys
import zlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

LIGHT = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light")


def values(name: str, shape: list[int], role: str) -> np.ndarray:
    """Weights are He-normal; of the constants by channel, variances lie around 1, factors near 1."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if role == "variance":
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    normal = rng.standard_normal(shape)
    if len(shape) > 1:
        return (normal * np.sqrt(2.0 / np.prod(shape[1:]))).astype(np.float32)
    return ((1.0 if role == "factor" else 0.0) + 0.1 * normal).astype(np.float32)


def roles(graph: onnx.GraphProto) -> dict[str, str]:
    """What each name is to the node that uses it, through Unsqueeze."""
    found = {}
    for node in reversed(graph.node):
        for index, name in enumerate(node.input):
            if node.op_type == "Unsqueeze":
                found[name] = found.get(node.output[0], "")
            elif node.op_type == "BatchNormalization" and index == 4:
                found[name] = "variance"
            elif (node.op_type == "BatchNormalization" and index == 1) or node.op_type == "Mul":
                found[name] = "factor"
    return found


def reseed(path: str) -> onnx.ModelProto:
    model = onnx.load(path)
    graph = model.graph
    shapes = {i.name: numpy_helper.to_array(i) for i in graph.initializer if i.data_type == 7}
    role = roles(graph)
    kept, made = [], set()
    for node in graph.node:
        if node.op_type == "ConstantOfShape" and node.input[0] in shapes:
            name = node.output[0]
            shape = [int(d) for d in shapes[node.input[0]]]
            array = values(name, shape, role.get(name, ""))
            graph.initializer.append(numpy_helper.from_array(array, name))
            made.add(node.input[0])
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    for name in made:
        for field in (graph.initializer, graph.input):
            for entry in [e for e in field if e.name == name]:
                field.remove(entry)
    weights = {i.name for i in graph.initializer}
    for value in list(graph.input) + list(graph.output):
        if value.name not in weights:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    # Softmax of large numbers is all zeros and ones; its input tells more.
    for node in kept:
        if node.op_type == "Softmax":
            graph.output.append(
                helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, None))
    # Reshapes of activations begin with the batch of 1: 0 copies the axis.
    for node in kept:
        if node.op_type == "Reshape" and node.input[0] not in weights:
            for entry in graph.initializer:
                if entry.name == node.input[1]:
                    shape = numpy_helper.to_array(entry).copy()
                    assert shape[0] == 1, shape
                    shape[0] = 0
                    entry.CopyFrom(numpy_helper.from_array(shape, entry.name))
    return model


def main() -> None:
    folder, names = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for file in sorted(os.listdir(LIGHT)):
        name = file.removeprefix("light_").removesuffix(".onnx")
        if not file.endswith(".onnx") or (names and name not in names):
            continue
        model = reseed(os.path.join(LIGHT, file))
        onnx.save(model, os.path.join(folder, f"{name}.onnx"))
        print(name, file=sys.stderr)


if __name__ == "__main__":
    main()
