#!/usr/bin/env python3
"""Quantises a network of convolutions with ONNX Runtime's tools: statically as operators on
integers (QLinearConv), and dynamically (ConvInteger). Inputs for the ranges are random.

Usage: quantize.py MODEL.onnx FOLDER     writes FOLDER/NAME-static.onnx and FOLDER/NAME-dynamic.onnx
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime import quantization as q


class Random(q.CalibrationDataReader):
    """A few batches of numbers as the inputs have them."""

    def __init__(self, path: str):
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        rng = np.random.default_rng(0)
        shapes = {i.name: [d if isinstance(d, int) and d > 0 else 1 for d in i.shape]
                  for i in session.get_inputs() if i.type == "tensor(float)"}
        self.batches = iter([{n: rng.standard_normal(s).astype(np.float32)
                              for n, s in shapes.items()} for _ in range(4)])

    def get_next(self):
        return next(self.batches, None)


def main() -> None:
    path, folder = sys.argv[1:3]
    name = os.path.basename(path).removesuffix(".onnx")
    model = onnx.load(path)
    # The tools ask for opset 10; the networks' operators are the same in 11.
    for opset in model.opset_import:
        if not opset.domain:
            opset.version = max(opset.version, 11)
    model.ir_version = max(model.ir_version, 7)
    path = f"{folder}/{name}-float.onnx"
    onnx.save(model, path)
    q.quantize_static(path, f"{folder}/{name}-static.onnx", Random(path),
                      quant_format=q.QuantFormat.QOperator, per_channel=True,
                      op_types_to_quantize=["Conv", "MatMul"])
    q.quantize_dynamic(path, f"{folder}/{name}-dynamic.onnx",
                       op_types_to_quantize=["Conv", "MatMul"])


if __name__ == "__main__":
    main()
