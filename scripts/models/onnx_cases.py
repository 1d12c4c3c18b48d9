#!/usr/bin/env python3
"""Write the node cases of onnx's back-end suite to a folder, for `rigor onnx-test`.

onnx's own `cmd_tools generate-data` writes no node cases since they left its repository as files.

Usage: onnx_cases.py FOLDER
Each case is FOLDER/NAME with model.onnx and test_data_set_N/input_N.pb, output_N.pb.
"""
import json
import os
import shutil
import sys
import warnings

from onnx import ModelProto, TensorProto, ValueInfoProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.case.test_case import TestCase

# What `rigor onnx-test` takes without a tolerance.json.
TOLERANCE = {"rtol": 1e-3, "atol": 1e-7}


def message(value, info: ValueInfoProto):
    """A value as the protocol buffer that its type in the graph wants."""
    kind = info.type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name)
    if kind != "tensor_type":
        raise ValueError(f"{info.name}: {kind}: a tensor, sequence or optional expected")
    return value if isinstance(value, TensorProto) else numpy_helper.from_array(value, info.name)


def write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def write_case(case: TestCase, folder: str) -> None:
    model: ModelProto = case.model
    os.makedirs(folder)
    write(os.path.join(folder, "model.onnx"), model.SerializeToString())
    tolerance = {"rtol": case.rtol, "atol": case.atol}
    if tolerance != TOLERANCE:
        write(os.path.join(folder, "tolerance.json"), json.dumps(tolerance).encode())
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = os.path.join(folder, f"test_data_set_{number}")
        os.makedirs(data)
        for name, values, infos in (
            ("input", inputs, model.graph.input),
            ("output", outputs, model.graph.output),
        ):
            for index, (value, info) in enumerate(zip(values, infos, strict=True)):
                content = message(value, info).SerializeToString()
                write(os.path.join(data, f"{name}_{index}.pb"), content)


def collect() -> list[TestCase]:
    with warnings.catch_warnings():
        # Cases of overflow and of division by zero mean what they do.
        warnings.simplefilter("ignore")
        return sorted(collect_testcases(), key=lambda case: case.name)


def generate(folder: str) -> list[TestCase]:
    """Writes all cases in place of what the folder held, and gives them sorted by name."""
    cases = collect()
    shutil.rmtree(folder, ignore_errors=True)
    for case in cases:
        write_case(case, os.path.join(folder, case.name))
    return cases


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"{len(generate(sys.argv[1]))} cases in {sys.argv[1]}")
