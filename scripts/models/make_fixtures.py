#!/usr/bin/env python3
"""Make the small models of Tests/InferenceTests/Fixtures.

operators/NAME.onnx   one operator each (or a few), with inputs and ONNX Runtime's outputs inside,
                      as constants named `test:input:NAME` and `test:output:NAME` that no node uses
hostile/NAME.onnx     models that must be refused in one line

Usage: make_fixtures.py FOLDER
"""
import os
import sys

import layer_cases
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, NotImplemented

RNG = np.random.default_rng(3)
F, I32, I64, B, U8 = (
    TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT8)


def floats(*shape: int, low: float = -2, high: float = 2) -> np.ndarray:
    return RNG.uniform(low, high, shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def node(kind: str, inputs: list, outputs: list, **attributes):
    return helper.make_node(kind, inputs, outputs, name=f"the {kind}", **attributes)


def build(nodes: list, inputs: dict, constants: dict, outputs: list, opset: int) -> onnx.ModelProto:
    def info(name: str, array):
        return helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

    graph = helper.make_graph(
        nodes, "case", [info(n, a) for n, a in inputs.items()],
        [helper.make_empty_tensor_value_info(n) for n in outputs],
        [numpy_helper.from_array(a, n) for n, a in constants.items()])
    domains = sorted({n.domain for n in nodes} - {""})
    return helper.make_model(
        graph, ir_version=8, opset_imports=[
            helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)])


CASES: dict = {}


def case(name: str, nodes, inputs: dict, constants: dict = {}, outputs=("y",), opset: int = 13):
    nodes = nodes if isinstance(nodes, list) else [nodes]
    CASES[name] = (nodes, inputs, constants, list(outputs), opset)


def elementwise() -> None:
    x = floats(2, 3, 5)
    for kind in ("Abs Ceil Cos Elu Erf Exp Floor HardSigmoid LeakyRelu Neg Relu Sigmoid Sin Tanh "
                 "Identity").split():
        case(kind.lower(), node(kind, ["x"], ["y"]), {"x": x})
    case("hardswish", node("HardSwish", ["x"], ["y"]), {"x": x}, opset=14)
    for kind in ("Log", "Sqrt", "Reciprocal"):
        case(kind.lower(), node(kind, ["x"], ["y"]), {"x": np.abs(x) + np.float32(0.1)})
    for kind in ("Add", "Sub", "Mul", "Div", "PRelu"):
        case(kind.lower(), node(kind, ["x", "b"], ["y"]), {"x": x}, {"b": floats(3, 1) + 3})
    for kind in ("Max", "Min", "Sum"):
        case(kind.lower(), node(kind, ["x", "b", "c"], ["y"]), {"x": x, "b": floats(5)},
             {"c": floats(3, 1)})
    case("four-axes", node("Add", ["x", "b"], ["y"]), {"x": floats(2, 3, 4, 5)},
         {"b": floats(2, 1, 4, 1)})
    case("power-whole", node("Pow", ["x", "b"], ["y"]), {"x": x}, {"b": np.float32(3)})
    case("power", node("Pow", ["x", "b"], ["y"]), {"x": np.abs(x)}, {"b": floats(5)})
    case("clip-6", node("Clip", ["x"], ["y"], min=-0.5, max=1.0), {"x": x}, opset=7)
    case("clip-13", node("Clip", ["x", "", "h"], ["y"]), {"x": x}, {"h": np.float32(0.5)})
    for kind in ("Equal", "Greater", "Less"):
        case(f"{kind.lower()}-int", node(kind, ["x", "b"], ["y"]),
             {"x": RNG.integers(0, 3, (2, 4)).astype(np.int32)}, {"b": np.array([0, 1, 2, 1], np.int32)})
    case("where", [node("Greater", ["x", "b"], ["c"]), node("Where", ["c", "x", "b"], ["y"])],
         {"x": x}, {"b": floats(3, 1)})
    case("logic", [node("Less", ["x", "z"], ["a"]), node("Not", ["a"], ["b"]),
                   node("Greater", ["x", "h"], ["c"]), node("And", ["b", "c"], ["d"]),
                   node("Or", ["d", "a"], ["e"]), node("Xor", ["e", "c"], ["y"])],
         {"x": x}, {"z": np.float32(0), "h": np.float32(1)})
    for to, name in ((I32, "int32"), (I64, "int64"), (B, "bool")):
        case(f"cast-{name}", node("Cast", ["x"], ["y"], to=to), {"x": x})
    case("cast-float", node("Cast", ["x"], ["y"], to=F),
         {"x": RNG.integers(-2**40, 2**40, (3, 4)).astype(np.int64)})
    case("integers", [node("Mul", ["x", "b"], ["a"]), node("Add", ["a", "x"], ["c"]),
                      node("Sub", ["c", "b"], ["y"])],
         {"x": RNG.integers(-2**31, 2**31, (3, 4)).astype(np.int64)}, {"b": ints(3, -7, 2**40, 1)})


def moves() -> None:
    x = floats(2, 3, 4)
    case("transpose", node("Transpose", ["x"], ["y"], perm=[2, 0, 1]), {"x": x})
    case("transpose-5", node("Transpose", ["x"], ["y"], perm=[4, 2, 0, 3, 1]),
         {"x": floats(2, 3, 2, 2, 3)})
    case("concat", node("Concat", ["x", "b", "x"], ["y"], axis=-2), {"x": x}, {"b": floats(2, 1, 4)})
    case("slice-1", node("Slice", ["x"], ["y"], starts=[1, -3], ends=[3, 9], axes=[1, 2]),
         {"x": x}, opset=9)
    case("slice-13", node("Slice", ["x", "s", "e", "a", "t"], ["y"]), {"x": x},
         {"s": ints(-1, 0), "e": ints(-100, 100), "a": ints(2, 1), "t": ints(-2, 2)})
    case("split-2", node("Split", ["x"], ["y", "z"], axis=2, split=[1, 3]), {"x": x},
         outputs=("y", "z"), opset=11)
    case("split-13", node("Split", ["x", "s"], ["y", "z"], axis=1), {"x": x}, {"s": ints(2, 1)},
         outputs=("y", "z"))
    case("expand", node("Expand", ["x", "s"], ["y"]), {"x": floats(3, 1)}, {"s": ints(2, 1, 4)})
    case("gather", node("Gather", ["x", "i"], ["y"], axis=1), {"x": x}, {"i": ints(2, -3, 0, 1)})
    case("gather-data", node("Gather", ["t", "x"], ["y"]),
         {"x": RNG.integers(-5, 5, (2, 3)).astype(np.int32)}, {"t": floats(5, 4)})
    case("pad-2", node("Pad", ["x"], ["y"], pads=[0, 1, 2, 0, 0, 1], value=0.5), {"x": x}, opset=9)
    case("pad-13", node("Pad", ["x", "p", "v"], ["y"]), {"x": x},
         {"p": ints(1, 0, 0, 0, 2, 1), "v": np.float32(-1)})
    case("reshape", [node("Reshape", ["x", "s"], ["a"]), node("Flatten", ["a"], ["b"], axis=2),
                     node("Unsqueeze", ["b", "u"], ["c"]), node("Squeeze", ["c", "u"], ["y"])],
         {"x": x}, {"s": ints(0, 2, -1, 2), "u": ints(0, -1)})
    case("shape-arithmetic",
         [node("Shape", ["x"], ["s"]), node("Slice", ["s", "b", "e"], ["h"]),
          node("Concat", ["h", "m"], ["t"], axis=0), node("Reshape", ["x", "t"], ["y"])],
         {"x": x}, {"b": ints(0), "e": ints(1), "m": ints(-1)})
    case("constant-of-shape",
         [node("ConstantOfShape", ["s"], ["c"], value=numpy_helper.from_array(np.array([2.5], np.float32))),
          node("Mul", ["x", "c"], ["y"])], {"x": x}, {"s": ints(3, 1)})
    case("dropout", node("Dropout", ["x"], ["y"]), {"x": x})


def sums() -> None:
    x = floats(2, 3, 37)
    for kind in ("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd"):
        case(kind.lower(), node(kind, ["x"], ["y"], axes=[1], keepdims=0), {"x": x})
    case("reducesum-all", node("ReduceSum", ["x"], ["y"]), {"x": x})
    case("reducesum-apart", node("ReduceSum", ["x", "a"], ["y"]), {"x": x}, {"a": ints(0, -1)})
    case("reducemean-18", node("ReduceMean", ["x", "a"], ["y"]), {"x": x}, {"a": ints(2)}, opset=18)
    case("argmax", node("ArgMax", ["x"], ["y"], axis=2, keepdims=0), {"x": x})
    case("argmin", node("ArgMin", ["x"], ["y"], axis=1), {"x": np.rint(x)})
    case("softmax-11", node("Softmax", ["x"], ["y"], axis=1), {"x": x}, opset=11)
    case("softmax-13", node("Softmax", ["x"], ["y"], axis=1), {"x": x * 20})
    case("logsoftmax", node("LogSoftmax", ["x"], ["y"]), {"x": x})
    case("globalaveragepool", node("GlobalAveragePool", ["x"], ["y"]), {"x": floats(2, 3, 5, 7)})
    case("globalmaxpool", node("GlobalMaxPool", ["x"], ["y"]), {"x": floats(2, 3, 5, 7)})
    case("lrn", node("LRN", ["x"], ["y"], size=5, alpha=0.3, beta=0.6, bias=1.5), {"x": floats(2, 7, 3, 3)})
    plane = floats(2, 3, 7, 9)
    case("maxpool", node("MaxPool", ["x"], ["y"], kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 0, 1]),
         {"x": plane})
    case("maxpool-up", node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1,
                            dilations=[1, 2]), {"x": plane})
    case("maxpool-line", node("MaxPool", ["x"], ["y"], kernel_shape=[4], strides=[3]), {"x": x})
    case("averagepool", node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2],
                             pads=[1, 1, 1, 1]), {"x": plane})
    case("averagepool-padding", node("AveragePool", ["x"], ["y"], kernel_shape=[4, 3], strides=[2, 1],
                                     pads=[2, 1, 0, 1], count_include_pad=1), {"x": plane})
    case("averagepool-same", node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2],
                                  auto_pad="SAME_LOWER"), {"x": plane})


def products() -> None:
    x = floats(2, 4, 7, 9)
    case("conv", node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1]), {"x": x},
         {"w": floats(5, 4, 3, 3), "b": floats(5)})
    case("conv-strides", node("Conv", ["x", "w"], ["y"], strides=[2, 3], dilations=[2, 1],
                              pads=[0, 2, 3, 1]), {"x": x}, {"w": floats(3, 4, 2, 3)})
    case("conv-groups", node("Conv", ["x", "w", "b"], ["y"], group=2), {"x": x},
         {"w": floats(6, 2, 2, 2), "b": floats(6)})
    case("conv-depthwise", node("Conv", ["x", "w"], ["y"], group=4, auto_pad="SAME_UPPER",
                                strides=[2, 2]), {"x": x}, {"w": floats(8, 1, 3, 3)})
    case("conv-line", node("Conv", ["x", "w"], ["y"], pads=[2, 1]), {"x": floats(2, 3, 11)},
         {"w": floats(4, 3, 5)})
    case("conv-deep", node("Conv", ["x", "w"], ["y"]), {"x": floats(1, 40, 4, 4)},
         {"w": floats(2, 40, 3, 3, low=-0.2, high=0.2)})
    bn = {"s": floats(5), "o": floats(5), "m": floats(5), "v": floats(5, low=0.5, high=2)}
    case("conv-bn-relu", [node("Conv", ["x", "w"], ["a"]),
                          node("BatchNormalization", ["a", "s", "o", "m", "v"], ["b"], epsilon=1e-3),
                          node("Relu", ["b"], ["y"])], {"x": x}, {"w": floats(5, 4, 1, 1), **bn})
    case("bn", node("BatchNormalization", ["x", "s", "o", "m", "v"], ["y"]), {"x": floats(2, 5, 3)}, bn)
    a = floats(4, 6)
    case("gemm", node("Gemm", ["x", "w", "b"], ["y"], transB=1), {"x": a}, {"w": floats(5, 6), "b": floats(5)})
    case("gemm-scaled", node("Gemm", ["x", "w", "b"], ["y"], transA=1, alpha=0.5, beta=2.0), {"x": a},
         {"w": floats(4, 3), "b": floats(6, 1)})
    case("matmul", node("MatMul", ["x", "w"], ["y"]), {"x": floats(2, 3, 300)},
         {"w": floats(300, 5, low=-0.3, high=0.3)})
    case("matmul-batch", node("MatMul", ["x", "z"], ["y"]), {"x": floats(2, 1, 3, 4), "z": floats(3, 4, 2)})
    case("matmul-vector", node("MatMul", ["w", "x"], ["y"]), {"x": floats(4)}, {"w": floats(3, 4)})


def others() -> None:
    case("globallppool", node("GlobalLpPool", ["x"], ["y"], p=3), {"x": floats(2, 3, 5, 7)})
    case("maxroipool", node("MaxRoiPool", ["x", "rois"], ["y"], pooled_shape=[2, 3],
                            spatial_scale=0.5),
         {"x": floats(2, 3, 8, 9)},
         {"rois": np.array([[0, 1, 2, 9, 12], [1, 0, 0, 16, 14]], np.float32)})
    for name, size in (("affinegrid-one", ints(1, 1, 1, 3)), ("affinegrid-point", ints(1, 1, 1, 4, 1))):
        rank = size.size - 2
        case(name, node("AffineGrid", ["t", "s"], ["y"], align_corners=1),
             {"t": np.eye(rank, rank + 1, dtype=np.float32)[None] + np.float32(0.25)}, {"s": size},
             opset=20)
    case("dynamicquantize-zeros", node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"]),
         {"x": np.zeros((2, 3), np.float32)}, outputs=("y", "s", "z"))
    case("mish", node("Mish", ["x"], ["y"]), {"x": floats(40, low=-30, high=30)}, opset=18)


# Where ONNX Runtime parts from onnx's reference, and that is followed here.
BY_REFERENCE = ("affinegrid-one", "affinegrid-point", "dynamicquantize-zeros")


def answers(name: str, model: onnx.ModelProto, outputs: list, inputs: dict) -> list:
    """ONNX Runtime's, or those of onnx's reference for operators that it does not have."""
    if name in BY_REFERENCE:
        return ReferenceEvaluator(model).run(outputs, inputs)
    content = model.SerializeToString()
    try:
        session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
        return session.run(outputs, inputs)
    except (NotImplemented, InvalidGraph, Fail):
        return ReferenceEvaluator(model).run(outputs, inputs)


def write_operators(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    for name, (nodes, inputs, constants, outputs, opset) in CASES.items():
        model = build(nodes, inputs, constants, outputs, opset)
        for output, value in zip(outputs, answers(name, model, outputs, inputs)):
            model.graph.initializer.append(numpy_helper.from_array(value, f"test:output:{output}"))
        for key, value in inputs.items():
            model.graph.initializer.append(numpy_helper.from_array(value, f"test:input:{key}"))
        onnx.save(model, os.path.join(folder, f"{name}.onnx"))


def write_hostile(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    x = {"x": floats(1, 4)}

    def write(name: str, nodes: list, constants: dict = {}, outputs=("y",), opset: int = 13, edit=None):
        model = build(nodes, x, constants, list(outputs), opset)
        if edit:
            edit(model)
        onnx.save(model, os.path.join(folder, f"{name}.onnx"))

    relu = [node("Relu", ["x"], ["y"])]
    write("cycle", [node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["x"], ["y"])])
    write("output-twice", [node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])])
    write("missing-initializer", [node("Add", ["x", "w"], ["y"])])
    write("no-output", relu, outputs=("z",))
    write("unknown-operator", [node("Mystery", ["x"], ["y"])])
    write("old-opset", relu, opset=5)
    write("wrong-count", [helper.make_node("Relu", ["x", "x"], ["y"], name="two")])

    def domain(model):
        model.graph.node[0].domain = "com.example"
    write("domain", relu, edit=domain)

    def initializer(dims, **fields):
        def edit(model):
            tensor = model.graph.initializer.add(name="w", data_type=F)
            tensor.dims.extend(dims)
            for key, value in fields.items():
                setattr(tensor, key, value)
        return edit
    add = [node("Add", ["x", "w"], ["y"])]
    write("negative-axis", add, edit=initializer([-1, 4], raw_data=b"\0" * 16))
    write("huge-axes", add, edit=initializer([2**40, 2**40], raw_data=b"\0" * 16))
    write("short-data", add, edit=initializer([4], raw_data=b"\0" * 12))
    write("nine-axes", add, edit=initializer([1] * 9, raw_data=b"\0" * 4))

    def external(model):
        initializer([4])(model)
        tensor = model.graph.initializer[0]
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../etc/passwd")
    write("external", add, edit=external)

    def same_name(model):
        for _ in range(2):
            initializer([4], raw_data=b"\0" * 16)(model)
    write("initializer-twice", add, edit=same_name)
    write("not-finite", [node("MatMul", ["x", "w"], ["y"])],
          {"w": np.array([[1], [np.inf], [0], [0]], np.float32)})
    write("gigabytes", [node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])],
          {"s": ints(2**15, 2**15, 1)})
    write("doubling", [node("Concat", [f"c{i}" if i else "w"] * 2, [f"c{i + 1}"], axis=0) for i in range(40)]
          + [node("Add", ["x", "c40"], ["y"])], {"w": floats(4)})
    write("broadcast", add, {"w": floats(3)})
    write("reshape", [node("Reshape", ["x", "w"], ["y"])], {"w": ints(3, -1)})
    write("far-axis", [node("Softmax", ["x"], ["y"], axis=2**62)])
    write("wide-window", [node("Unsqueeze", ["x", "a"], ["b"]),
                          node("MaxPool", ["b"], ["y"], kernel_shape=[2**40])], {"a": ints(0)})
    write("big-pads", [node("Unsqueeze", ["x", "a"], ["b"]),
                       node("MaxPool", ["b"], ["y"], kernel_shape=[2], pads=[2**62, 2**62])], {"a": ints(0)})
    write("slice-limits", [node("Slice", ["x", "s", "e", "a", "t"], ["y"])],
          {"s": ints(-2**63), "e": ints(2**63 - 1), "a": ints(1), "t": ints(-2**63)})

    def subgraph(model):
        inner = helper.make_node("Relu", ["nowhere"], ["z"], name="inner")
        graph = helper.make_graph(
            [inner], "branch", [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])])
        node = helper.make_node("If", ["x"], ["y"], name="the if", then_branch=graph,
                                else_branch=graph)
        model.graph.node[0].CopyFrom(node)
    write("subgraph", relu, edit=subgraph)
    with open(os.path.join(folder, "truncated.onnx"), "wb") as out:
        out.write(build(relu, x, {"w": floats(9)}, ["y"], 13).SerializeToString()[:-7])
    zeros = np.zeros((1, 8, 2), np.float32)
    write("cell-sizes", [node("Unsqueeze", ["x", "a"], ["b"]), node("LSTM", ["b", "w", "r"], ["y"])],
          {"a": ints(0), "w": zeros, "r": zeros})
    write("equation", [node("Einsum", ["x"], ["y"], equation="ij->k")])
    write("heads", [node("Unsqueeze", ["x", "a"], ["b"]),
                    node("Attention", ["b", "b", "b"], ["y"], q_num_heads=3, kv_num_heads=2)],
          {"a": ints(0)}, opset=23)
    write("host-elements", [node("Expand", ["x", "r"], ["e"]), node("NonZero", ["e"], ["y"])],
          {"r": ints(1 << 25, 4)})
    write("targets", [node("NegativeLogLikelihoodLoss", ["x", "t"], ["y"])], {"t": ints(1, 2)})
    scalar = np.float32(1)
    write("scalar-slice", [*relu, node("Slice", ["s", "b", "e"], ["z"])],
          {"s": scalar, "b": ints(0), "e": ints(1)}, ("y", "z"))
    write("scalar-split", [*relu, node("Split", ["s"], ["z"])], {"s": scalar}, ("y", "z"))
    write("scalar-squeeze", [*relu, node("Squeeze", ["s", "b"], ["z"])],
          {"s": scalar, "b": ints(0)}, ("y", "z"))
    write("scalar-weights", [node("Unsqueeze", ["x", "b"], ["u"]),
                             node("Conv", ["u", "s"], ["y"])], {"s": scalar, "b": ints(0)})
    write("regions-of-nothing", [*relu, node("RoiAlign", ["p", "r", "i"], ["z"])],
          {"p": np.zeros((1, 1, 0, 4), np.float32), "r": np.zeros((2, 4), np.float32),
           "i": ints(0, 0)}, ("y", "z"), opset=16)
    write("frames-of-nothing", [*relu, node("STFT", ["s", "t", "", "l"], ["z"])],
          {"s": np.zeros((1, 0, 1), np.float32), "t": np.int64(1), "l": np.int64(4)}, ("y", "z"),
          opset=17)


def main() -> None:
    for group in (elementwise, moves, sums, products, others):
        group()
    # They draw numbers of their own.
    CASES.update(layer_cases.cases())
    write_operators(os.path.join(sys.argv[1], "operators"))
    write_hostile(os.path.join(sys.argv[1], "hostile"))


if __name__ == "__main__":
    main()
