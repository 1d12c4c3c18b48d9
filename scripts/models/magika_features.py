#!/usr/bin/env python3
"""Turn files into what the magika model takes, and write its labels.

Usage: magika_features.py MODEL_FOLDER OUTPUT_FOLDER FILE...
MODEL_FOLDER holds config.min.json beside model.onnx, as in the wheel of magika 1.0.3. Writes
bytes.npy (int32 [files, tokens]: a file's first bytes and its last ones, without white space at
the ends) and labels.txt. Then:

    rigor infer MODEL_FOLDER/model.onnx --input bytes=bytes.npy --top 1 --labels labels.txt
"""
import json
import struct
import sys
from array import array
from pathlib import Path


def tokens(content: bytes, config: dict) -> list[int]:
    block, padding = config["block_size"], config["padding_token"]
    first = content[:block].lstrip()[: config["beg_size"]]
    last = content[-block:].rstrip()[-config["end_size"] :]
    return (
        list(first) + [padding] * (config["beg_size"] - len(first))
        + [padding] * (config["end_size"] - len(last)) + list(last)
    )


def npy(rows: list[list[int]]) -> bytes:
    """An int32 array in NumPy's format 1.0."""
    values = array("i", [token for row in rows for token in row])
    if sys.byteorder == "big":
        values.byteswap()
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values.tobytes()


def main() -> None:
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    model, output = Path(sys.argv[1]), Path(sys.argv[2])
    config = json.loads((model / "config.min.json").read_text())
    if config["mid_size"] != 0 or config["use_inputs_at_offsets"]:
        sys.exit(f"{model}/config.min.json: tokens from a file's two ends expected")
    rows = [tokens(Path(path).read_bytes(), config) for path in sys.argv[3:]]
    (output / "bytes.npy").write_bytes(npy(rows))
    (output / "labels.txt").write_text("\n".join(config["target_labels_space"]) + "\n")


if __name__ == "__main__":
    main()
