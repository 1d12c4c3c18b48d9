#!/usr/bin/env python3
"""Writes a .glb of a hilly field with about so many triangles: for the building of large trees. With a
third number, that many turned and scaled fields that share one mesh.

    Benchmarks/rays/make_field.py 10000000 field.glb
    Benchmarks/rays/make_field.py 20000 fields.glb 1000
"""
import json
import math
import struct
import sys
from array import array


def places(count, extent):
    """Nodes on a square grid, turned about the vertical and scaled, no two alike."""
    wide = max(math.ceil(math.sqrt(count)), 1)
    for place in range(count):
        turn, scale = place * 2.399963, 0.5 + (place * 0.618034) % 1
        yield {"mesh": 0, "name": f"Field {place}",
               "translation": [place % wide * extent, 0.1 * (place % 7), place // wide * extent],
               "rotation": [0, math.sin(turn / 2), 0, math.cos(turn / 2)],
               "scale": [scale, 2 * scale, scale * (-1 if place % 5 == 0 else 1)]}


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    side = max(int(math.sqrt(int(sys.argv[1]) / 2)), 1)
    positions, row = array("f"), side + 1
    waves = [math.sin(i * 0.37) + 0.3 * math.sin(i * 2.11) + 0.1 * math.sin(i * 7.7)
             for i in range(row)]
    for z in range(row):
        for x in range(row):
            positions.extend((x * 0.01, 0.02 * waves[x] * waves[z], z * 0.01))
    indices = array("I")
    for z in range(side):
        for x in range(side):
            a = z * row + x
            indices.extend((a, a + row, a + 1, a + 1, a + row, a + row + 1))
    normals = array("f", (0.0, 1.0, 0.0)) * (row * row)
    binary = positions.tobytes() + normals.tobytes() + indices.tobytes()
    end = side * 0.01
    nodes = list(places(int(sys.argv[3]), end)) if len(sys.argv) == 4 else [{"mesh": 0}]
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": list(range(len(nodes)))}],
        "nodes": nodes,
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2}]}],
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 4 * len(positions)},
            {"buffer": 0, "byteOffset": 4 * len(positions), "byteLength": 4 * len(normals)},
            {"buffer": 0, "byteOffset": 8 * len(positions), "byteLength": 4 * len(indices)}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": row * row, "type": "VEC3",
             "min": [0, -1, 0], "max": [end, 1, end]},
            {"bufferView": 1, "componentType": 5126, "count": row * row, "type": "VEC3"},
            {"bufferView": 2, "componentType": 5125, "count": len(indices), "type": "SCALAR"}]}
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    length = 12 + 8 + len(text) + 8 + len(binary)
    with open(sys.argv[2], "wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, length))
        file.write(struct.pack("<II", len(text), 0x4E4F534A) + text)
        file.write(struct.pack("<II", len(binary), 0x004E4942) + binary)
    print(f"{len(indices) // 3} triangles, {row * row} vertices, {length} bytes")


if __name__ == "__main__":
    main()
