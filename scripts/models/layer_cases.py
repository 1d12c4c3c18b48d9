"""Cases of make_fixtures.py for the layers of sequence models: normalisation, attention,
recurrence, losses and contractions."""
import numpy as np
from onnx import TensorProto, helper

RNG = np.random.default_rng(5)
RUNTIME = "com.microsoft"
PREVIEW = "ai.onnx.preview"
CASES: dict = {}


def floats(*shape: int, low: float = -2, high: float = 2) -> np.ndarray:
    return RNG.uniform(low, high, shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def case(name: str, kind: str, inputs: dict, constants: dict = {}, order=None, outputs=("y",),
         opset: int = 17, domain: str = "", **attributes) -> None:
    """One node; its inputs are `order`, where that is not those given, in their order."""
    node = helper.make_node(
        kind, [*inputs, *constants] if order is None else list(order), list(outputs),
        name=f"the {kind}", domain=domain, **attributes)
    CASES[name] = ([node], inputs, constants, [o for o in outputs if o], opset)


def normalisation() -> None:
    x = floats(3, 4, 37)
    scale, bias = floats(37), floats(37)
    case("layernorm", "LayerNormalization", {"x": x}, {"s": scale, "b": bias},
         outputs=("y", "m", "d"))
    case("layernorm-plain", "LayerNormalization", {"x": x}, {"s": floats(4, 37)}, axis=1,
         epsilon=1e-2)
    case("layernorm-short", "LayerNormalization", {"x": floats(5, 7)}, {"s": floats(7)})
    case("rmsnorm", "RMSNormalization", {"x": x}, {"s": scale}, opset=23)
    case("simplified-layernorm", "SimplifiedLayerNormalization", {"x": x}, {"s": scale},
         outputs=("y", "d"), epsilon=1e-3)
    skip = floats(3, 4, 37)
    case("skip-layernorm", "SkipLayerNormalization", {"x": x, "k": skip},
         {"s": scale, "b": bias, "c": floats(37)}, outputs=("y", "", "", "t"), domain=RUNTIME)
    case("skip-simplified", "SkipSimplifiedLayerNormalization", {"x": x, "k": skip}, {"s": scale},
         outputs=("y", "", "", "t"), domain=RUNTIME)
    tokens = RNG.integers(0, 6, (2, 5)).astype(np.int32)
    case("embed-layernorm", "EmbedLayerNormalization",
         {"x": tokens, "g": (tokens % 2).astype(np.int32),
          "m": (tokens > 1).astype(np.int32)},
         {"w": floats(6, 8), "p": floats(7, 8), "t": floats(2, 8), "s": floats(8), "b": floats(8)},
         order="xgwptsbm", outputs=("y", "n"), domain=RUNTIME)
    planes = floats(2, 6, 5, 7)
    case("groupnorm-18", "GroupNormalization", {"x": planes}, {"s": floats(3), "b": floats(3)},
         num_groups=3, opset=18)
    case("groupnorm-21", "GroupNormalization", {"x": planes}, {"s": floats(6), "b": floats(6)},
         num_groups=2, opset=21)
    case("instancenorm", "InstanceNormalization", {"x": planes},
         {"s": floats(6), "b": floats(6)}, epsilon=1e-3)
    case("meanvariance", "MeanVarianceNormalization", {"x": planes})
    for p in (1, 2):
        case(f"lpnorm-{p}", "LpNormalization", {"x": planes}, axis=1, p=p)
    parameters = {"s": floats(6), "b": floats(6), "m": floats(6), "v": floats(6, low=0.1)}
    case("bn-computed", "BatchNormalization", {"x": planes, **parameters})
    case("bn-training", "BatchNormalization", {"x": planes}, parameters, training_mode=1,
         outputs=("y", "rm", "rv"), momentum=0.7)


def attention() -> None:
    q, k, v = floats(2, 4, 5, 8), floats(2, 2, 6, 8), floats(2, 2, 6, 10)
    case("attention", "Attention", {"q": q, "k": k, "v": v}, opset=23, is_causal=1, softcap=3.0)
    case("attention-mask", "Attention", {"q": q, "k": k, "v": v},
         {"m": RNG.integers(0, 2, (2, 1, 5, 6)).astype(bool)}, opset=23)
    case("attention-past", "Attention",
         {"q": floats(2, 3, 16), "k": floats(2, 3, 16), "v": floats(2, 3, 16), "m": floats(3, 7),
          "pk": floats(2, 2, 4, 8), "pv": floats(2, 2, 4, 8)},
         opset=23, q_num_heads=2, kv_num_heads=2, scale=0.4, outputs=("y", "nk", "nv"))
    angles = floats(9, 4)
    caches = {"c": np.cos(angles), "s": np.sin(angles)}
    places = RNG.integers(0, 9, (2, 5)).astype(np.int64)
    case("rotary", "RotaryEmbedding", {"x": floats(2, 3, 5, 8), "p": places}, caches, order="xcsp",
         opset=23)
    case("rotary-interleaved", "RotaryEmbedding", {"x": floats(2, 5, 30), "p": places}, caches,
         order="xcsp", opset=23, num_heads=3, interleaved=1, rotary_embedding_dim=8)
    case("rotary-runtime", "RotaryEmbedding", {"x": floats(2, 5, 24), "p": ints(3)}, caches,
         order="xpcs", domain=RUNTIME)
    case("multihead", "MultiHeadAttention",
         {"q": floats(2, 3, 16), "k": floats(2, 5, 16), "v": floats(2, 5, 16),
          "m": np.array([[1, 1, 0, 1, 0], [1] * 5], np.int32)}, {"b": floats(48)}, order="qkvbm",
         num_heads=4, domain=RUNTIME)
    case("multihead-past", "MultiHeadAttention",
         {"q": floats(1, 3, 16), "k": floats(1, 3, 16), "v": floats(1, 3, 16),
          "a": floats(1, 2, 3, 7), "pk": floats(1, 2, 4, 8), "pv": floats(1, 2, 4, 8)},
         order=("q", "k", "v", "", "", "a", "pk", "pv"), num_heads=2, unidirectional=1,
         outputs=("y", "nk", "nv"), domain=RUNTIME)
    case("attention-packed", "Attention", {"x": floats(2, 4, 12), "m": np.array([4, 2], np.int32)},
         {"w": floats(12, 36), "b": floats(36)}, order="xwbm", num_heads=3, domain=RUNTIME)
    case("attention-packed-past", "Attention", {"x": floats(2, 3, 8), "p": floats(2, 2, 2, 4, 4)},
         {"w": floats(8, 24), "b": floats(24)}, order=("x", "w", "b", "", "p"), num_heads=2,
         unidirectional=1, outputs=("y", "n"), domain=RUNTIME)
    # Twelve places of a cache, of which each item has filled some.
    angles = floats(12, 8)
    case("groupquery", "GroupQueryAttention",
         {"q": floats(2, 1, 64), "k": floats(2, 1, 32), "v": floats(2, 1, 32),
          "pk": floats(2, 2, 9, 16), "pv": floats(2, 2, 9, 16)},
         {"l": np.array([6, 8], np.int32), "t": np.array(9, np.int32), "c": np.cos(angles),
          "s": np.sin(angles)},
         order=("q", "k", "v", "pk", "pv", "l", "t", "c", "s"), num_heads=4, kv_num_heads=2,
         do_rotary=1, outputs=("y", "nk", "nv"), domain=RUNTIME)
    case("groupquery-prompt", "GroupQueryAttention",
         {"q": floats(1, 5, 32), "k": floats(1, 5, 16), "v": floats(1, 5, 16)},
         {"l": np.array([4], np.int32), "t": np.array(5, np.int32)},
         order=("q", "k", "v", "", "", "l", "t"), num_heads=4, kv_num_heads=2,
         local_window_size=2, outputs=("y", "nk", "nv"), domain=RUNTIME)
    case("tensorscatter", "TensorScatter",
         {"x": floats(2, 3, 7, 4), "u": floats(2, 3, 2, 4), "i": ints(6, 2)}, opset=24,
         mode="circular")
    case("linear-attention", "LinearAttention",
         {"q": floats(2, 3, 16), "k": floats(2, 3, 8), "v": floats(2, 3, 10),
          "s": floats(2, 2, 4, 5), "d": floats(2, 3, 8, high=0), "b": floats(2, 3, 2, low=0)},
         q_num_heads=4, kv_num_heads=2, outputs=("y", "n"), opset=27)
    case("causal-conv", "CausalConvWithState",
         {"x": floats(2, 3, 6), "p": floats(2, 3, 3)}, {"w": floats(3, 1, 4), "b": floats(3)},
         order="xwbp", activation="silu", outputs=("y", "n"), opset=27)
    case("swiglu", "SwiGLU", {"x": floats(3, 5), "b": floats(3, 5)}, alpha=1.5, opset=28)
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [2, 4, 5, 6])
    bent = helper.make_tensor_value_info("bent", TensorProto.FLOAT, [2, 4, 5, 6])
    graph = helper.make_graph(
        [helper.make_node("Tanh", ["scores"], ["bent"])], "score", [scores], [bent])
    case("flex-attention", "FlexAttention", {"q": q, "k": k, "v": v}, opset=24, domain=PREVIEW,
         score_mod=graph)


def recurrence() -> None:
    x = floats(5, 3, 4)
    lengths = np.array([5, 2, 3], np.int32)

    def weights(gates: int, directions: int, hidden: int = 6) -> dict:
        return {"w": floats(directions, gates * hidden, 4, low=-1, high=1),
                "r": floats(directions, gates * hidden, hidden, low=-1, high=1),
                "b": floats(directions, 2 * gates * hidden)}

    case("lstm", "LSTM", {"x": x}, weights(4, 1), hidden_size=6, outputs=("y", "h", "c"))
    case("lstm-both", "LSTM", {"x": x, "h0": floats(2, 3, 6), "c0": floats(2, 3, 6)},
         {**weights(4, 2), "l": lengths, "p": floats(2, 18)}, order=("x", "w", "r", "b", "l", "h0", "c0", "p"),
         hidden_size=6, direction="bidirectional", clip=1.5, outputs=("y", "h", "c"))
    case("lstm-reverse", "LSTM", {"x": x}, weights(4, 1), hidden_size=6, direction="reverse",
         activations=["HardSigmoid", "Softsign", "ScaledTanh"], activation_alpha=[0.3, 0.8],
         activation_beta=[0.4, 1.2], input_forget=1, outputs=("y", "h", "c"))
    case("gru", "GRU", {"x": x}, weights(3, 1), hidden_size=6, outputs=("y", "h"))
    case("gru-both", "GRU", {"x": x, "h0": floats(2, 3, 6)}, {**weights(3, 2), "l": lengths},
         order=("x", "w", "r", "b", "l", "h0"), hidden_size=6, direction="bidirectional",
         linear_before_reset=1, outputs=("y", "h"))
    case("rnn", "RNN", {"x": x}, weights(1, 2), hidden_size=6, direction="bidirectional",
         activations=["Relu", "Elu"], outputs=("y", "h"))


def losses() -> None:
    logits, targets = floats(3, 5, 4), RNG.integers(0, 5, (3, 4)).astype(np.int64)
    case("nll", "NegativeLogLikelihoodLoss", {"x": logits, "t": targets}, {"w": floats(5, low=0.1)},
         ignore_index=2)
    case("nll-none", "NegativeLogLikelihoodLoss", {"x": logits, "t": targets}, reduction="none")
    case("crossentropy", "SoftmaxCrossEntropyLoss", {"x": logits, "t": targets},
         outputs=("y", "p"), reduction="sum")
    case("hardmax", "Hardmax", {"x": np.round(logits)}, axis=1)
    case("hardmax-11", "Hardmax", {"x": np.round(logits)}, opset=11)


def contractions() -> None:
    a, b = floats(2, 3, 4), floats(2, 4, 5)
    case("einsum", "Einsum", {"x": a, "b": b}, equation="bij,bjk->kbi")
    case("einsum-dots", "Einsum", {"x": a, "b": floats(3, 4)}, equation="...ij,ij->i...")
    case("einsum-diagonal", "Einsum", {"x": floats(3, 4, 3)}, equation="iji")
    case("einsum-three", "Einsum", {"x": a, "b": b, "c": floats(5, 3)}, equation="bij,bjk,ki->ib")
    case("einsum-integers", "Einsum", {"x": RNG.integers(-9, 9, (2, 3)).astype(np.int64),
                                       "b": RNG.integers(-9, 9, (3, 4)).astype(np.int64)},
         equation="ij,jk")


def fusions() -> None:
    x = floats(3, 4, 6)
    case("runtime-gelu", "Gelu", {"x": x}, domain=RUNTIME)
    case("biasgelu", "BiasGelu", {"x": x}, {"b": floats(6)}, domain=RUNTIME)
    case("fastgelu", "FastGelu", {"x": x}, {"b": floats(6)}, domain=RUNTIME)
    case("quickgelu", "QuickGelu", {"x": x}, alpha=1.3, domain=RUNTIME)
    case("fusedmatmul", "FusedMatMul", {"x": x, "b": floats(3, 5, 4)}, transA=1, transB=1,
         alpha=0.5, domain=RUNTIME)
    case("fusedgemm", "FusedGemm", {"x": floats(3, 4)}, {"w": floats(5, 4), "b": floats(5)},
         transB=1, activation="LeakyRelu", activation_alpha=0.2, domain=RUNTIME)
    planes = floats(1, 3, 5, 5)
    case("fusedconv", "FusedConv", {"x": planes}, {"w": floats(4, 3, 3, 3), "b": floats(4)},
         activation="Relu", domain=RUNTIME)
    case("fusedconv-sum", "FusedConv", {"x": planes, "z": floats(1, 4, 3, 3)},
         {"w": floats(4, 3, 3, 3), "b": floats(4)}, order="xwbz", activation="Relu",
         domain=RUNTIME)


def wide_recurrence() -> None:
    """Layers of more hidden units than a vector, a block of a sum, or a work-item takes. Their
    matrices are computed from little."""
    def matrix(directions: int, rows: int, columns: int) -> tuple[list, dict]:
        count = directions * rows * columns
        nodes = [helper.make_node("Range", ["from", "to", "by"], ["range"]),
                 helper.make_node("Sin", ["range"], ["waves"]),
                 helper.make_node("Mul", ["waves", "size"], ["small"]),
                 helper.make_node("Reshape", ["small", "shape"], ["r"])]
        return nodes, {"from": np.float32(0), "to": np.float32(count * 0.75),
                       "by": np.float32(0.75), "size": np.float32(2 / columns ** 0.5),
                       "shape": ints(directions, rows, columns)}

    for name, kind, gates, hidden, time, batch, both, options in (
            ("lstm-wide", "LSTM", 4, 40, 10, 2, True, {}),
            ("lstm-long", "LSTM", 4, 264, 3, 1, False, {}),
            ("gru-wide", "GRU", 3, 40, 9, 1, False, {"linear_before_reset": 1}),
            ("rnn-long", "RNN", 1, 264, 9, 1, True, {})):
        directions = 2 if both else 1
        nodes, constants = matrix(directions, gates * hidden, hidden)
        outputs = ["y", "h", "c"] if kind == "LSTM" else ["y", "h"]
        nodes.append(helper.make_node(
            kind, ["x", "w", "r", "b"], outputs, name=f"the {kind}", hidden_size=hidden,
            direction="bidirectional" if both else "forward", **options))
        constants["w"] = floats(directions, gates * hidden, 1, low=-1, high=1)
        constants["b"] = floats(directions, 2 * gates * hidden, low=-1, high=1)
        CASES[name] = (nodes, {"x": floats(time, batch, 1)}, constants, outputs, 17)


def picks() -> None:
    """Products with ones where numbers are equal: `y` compares with constants, `z` does not."""
    table = floats(300, 6)
    table[3], table[299, 0] = -0.0, -0.0
    nodes = []
    for count, out in (("n", "y"), ("m", "z")):
        nodes += [helper.make_node("Expand", ["x", "shape"], [f"e{out}"]),
                  helper.make_node("Equal", [f"e{out}", count], [f"q{out}"]),
                  helper.make_node("Cast", [f"q{out}"], [f"f{out}"], to=TensorProto.FLOAT),
                  helper.make_node("MatMul", [f"f{out}", "w"], [out])]
    numbers = np.arange(300, dtype=np.int32)
    x = np.array([[[0], [3], [299], [300]], [[-1], [-300], [-301], [2**31 - 1]]], np.int32)
    CASES["matmul-picks"] = (nodes, {"x": x, "m": numbers},
                             {"n": numbers, "w": table, "shape": ints(2, 4, 300)}, ["y", "z"], 17)


def integer_products() -> None:
    def numbers(kind, *shape: int) -> np.ndarray:
        limits = np.iinfo(kind)
        return RNG.integers(limits.min, limits.max + 1, shape).astype(kind)

    u, i = np.uint8, np.int8
    for name, a, b, za, zb in (
            ("columns", numbers(u, 2, 5, 37), numbers(i, 37, 9), numbers(u, 1)[0], numbers(i, 9)),
            ("signed", numbers(i, 9, 300), numbers(i, 300, 40), numbers(i, 1)[0], numbers(i, 1)[0]),
            ("batch", numbers(u, 2, 3, 4, 7), numbers(u, 3, 7, 33), numbers(u, 1)[0],
             numbers(u, 1)[0])):
        case(f"matmulinteger-{name}", "MatMulInteger", {"a": a}, {"b": b, "za": za, "zb": zb})
    case("matmulinteger-plain", "MatMulInteger", {"a": numbers(u, 1, 8), "b": numbers(u, 8, 5)})


def networks() -> None:
    """Layers as exporters write them, whose sums with constants follow the products."""
    def node(kind: str, inputs: str, output: str, **attributes):
        return helper.make_node(kind, inputs.split(), [output], **attributes)

    constants = {"w1": floats(48, 16, 3, 3, low=-1, high=1), "b1": floats(1, 48, 1, 1),
                 "w2": floats(12, 48, 1, 1, low=-1, high=1), "b2": floats(12, 1, 1),
                 "w3": floats(48, 12, 1, 1, low=-1, high=1), "b3": floats(1, 48, 1, 1),
                 "w4": floats(48, 1, 5, 5, low=-1, high=1), "b4": floats(48),
                 "w5": floats(48, 48, 3, 3, low=-1, high=1), "b5": floats(48, 1, 1),
                 "three": np.float32([3]), "zero": np.float32(0), "six": np.float32(6)}
    nodes = [
        node("Conv", "x w1", "c1", pads=[1, 1, 1, 1]), node("Add", "c1 b1", "s1"),
        node("Relu", "s1", "a"), node("GlobalAveragePool", "a", "mean"),
        node("Conv", "mean w2", "c2"), node("Add", "b2 c2", "s2"), node("Relu", "s2", "r2"),
        node("Conv", "r2 w3", "c3"), node("Add", "c3 b3", "s3"),
        node("HardSigmoid", "s3", "gate", alpha=0.2, beta=0.5), node("Mul", "a gate", "scaled"),
        node("Conv", "scaled w4 b4", "c4", pads=[2, 2, 2, 2], group=48),
        node("Add", "c4 three", "s4"), node("Clip", "s4 zero six", "p4"),
        node("Mul", "c4 p4", "m4"), node("Div", "m4 six", "swish"),
        node("Add", "swish a", "sum"), node("Conv", "sum w5", "c5", strides=[2, 2]),
        node("Add", "c5 b5", "y")]
    CASES["squeeze-excite"] = (nodes, {"x": floats(2, 16, 15, 15)}, constants, ["y"], 13)
    constants = {"w": floats(37, 9), "b": floats(9), "v": floats(9, 5), "c": floats(1, 1, 5),
                 "u": floats(1, 2, 5, 3), "d": floats(3)}
    nodes = [node("MatMul", "x w", "p"), node("Add", "p b", "s"), node("Relu", "s", "r"),
             node("MatMul", "r v", "q"), node("Add", "c q", "t"),
             node("MatMul", "t u", "o"), node("Add", "o d", "y")]
    CASES["matmul-bias"] = (nodes, {"x": floats(2, 4, 37)}, constants, ["y", "q"], 13)


def residuals() -> None:
    """Convolutions of single places, to which another tensor is added."""
    def node(kind: str, inputs: str, output: str, **attributes):
        return helper.make_node(kind, inputs.split(), [output], **attributes)

    for name, items, channels, size, groups in (
            ("planes", 1, 20, 17, 1), ("lanes", 2, 72, 8, 1), ("groups", 1, 32, 13, 4),
            ("small", 2, 16, 7, 1)):
        shape = (channels, channels // groups, 1, 1)
        constants = {f"w{k}": floats(*shape, low=-1, high=1) for k in range(4)}
        constants |= {"b": floats(channels), "f": floats(1, channels, 1, 1),
                      "low": np.float32(-1), "high": np.float32(2)}
        nodes = [
            node("Conv", "x w0 b", "c0", group=groups), node("Add", "c0 x", "s0"),
            node("Relu", "s0", "r0"),
            node("Conv", "r0 w1", "c1", group=groups), node("Mul", "c1 f", "m1"),
            node("Add", "x m1", "s1"), node("Clip", "s1 low high", "r1"),
            node("Conv", "r1 w2 b", "c2", group=groups), node("Add", "c2 r0", "s2"),
            node("Conv", "s2 w3", "c3", group=groups), node("Add", "c3 c3", "twice"),
            node("Add", "twice r1", "y")]
        CASES[f"residual-{name}"] = (
            nodes, {"x": floats(items, channels, size, size)}, constants, ["y", "s2"], 13)


def concatenations() -> None:
    """Convolutions whose results are put beside each other, and one whose result is read again."""
    node = helper.make_node
    for name, items, axis, size in (("planes", 1, 1, 21), ("lanes", 1, 1, 9), ("items", 2, 0, 11)):
        channels = (24, 24, 24) if axis == 0 else (40, 12, 24)
        constants = {f"w{k}": floats(c, 24, *((3, 3) if k == 1 else (1, 1)), low=-1, high=1)
                     for k, c in enumerate(channels)}
        joined = sum(channels) + channels[2] if axis == 1 else 24
        constants |= {"v": floats(9, joined, 3, 3, low=-1, high=1),
                      "f": floats(1, channels[1], 1, 1), "b": floats(channels[0])}
        nodes = [
            node("Conv", ["x", "w0", "b"], ["c0"]), node("Relu", ["c0"], ["r0"]),
            node("Conv", ["x", "w1"], ["c1"], pads=[1, 1, 1, 1]), node("Mul", ["c1", "f"], ["m1"]),
            node("Conv", ["x", "w2"], ["c2"]),
            node("MaxPool", ["c2"], ["p"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            node("Concat", ["r0", "m1", "c2", "p"], ["both"], axis=axis),
            node("Conv", ["both", "v"], ["y"], pads=[1, 1, 1, 1])]
        CASES[f"concat-convolutions-{name}"] = (
            nodes, {"x": floats(items, 24, size, size)}, constants, ["y", "both"], 13)


def wide_padding() -> None:
    """Convolutions padded by more than their windows reach: some outputs see nothing but padding."""
    node = helper.make_node
    for name, items, channels, size, out, kernel, pads, groups in (
            ("place", 1, 8, (19, 8), 5, (1, 1), (1, 2, 2, 1), 1),
            ("column", 1, 51, (19, 4), 31, (7, 1), (2, 1, 0, 1), 1),
            ("far", 2, 8, (4, 4), 4, (1, 1), (5, 50, 50, 5), 1),
            ("depthwise", 1, 24, (9, 11), 24, (3, 1), (1, 3, 4, 2), 24),
            ("lanes", 1, 72, (7, 7), 40, (2, 2), (2, 3, 3, 2), 1)):
        constants = {"w": floats(out, channels // groups, *kernel, low=-1, high=1),
                     "b": floats(out)}
        CASES[f"conv-padded-{name}"] = (
            [node("Conv", ["x", "w", "b"], ["c"], pads=list(pads), group=groups),
             node("HardSwish", ["c"], ["y"])],
            {"x": floats(items, channels, *size)}, constants, ["y", "c"], 14)


def repeats() -> None:
    """Resizing by whole numbers, nearest: each element as often, along one axis or both."""
    for name, scales, size in (("twice", (2, 2), (5, 37)), ("wide", (1, 4), (3, 21)),
                               ("many", (3, 8), (4, 19)), ("odd", (5, 3), (3, 2))):
        case(f"resize-{name}", "Resize", {"x": floats(2, 3, *size)},
             {"s": np.array([1, 1, *scales], np.float32)}, ("x", "", "s"), opset=13,
             mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    for name, kind, size in (("depth-to-space", "DepthToSpace", (2, 12, 17, 9)),
                             ("space-to-depth", "SpaceToDepth", (1, 3, 34, 18))):
        case(name, kind, {"x": floats(*size)}, opset=13, blocksize=2)
    case("five-axes", "Transpose", {"x": floats(3, 4, 5, 6, 11)}, opset=13, perm=[3, 0, 2, 4, 1])


def turns() -> None:
    """A loop that asks for data at each of 300 turns: more than a session keeps the stages of."""
    node, info = helper.make_node, helper.make_tensor_value_info
    body = helper.make_graph(
        [node("MatMul", ["a", "w"], ["m"]), node("Tanh", ["m"], ["ao"]),
         node("ReduceMax", ["ao"], ["most"], keepdims=0), node("Less", ["most", "end"], ["co"])],
        "body", [info("i", TensorProto.INT64, []), info("ci", TensorProto.BOOL, []),
                 info("a", TensorProto.FLOAT, [2, 8])],
        [info("co", TensorProto.BOOL, []), info("ao", TensorProto.FLOAT, [2, 8])])
    CASES["loop-turns"] = (
        [node("Loop", ["count", "go", "x"], ["y"], body=body)], {"x": floats(2, 8)},
        {"count": np.int64(300), "go": np.array(True), "end": np.float32(2),
         "w": floats(8, 8, low=-0.4, high=0.4)}, ["y"], 17)


def scalars() -> None:
    """Numbers without axes stay so when they are quantised and back."""
    node = helper.make_node
    CASES["quantize-scalar"] = (
        [node("QuantizeLinear", ["x", "s", "z"], ["q"]),
         node("DequantizeLinear", ["q", "s", "z"], ["y"]),
         node("DynamicQuantizeLinear", ["x"], ["d", "ds", "dz"])],
        {"x": np.array(1.25, np.float32)},
        {"s": np.float32(0.5), "z": np.uint8(3)}, ["q", "y", "d", "ds", "dz"], 13)


def edges() -> None:
    """Numbers without axes, sums of nothing, loops without a count or a condition, and points beyond
    a picture's border."""
    node = helper.make_node
    CASES["fill-scalar"] = (
        [node("ConstantOfShape", ["none"], ["f"]), node("Shape", ["f"], ["rank"]),
         node("ReduceSum", ["x"], ["s"], keepdims=0), node("Dropout", ["s"], ["d", "mask"]),
         node("IsInf", ["s"], ["isinf"], detect_negative=0, detect_positive=0),
         node("Slice", ["x", "three", "three"], ["empty"]),
         node("ReduceProd", ["empty"], ["one"], keepdims=0), node("Mul", ["one", "f"], ["y"])],
        {"x": floats(3)}, {"none": ints(), "three": ints(3)},
        ["y", "one", "rank", "mask", "isinf"], 17)
    for name, kind, b in (("gemm-empty", np.float32, floats(2)),
                          ("gemm-empty-double", np.float64, floats(1, 2).astype(np.float64))):
        CASES[name] = (
            [node("Slice", ["x", "three", "three", "axis"], ["a"]),
             node("Gemm", ["a", "w", "b"], ["g"]), node("Relu", ["g"], ["y"])],
            {"x": floats(2, 3).astype(kind)},
            {"three": ints(3), "axis": ints(1), "w": np.zeros((0, 2), kind), "b": b}, ["y"], 17)
    for corners in (0, 1):
        case(f"gridsample-cubic-border-{corners}", "GridSample",
             {"x": floats(2, 2, 5, 4), "grid": floats(2, 3, 6, 2, low=-1.6, high=1.6)},
             mode="bicubic", padding_mode="border", align_corners=corners, opset=16)

    def value(name: str, kind: int, *shape: int):
        return helper.make_tensor_value_info(name, kind, shape)

    body = helper.make_graph(
        [node("Add", ["v", "v"], ["w"]), node("Less", ["i", "four"], ["goes"])], "turn",
        [value("i", TensorProto.INT64), value("c", TensorProto.BOOL),
         value("v", TensorProto.FLOAT, 3)],
        [value("goes", TensorProto.BOOL), value("w", TensorProto.FLOAT, 3)],
        [helper.make_tensor("four", TensorProto.INT64, [], [4])])
    for name, count, condition in (("count", "n", ""), ("condition", "", "yes")):
        CASES[f"loop-{name}"] = (
            [node("Loop", [count, condition, "x"], ["y"], body=body)], {"x": floats(3)},
            {"n": np.int64(3), "yes": np.bool_(True)}, ["y"], 17)


def integer_convolutions() -> None:
    """Several channels, strides, paddings, groups, signs and numbers of zero points."""
    def numbers(kind, *shape: int) -> np.ndarray:
        limits = np.iinfo(kind)
        return RNG.integers(limits.min, limits.max + 1, shape).astype(kind)

    u, i = np.uint8, np.int8
    case("convinteger-plain", "ConvInteger", {"x": numbers(u, 2, 3, 9, 21)},
         {"w": numbers(i, 5, 3, 3, 3)}, pads=[1, 1, 1, 1])
    case("convinteger-strided", "ConvInteger", {"x": numbers(u, 1, 9, 13, 40)},
         {"w": numbers(i, 17, 9, 3, 3), "zx": numbers(u, 1)[0], "zw": np.int8(0)},
         strides=[2, 2], pads=[1, 0, 1, 2])
    case("convinteger-groups", "ConvInteger", {"x": numbers(u, 2, 8, 6, 35)},
         {"w": numbers(u, 10, 4, 1, 1), "zx": numbers(u, 1)[0], "zw": numbers(u, 1)[0]}, group=2)
    case("convinteger-line", "ConvInteger", {"x": numbers(u, 1, 6, 50)},
         {"w": numbers(u, 9, 6, 5), "zx": numbers(u, 1)[0], "zw": numbers(u, 1)[0]},
         dilations=[2], pads=[4, 4])
    case("convinteger-channels", "ConvInteger", {"x": numbers(u, 1, 7, 5, 19)},
         {"w": numbers(i, 6, 7, 2, 3), "zx": numbers(u, 1)[0], "zw": numbers(i, 6)},
         pads=[0, 2, 1, 0])
    # Powers of two: products of scales are exact, in whichever order they are formed.
    scales = {"sx": np.float32(2**-5), "zx": numbers(u, 1)[0]}
    more = {"sw": np.exp2(RNG.integers(-9, -5, 40)).astype(np.float32), "zw": np.zeros(40, i),
            "sy": np.float32(2), "zy": numbers(u, 1)[0],
            "b": RNG.integers(-9999, 9999, 40).astype(np.int32)}
    case("qlinearconv-channels", "QLinearConv", {"x": numbers(u, 2, 64, 7, 7)},
         {**scales, "w": numbers(i, 40, 64, 3, 3), **more}, pads=[1, 1, 1, 1])
    case("qlinearconv-signed", "QLinearConv", {"x": numbers(i, 1, 5, 20, 18)},
         {"sx": np.float32(2**-4), "zx": numbers(i, 1)[0], "w": numbers(i, 12, 5, 2, 2),
          "sw": np.float32(0.25), "zw": np.int8(0), "sy": np.float32(4),
          "zy": numbers(i, 1)[0]}, strides=[2, 3])


def nothing() -> None:
    """Tensors that lose all elements of an axis to a slice, and what operators make of none."""
    def cut(name: str, kind: str, x: np.ndarray, along: int, constants: dict = {}, order="x",
            outputs=("y",), opset: int = 17, **attributes) -> None:
        nodes = [helper.make_node("Slice", ["x", "end", "end", "axis"], ["none"]),
                 helper.make_node(kind, ["none" if i == "x" else i for i in order], list(outputs),
                                  name=f"the {kind}", **attributes)]
        CASES[f"{name}-empty"] = (
            nodes, {"x": x},
            {"end": ints(x.shape[along]), "axis": ints(along), **constants},
            [o for o in outputs if o], opset)

    for kind in ("Softmax", "LogSoftmax", "Hardmax"):
        cut(kind.lower(), kind, floats(2, 3, 4), 1, axis=1)
    cut("dynamicquantize", "DynamicQuantizeLinear", floats(3), 0, outputs=("y", "s", "z"))
    cut("pad-edge", "Pad", floats(2, 3), 0, {"p": ints(0, 1, 0, 2)}, "xp", mode="edge")
    cut("gridsample", "GridSample", floats(2, 3, 4, 4), 1, {"g": floats(2, 3, 2, 2)}, "xg")
    cut("col2im", "Col2Im", floats(2, 5, 5), 0, {"i": ints(5, 5), "b": ints(1, 5)}, "xib",
        opset=18)
    cut("lppool", "LpPool", floats(2, 3, 6, 6), 0, kernel_shape=[2, 2], opset=18)
    cut("batchnorm", "BatchNormalization", floats(2, 3, 4), 2,
        {"s": floats(3), "b": floats(3), "m": floats(3), "v": floats(3, low=0.1)}, "xsbmv")
    cut("stft", "STFT", floats(2, 32, 1), 0, {"t": np.int64(8), "l": np.int64(16)},
        ("x", "t", "", "l"))
    # Without time steps states stay as they were; without items there are none. Others of these end
    # ONNX Runtime's process.
    for name, axis, kind, gates in (("lstm-time", 0, "LSTM", 4), ("rnn-time", 0, "RNN", 1),
                                    ("rnn-items", 1, "RNN", 1)):
        states = {"h": np.zeros((1, 2 - 2 * axis, 4), np.float32)}
        if kind == "LSTM":
            states["c"] = states["h"]
        cut(name, kind, floats(3, 2, 5), axis,
            {"w": floats(1, 4 * gates, 5), "r": floats(1, 4 * gates, 4), **states},
            ("x", "w", "r", "", "", *states), hidden_size=4, outputs=("y", "yh"))


def tiles() -> None:
    """Convolutions whose planes fall into segments in each way there is, with what may follow."""
    def node(kind: str, inputs: str, output: str, **attributes):
        return helper.make_node(kind, inputs.split(), [output], **attributes)

    # Height, width, channels, kernel, padding; then in turn what follows.
    rows = ((7, 7, 16, 3, 1), (14, 14, 20, 3, 1), (3, 7, 32, 3, 1), (5, 7, 16, 3, 1),
            (2, 7, 17, 3, 1), (1, 21, 16, 3, 1), (4, 28, 24, 1, 0), (7, 7, 16, 1, 0),
            (3, 35, 40, 3, 1), (28, 14, 16, 5, 2))
    places = ((13, 13, 16, 3, 1), (6, 5, 20, 3, 1), (5, 5, 16, 3, 1), (9, 4, 32, 3, 1),
              (3, 3, 16, 3, 1), (4, 8, 16, 1, 0), (13, 13, 24, 1, 0), (1, 29, 16, 3, 1),
              (6, 6, 33, 3, 1), (11, 17, 16, 3, 1))
    for name, sizes in (("rows", rows), ("places", places)):
        nodes, inputs, outputs = [], {}, []
        constants = {"low": np.float32(-1), "high": np.float32(2)}
        for n, (height, width, channels, kernel, padding) in enumerate(sizes):
            depth = 9 if kernel > 1 else 70
            inputs[f"x{n}"] = floats(1 + n % 2, depth, height, width)
            constants[f"w{n}"] = floats(channels, depth, kernel, kernel, low=-1, high=1)
            constants[f"b{n}"] = floats(channels)
            constants[f"f{n}"] = floats(1, channels, 1, 1)
            constants[f"a{n}"] = floats(1, channels, 1, 1)
            bias = f" b{n}" if n % 3 else ""
            nodes.append(node("Conv", f"x{n} w{n}{bias}", f"c{n}", pads=[padding] * 4))
            last = f"c{n}"
            if n % 5 in (1, 3):
                nodes += [node("Mul", f"{last} f{n}", f"m{n}"),
                          node("Add", f"m{n} a{n}", f"s{n}")]
                last = f"s{n}"
            if n % 4 == 1:
                nodes.append(node("Relu", last, f"r{n}"))
            elif n % 4 == 2:
                nodes.append(node("Clip", f"{last} low high", f"r{n}"))
            elif n % 4 == 3:
                nodes.append(node("HardSwish", last, f"r{n}"))
            outputs.append(last if n % 4 == 0 else f"r{n}")
        CASES[f"convolution-tiles-{name}"] = (nodes, inputs, constants, outputs, 14)


def gelus() -> None:
    """GELU in parts, as exporters write it, and nearly so."""
    def node(kind: str, inputs: str, output: str):
        return helper.make_node(kind, inputs.split(), [output])

    nodes = [
        node("Div", "x root", "d"), node("Erf", "d", "e"), node("Add", "e one", "s"),
        node("Mul", "x s", "m"), node("Mul", "m half", "y"),
        node("Mul", "factor v", "d2"), node("Erf", "d2", "e2"), node("Add", "one e2", "s2"),
        node("Mul", "s2 v", "m2"), node("Mul", "m2 half", "z"),
        # Neither is one: the quotient is another's, and the other way round.
        node("Div", "x root", "d3"), node("Erf", "d3", "e3"), node("Add", "e3 one", "s3"),
        node("Mul", "v s3", "m3"), node("Mul", "m3 half", "p"),
        node("Div", "root v", "d4"), node("Erf", "d4", "e4"), node("Add", "e4 one", "s4"),
        node("Mul", "v s4", "q")]
    CASES["gelu-parts"] = (
        nodes, {"x": floats(3, 7, 41), "v": floats(3, 7, 41)},
        {"root": np.float32(2**0.5), "factor": np.float32(0.5**0.5), "one": np.float32(1),
         "half": np.float32(0.5)}, ["y", "z", "p", "q"], 13)


def softmaxes() -> None:
    """Rows of every length about a vector's, and of what is nothing beside the others."""
    nodes, inputs, outputs = [], {}, []
    for n, count in enumerate((1, 3, 5, 15, 16, 17, 31, 48, 64, 65, 129, 300)):
        x = floats(3, count, low=-30, high=30)
        if n % 8 == 1:
            x[1, 0] = -np.inf
        inputs[f"x{n}"] = x
        kind = "LogSoftmax" if n % 3 == 2 else "Softmax"
        nodes.append(helper.make_node(kind, [f"x{n}"], [f"y{n}"], axis=1))
        outputs.append(f"y{n}")
    CASES["softmax-rows"] = (nodes, inputs, {}, outputs, 13)


def zeros() -> None:
    """Convolutions whose sums are zeros of either sign, where padding may change the sign."""
    nodes, inputs, outputs, constants = [], {}, [], {}
    for size in (7, 14):
        x = np.full((1, 9, size, size), 1e-30, np.float32)
        w = np.where(RNG.random((18, 9, 3, 3)) < 0.5, 1e-30, -1e-30).astype(np.float32)
        # The last tap that is not in the padding makes -0, one behind it +0.
        w[:, :, 1, :] = -1e-30
        w[:, :, 2, :] = 1e-30
        plain = floats(18)
        plain[:6] = 0
        signed = plain.copy()
        signed[2:4] = -0.0
        inputs[f"x{size}"], constants[f"w{size}"] = x, w
        for name, bias in (("none", None), ("plain", plain), ("signed", signed)):
            if bias is not None:
                constants[f"{name}{size}"] = bias
            nodes.append(helper.make_node(
                "Conv", [f"x{size}", f"w{size}"] + ([] if bias is None else [f"{name}{size}"]),
                [f"y-{name}{size}"], pads=[1] * 4))
            outputs.append(f"y-{name}{size}")
    CASES["convolution-zeros"] = (nodes, inputs, constants, outputs, 14)


def residual_windows() -> None:
    """Convolutions of several places to which another tensor is added, as shortcuts do."""
    def node(kind: str, inputs: str, output: str, **attributes):
        return helper.make_node(kind, inputs.split(), [output], **attributes)

    for name, items, size, channels in (("seven", 2, 7, 72), ("fourteen", 1, 14, 20),
                                        ("thirteen", 1, 13, 16)):
        groups = 4 if channels == 72 else 1
        constants = {"w0": floats(channels, channels // groups, 3, 3, low=-1, high=1),
                     "w1": floats(channels, channels, 1, 1, low=-1, high=1),
                     "w2": floats(channels, channels // groups, 3, 3, low=-1, high=1),
                     "w3": floats(channels, channels, 1, 1, low=-1, high=1),
                     "b": floats(channels), "f": floats(1, channels, 1, 1)}
        nodes = [
            node("Conv", "x w0 b", "c0", pads=[1] * 4, group=groups), node("Relu", "c0", "r0"),
            node("Conv", "x w1", "c1"), node("Mul", "c1 f", "m1"), node("Add", "m1 r0", "s1"),
            node("Relu", "s1", "r1"),
            node("Conv", "r1 w2 b", "c2", pads=[1] * 4, group=groups),
            node("Add", "r1 c2", "s2"),
            node("Relu", "s2", "r2"),
            node("Conv", "big w3 b", "c3", strides=[2, 2]), node("Add", "c3 r2", "y")]
        CASES[f"residual-windows-{name}"] = (
            nodes, {"x": floats(items, channels, size, size),
                    "big": floats(items, channels, 2 * size, 2 * size)},
            constants, ["y", "s1"], 13)


def neighbours() -> None:
    """Windows of three by three about each place of a plane, of every form that tiles have, and
    what follows them; tiny products make sums that are zeros of either sign."""
    def node(kind: str, inputs: str, output: str, **attributes):
        return helper.make_node(kind, inputs.split(), [output], **attributes)

    sizes = [(height, 7) for height in (1, 2, 3, 4, 5, 6, 7, 9, 10)]
    sizes += [(2, 14), (4, 14), (5, 14), (14, 14), (1, 28), (2, 28), (5, 28), (1, 13), (2, 13),
              (5, 13), (13, 13), (3, 26), (1, 27), (6, 27), (3, 56)]
    nodes, inputs, constants, outputs = [], {}, {}, []
    for n, (height, width) in enumerate(sizes):
        # A block of sums ends within a row of the window, or there is no more than one.
        depth, channels = (29, 16) if n % 2 else (9, 20)
        last = f"c{n}"
        inputs[f"x{n}"] = floats(1 + n % 2, depth, height, width)
        constants[f"w{n}"] = floats(channels, depth, 3, 3, low=-1, high=1)
        if n % 3:
            constants[f"b{n}"] = floats(channels)
        bias = f" b{n}" if n % 3 else ""
        nodes.append(node("Conv", f"x{n} w{n}{bias}", last, pads=[1] * 4))
        if n % 3 == 0 or n % 5 == 0:
            constants[f"f{n}"] = floats(1, channels, 1, 1)
            constants[f"a{n}"] = floats(1, channels, 1, 1)
            nodes += [node("Mul", f"{last} f{n}", f"m{n}"), node("Add", f"m{n} a{n}", f"s{n}")]
            last = f"s{n}"
        if n % 4 == 1:
            inputs[f"o{n}"] = floats(1 + n % 2, channels, height, width)
            nodes.append(node("Add", f"{last} o{n}", f"t{n}"))
            last = f"t{n}"
        if n % 2:
            nodes.append(node("Relu", last, f"r{n}"))
            last = f"r{n}"
        outputs.append(last)
    CASES["convolution-neighbours"] = (nodes, inputs, constants, outputs, 14)

    nodes, inputs, constants, outputs = [], {}, {}, []
    for n, width in enumerate((7, 13, 14, 27, 28)):
        inputs[f"x{n}"] = np.full((1, 9, 4, width), 1e-30, np.float32)
        w = np.where(RNG.random((18, 9, 3, 3)) < 0.5, 1e-30, -1e-30).astype(np.float32)
        w[:, :, 1, 2] = -1e-30
        w[:, :, 2, :] = 1e-30
        w[:, :, :, 0] = 1e-30
        constants[f"w{n}"] = w
        for name in ("plain", "signed", "factors"):
            last = f"{name}{n}"
            nodes.append(node("Conv", f"x{n} w{n}", last, pads=[1] * 4))
            if name == "factors":
                constants["f"] = floats(1, 18, 1, 1)
                nodes.append(node("Mul", f"{last} f", f"p{n}"))
                outputs.append(f"p{n}")
                continue
            addend = floats(1, 18, 1, 1)
            addend[:, ::3] = 0
            if name == "signed":
                addend[:, ::6] = -0.0
            constants[f"a-{last}"] = addend
            nodes.append(node("Add", f"{last} a-{last}", f"s-{last}"))
            outputs.append(f"s-{last}")
    CASES["convolution-neighbours-zeros"] = (nodes, inputs, constants, outputs, 14)


def cases() -> dict:
    for group in (normalisation, attention, recurrence, losses, contractions, fusions,
                  wide_recurrence, picks, integer_products, networks, edges,
                  integer_convolutions, residuals, nothing, concatenations, wide_padding,
                  repeats, turns, scalars, tiles, gelus, softmaxes, zeros,
                  residual_windows, neighbours):
        group()
    return CASES
