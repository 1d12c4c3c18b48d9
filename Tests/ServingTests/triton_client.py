#!/usr/bin/env python3
"""Ask a server as clients of Triton do.

Usage: triton_client.py HOST:PORT      the models of Fixtures/ are served there
"""
import sys
from concurrent.futures import ThreadPoolExecutor

import ml_dtypes
import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

TYPES = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32,
    "UINT64": np.uint64, "INT8": np.int8, "INT16": np.int16, "INT32": np.int32,
    "INT64": np.int64, "FP16": np.float16, "FP32": np.float32, "FP64": np.float64,
    "BF16": ml_dtypes.bfloat16}


def tensor(name: str, array: np.ndarray, datatype: str = "FP32", binary: bool = True):
    value = triton.InferInput(name, list(array.shape), datatype)
    value.set_data_from_numpy(array, binary_data=binary)
    return value


def control(client) -> None:
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("dense") and client.is_model_ready("dense", "1")
    assert not client.is_model_ready("nowhere")
    assert client.get_server_metadata()["name"] == "rigor"
    metadata = client.get_model_metadata("dense")
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}], metadata
    assert metadata["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [-1, 3]}], metadata
    assert {m["name"] for m in client.get_model_repository_index()} >= {"dense", "types"}
    assert client.get_inference_statistics("dense")["model_stats"][0]["name"] == "dense"


def every_type(client) -> None:
    for binary in (True, False):
        arrays, inputs, outputs = {}, [], []
        for name, kind in TYPES.items():
            # JSON has no form for these two in this client.
            if not binary and name in ("FP16", "BF16"):
                array = np.ones((1, 2), kind)
                inputs.append(tensor(f"in_{name}", array, name))
            else:
                array = np.array([[0, 1]]).astype(kind)
                inputs.append(tensor(f"in_{name}", array, name, binary))
            arrays[name] = array
            outputs.append(triton.InferRequestedOutput(
                f"out_{name}", binary_data=binary or name in ("FP16", "BF16")))
        result = client.infer("types", inputs, outputs=outputs, request_id="it")
        assert result.get_response()["id"] == "it"
        for name, array in arrays.items():
            back = result.as_numpy(f"out_{name}")
            assert back.dtype == array.dtype and np.array_equal(back, array), (name, back)


def in_flight(client) -> None:
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=(1 + n % 3, 4)).astype(np.float32) for n in range(24)]
    alone = [client.infer("dense", [tensor("x", a)]).as_numpy("y") for a in arrays]

    def ask(part: int) -> list:
        # A client of its own: they are not shared by threads.
        with triton.InferenceServerClient(sys.argv[1]) as own:
            return [own.infer("dense", [tensor("x", a)]).as_numpy("y") for a in arrays[part::6]]

    for _ in range(3):
        with ThreadPoolExecutor(6) as threads:
            for part, results in enumerate(threads.map(ask, range(6))):
                for got, expected in zip(results, alone[part::6]):
                    assert got.tobytes() == expected.tobytes()
    stats = client.get_inference_statistics("dense")["model_stats"][0]
    assert stats["execution_count"] < 96, stats


def refusals(client) -> None:
    def refused(piece: str, ask) -> None:
        try:
            ask()
        except InferenceServerException as error:
            assert piece in str(error), str(error)
            return
        raise AssertionError(f"not refused: {piece}")

    good = np.zeros((1, 4), np.float32)
    refused("no model", lambda: client.infer("nowhere", [tensor("x", good)]))
    refused("no version", lambda: client.infer("dense", [tensor("x", good)], model_version="9"))
    refused("[?, 4] expected", lambda: client.infer(
        "dense", [tensor("x", np.zeros((1, 5), np.float32))]))
    refused("the model has no input", lambda: client.infer("dense", [tensor("z", good)]))
    refused("classification", lambda: client.infer(
        "dense", [tensor("x", good)],
        outputs=[triton.InferRequestedOutput("y", class_count=2)]))
    refused("BYTES", lambda: client.infer(
        "dense", [tensor("x", np.array([["a"]], np.object_), "BYTES")]))
    refused("sequence_id", lambda: client.infer(
        "dense", [tensor("x", good)], sequence_id=5, sequence_start=True))
    refused("compressed", lambda: client.infer(
        "dense", [tensor("x", good)], request_compression_algorithm="gzip"))
    # A state is the client's to keep.
    state = np.zeros((2, 1, 3), np.float32)
    for step in range(1, 4):
        result = client.infer("state", [tensor("x", np.ones_like(state)), tensor("state", state)])
        state = result.as_numpy("next")
        assert np.array_equal(state, np.full_like(state, step)), state


if __name__ == "__main__":
    with triton.InferenceServerClient(sys.argv[1], concurrency=8) as server:
        control(server)
        every_type(server)
        in_flight(server)
        refusals(server)
    print("tritonclient: all answered")
