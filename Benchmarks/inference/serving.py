#!/usr/bin/env python3
"""`rigor serve` under load: one client's latency over `rigor infer`'s own, and requests a second with
1, 4 and 16 clients, beside ONNX Runtime behind a plain server of Python's.

Both are asked by the Open Inference Protocol over HTTP, with tensors as binary data, each client on
a connection of its own that stays. The plain server takes one thread a client and one session with
`--threads` threads, and puts nothing together; Rigor puts what waits into batches, once they have
shown that items are their own, for which no two clients send the same. Clients are threads of this
program, which shares the processors with the servers, in turn.

Usage: serving.py --rigor PATH MODEL.onnx... [--seconds 3]
"""
import argparse
import http.client
import http.server
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import onnxruntime as ort

import beside_onnxruntime as beside

CLIENTS = (1, 4, 16)
KINDS = {np.dtype(np.float32): "FP32", np.dtype(np.int32): "INT32", np.dtype(np.int64): "INT64"}


def request(inputs: dict[str, np.ndarray], outputs: list[str]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of an inference request with binary tensors."""
    head = json.dumps({
        "inputs": [{"name": name, "shape": list(value.shape), "datatype": KINDS[value.dtype],
                    "parameters": {"binary_data_size": value.nbytes}}
                   for name, value in inputs.items()],
        "outputs": [{"name": name, "parameters": {"binary_data": True}} for name in outputs],
    }).encode()
    body = head + b"".join(value.tobytes() for value in inputs.values())
    return body, {"Inference-Header-Content-Length": str(len(head)),
                  "Content-Type": "application/octet-stream"}


class Plain(http.server.BaseHTTPRequestHandler):
    """The plain server: the same requests, one after the other to one session."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    session: ort.InferenceSession

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        size = int(self.headers["Inference-Header-Content-Length"])
        place, inputs = size, {}
        names = {kind: dtype for dtype, kind in KINDS.items()}
        for entry in json.loads(body[:size])["inputs"]:
            count = entry["parameters"]["binary_data_size"]
            values = np.frombuffer(body[place:place + count], names[entry["datatype"]])
            inputs[entry["name"]] = values.reshape(entry["shape"])
            place += count
        values = self.session.run(None, inputs)
        head = json.dumps({"outputs": [
            {"name": port.name, "shape": list(value.shape), "datatype": KINDS[value.dtype],
             "parameters": {"binary_data_size": value.nbytes}}
            for port, value in zip(self.session.get_outputs(), values)]}).encode()
        answer = head + b"".join(value.tobytes() for value in values)
        self.send_response(200)
        self.send_header("Inference-Header-Content-Length", str(len(head)))
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


def plain_server(path: str, threads: int, port: int) -> None:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    Plain.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    # All clients come at once.
    http.server.ThreadingHTTPServer.request_queue_size = 64
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Plain).serve_forever()


def load(port: int, name: str, bodies: list[bytes], headers: dict, clients: int,
         seconds: float) -> tuple:
    """Requests a second, and milliseconds of one in the middle."""
    spans: list[float] = []
    failures: list[str] = []
    barrier = threading.Barrier(clients + 1)
    ends = [float("inf")]

    def client(body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask() -> None:
            connection.request("POST", f"/v2/models/{name}/infer", body, headers)
            answer = connection.getresponse()
            data = answer.read()
            if answer.status != 200:
                failures.append(data[:200].decode(errors="replace"))
        for _ in range(3):
            ask()
        barrier.wait()
        while not failures and (start := time.perf_counter()) < ends[0]:
            ask()
            spans.append(time.perf_counter() - start)

    threads = [threading.Thread(target=client, args=(body,)) for body in bodies[:clients]]
    for thread in threads:
        thread.start()
    barrier.wait()
    begin = time.perf_counter()
    ends[0] = begin + seconds
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(failures[0])
    return len(spans) / (time.perf_counter() - begin), statistics.median(spans) * 1e3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("no server after a minute")


def measure(a: argparse.Namespace, path: str) -> None:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = beside.feed(session, path)
    name = os.path.basename(path).removesuffix(".onnx")
    outputs = [port.name for port in session.get_outputs()]
    bodies = []
    for k in range(CLIENTS[-1]):
        turned = {port: np.roll(value, k) for port, value in inputs.items()}
        body, headers = request(turned, outputs)
        bodies.append(body)
    with tempfile.TemporaryDirectory() as folder:
        command = [a.rigor, "infer", path, "--device", a.device, "--json", "--repeat", "21"]
        for k, (port, value) in enumerate(inputs.items()):
            np.save(f"{folder}/{k}.npy", value)
            command += ["--input", f"{port}={folder}/{k}.npy"]
        alone = json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))
    peer = beside.peer_milliseconds(session, inputs, 20)
    print(f"{name}: rigor infer {alone['milliseconds']:.2f} ms, ONNX Runtime {peer:.2f} ms a run",
          flush=True)
    servers = {}
    for kind in ("Rigor", "plain"):
        port = free_port()
        command = ([a.rigor, "serve", path, "--device", a.device, "--port", str(port)]
                   if kind == "Rigor" else
                   [sys.executable, __file__, "--plain", str(port), "--rigor", "-", path])
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        servers[kind] = (port, process)
    try:
        for port, process in servers.values():
            wait_for(port, process)
            load(port, name, bodies, headers, CLIENTS[-1], 1)
        for clients in CLIENTS:
            found = {kind: load(port, name, bodies, headers, clients, a.seconds)
                     for kind, (port, _) in servers.items()}
            (rate, middle), (rate_plain, middle_plain) = found["Rigor"], found["plain"]
            over = f", {middle - alone['milliseconds']:+.2f} over infer" if clients == 1 else ""
            print(f"  {clients:2} clients: Rigor {rate:7.1f} a second, {middle:7.2f} ms each{over}; "
                  f"plain {rate_plain:7.1f}, {middle_plain:7.2f} ms; ratio {rate / rate_plain:.2f}",
                  flush=True)
    finally:
        for _, process in servers.values():
            process.terminate()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--rigor", required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.plain:
        return plain_server(a.models[0], a.threads, a.plain)
    for path in a.models:
        measure(a, path)


if __name__ == "__main__":
    main()
