#!/usr/bin/env python3
"""Choose small cases of onnx's back-end suite, one or two an operator, as fixtures.

suite/CASE.onnx   the case's model, with its inputs and expected outputs inside, as constants named
                  `test:input:NAME` and `test:output:NAME` that no node uses

Only tensors are kept: cases with sequences or optionals for inputs or outputs are left to the whole
suite (make onnx-report). Usage: make_suite_fixtures.py FOLDER [OPERATORS_OF_OTHER_FIXTURES]
"""
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

BYTES_MAX = 16384
CASES_EACH = 2
# Drawn from NumPy's generator, or of types without numbers.
SKIPPED = ("bernoulli", "random", "string", "training", "regex", "image_decoder")


def tensor(value, name: str) -> onnx.TensorProto:
    if isinstance(value, onnx.TensorProto):
        copy = onnx.TensorProto()
        copy.CopyFrom(value)
        copy.name = name
        return copy
    return numpy_helper.from_array(np.asarray(value), name)


def fixture(case) -> onnx.ModelProto | None:
    graph = case.model.graph
    inputs, outputs = case.data_sets[0]
    ports = list(graph.input) + list(graph.output)
    if not all(port.type.HasField("tensor_type") for port in ports):
        return None
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    pairs = list(zip(graph.input, inputs)) + list(zip(graph.output, outputs))
    if len(pairs) != len(ports):
        return None
    for index, (port, value) in enumerate(pairs):
        kind = "input" if index < len(inputs) else "output"
        model.graph.initializer.append(tensor(value, f"test:{kind}:{port.name}"))
    model.doc_string = ""
    return model if model.ByteSize() <= BYTES_MAX else None


def operators(graph: onnx.GraphProto) -> set[str]:
    found = set()
    for node in graph.node:
        found.add(f"{node.domain}.{node.op_type}" if node.domain else node.op_type)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                found |= operators(attribute.g)
    return found


def main() -> None:
    folder = os.path.join(sys.argv[1], "suite")
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        os.remove(os.path.join(folder, old))
    candidates = []
    for case in collect_testcases():
        if any(word in case.name for word in SKIPPED):
            continue
        model = fixture(case)
        if model is not None:
            candidates.append((model.ByteSize(), case.name, model))
    count: dict[str, int] = {}
    for _, name, model in sorted(candidates, key=lambda entry: entry[:2]):
        if "expanded" in name:
            continue
        needed = [o for o in operators(model.graph) if count.get(o, 0) < CASES_EACH]
        if not needed:
            continue
        for operator in operators(model.graph):
            count[operator] = count.get(operator, 0) + 1
        onnx.save(model, os.path.join(folder, name.removeprefix("test_") + ".onnx"))


if __name__ == "__main__":
    main()
