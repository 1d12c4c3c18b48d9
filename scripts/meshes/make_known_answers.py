#!/usr/bin/env python3
"""Write Sources/MeshCodecs/MeshKnownAnswers+Files.swift: small compressed meshes and the SHA-256 of
what they decode to.

Needs a C++ compiler and the development packages of Draco and meshoptimizer. Answers are what was
encoded, with filters computed here, in doubles, as the specification writes them.
"""
import base64
import ctypes
import ctypes.util
import hashlib
import math
import pathlib
import random
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LIBRARY = ctypes.CDLL("libmeshoptimizer.so")
for function in ("VertexBuffer", "IndexBuffer", "IndexSequence"):
    getattr(LIBRARY, f"meshopt_encode{function}").restype = ctypes.c_size_t
    getattr(LIBRARY, f"meshopt_encode{function}Bound").restype = ctypes.c_size_t


def encode(function, data, count, stride):
    bound = getattr(LIBRARY, f"meshopt_encode{function}Bound")
    sizes = (count, stride) if function == "VertexBuffer" else (count, max(data) + 1)
    out = ctypes.create_string_buffer(bound(*map(ctypes.c_size_t, sizes)))
    encoder = getattr(LIBRARY, f"meshopt_encode{function}")
    if function == "VertexBuffer":
        length = encoder(
            out, ctypes.c_size_t(len(out)), bytes(data), ctypes.c_size_t(count),
            ctypes.c_size_t(stride))
    else:
        indices = (ctypes.c_uint * count)(*data)
        length = encoder(out, ctypes.c_size_t(len(out)), indices, ctypes.c_size_t(count))
    assert length
    return out.raw[:length]


def turned(grid, file, stride):
    """What the index codec makes of triangles: it may turn each one's corners, and nothing else."""
    out = ctypes.create_string_buffer(len(grid) * stride)
    status = LIBRARY.meshopt_decodeIndexBuffer(
        out, ctypes.c_size_t(len(grid)), ctypes.c_size_t(stride), file, ctypes.c_size_t(len(file)))
    found = struct.unpack(f"<{len(grid)}{'H' if stride == 2 else 'I'}", out.raw)
    for at in range(0, len(grid), 3):
        a, b, c = grid[at:at + 3]
        assert status == 0 and found[at:at + 3] in ((a, b, c), (b, c, a), (c, a, b))
    return out.raw


def rounded(value):
    return int(value - 0.5) if value < 0 else int(value + 0.5)


def octahedral(data, kind, scale):
    size = struct.calcsize(kind)
    out = b""
    for at in range(0, len(data), 4 * size):
        x, y, one, last = struct.unpack_from("<4" + kind, data, at)
        z = one - abs(x) - abs(y)
        fold = min(z, 0)
        x += -fold if x < 0 else fold
        y += -fold if y < 0 else fold
        length = math.sqrt(x * x + y * y + z * z)
        out += struct.pack("<4" + kind, *(rounded(v * (scale / length)) for v in (x, y, z)), last)
    return out


def quaternions(data):
    out = b""
    for at in range(0, len(data), 8):
        *three, last = struct.unpack_from("<4h", data, at)
        step = math.sqrt(0.5) / (last | 3)
        x, y, z = (v * step for v in three)
        w = math.sqrt(max(1 - x * x - y * y - z * z, 0))
        four = [0] * 4
        for offset, value in enumerate((w, x, y, z)):
            four[(last + offset) & 3] = rounded(value * 32767)
        out += struct.pack("<4h", *four)
    return out


def exponentials(data):
    out = b""
    for (bits,) in struct.iter_unpack("<i", data):
        mantissa = ((bits & 0xffffff) ^ 0x800000) - 0x800000
        out += struct.pack("<f", math.ldexp(mantissa, bits >> 24))
    return out


def meshopts():
    source = random.Random(7)
    side = 7
    grid = []
    for y in range(side):
        for x in range(side):
            a = y * (side + 1) + x
            grid += [a, a + 1, a + side + 1, a + 1, a + side + 2, a + side + 1]
    plain = b"".join(
        struct.pack("<4h", x * 100, y * 90, (x * y) % 17, source.randrange(-9, 9))
        for y in range(20) for x in range(20))
    yield "meshopt attributes", plain, 400, 8, "attributes", "none", plain
    tight = b"".join(
        struct.pack("<4b", source.randrange(-60, 60), source.randrange(-67, 67), 127, 0)
        for _ in range(40))
    yield "meshopt octahedral 8", tight, 40, 4, "attributes", "octahedral", octahedral(tight, "b", 127)
    wide = b"".join(
        struct.pack("<4h", source.randrange(-1500, 1500), source.randrange(-1800, 1800), 2047, 5)
        for _ in range(40))
    yield ("meshopt octahedral 16", wide, 40, 8, "attributes", "octahedral",
           octahedral(wide, "h", 32767))
    turns = b"".join(
        struct.pack("<4h", *(source.randrange(-1100, 1100) for _ in range(3)), 2044 + at % 4)
        for at in range(40))
    yield "meshopt quaternion", turns, 40, 8, "attributes", "quaternion", quaternions(turns)
    powers = b"".join(
        struct.pack("<i", source.randrange(-20, 20) << 24 | source.randrange(1 << 24))
        for _ in range(60))
    yield ("meshopt exponential", powers, 20, 12, "attributes", "exponential",
           exponentials(powers))
    for stride, kind in ((2, "H"), (4, "I")):
        answer = turned(grid, encode("IndexBuffer", grid, len(grid), 4), stride)
        yield (f"meshopt triangles {8 * stride}", grid, len(grid), stride, "triangles", "none", answer)
        strip = [i // 2 if i % 2 else 300 - i for i in range(60)]
        answer = struct.pack(f"<{len(strip)}{kind}", *strip)
        yield (f"meshopt indices {8 * stride}", strip, len(strip), stride, "indices", "none", answer)


FUNCTIONS = {"attributes": "VertexBuffer", "triangles": "IndexBuffer", "indices": "IndexSequence"}


def dracos():
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/encode"
        subprocess.run(
            ["c++", "-std=c++17", "-O1", "-ffp-contract=off", f"{HERE}/encode_draco.cpp", "-ldraco",
             "-o", program], check=True)
        for method in ("edgebreaker", "sequential"):
            subprocess.run([program, method, f"{folder}/file", f"{folder}/answer"], check=True)
            yield (f"draco {method}", pathlib.Path(f"{folder}/file").read_bytes(),
                   pathlib.Path(f"{folder}/answer").read_bytes())


def entry(name, kind, file, answer):
    encoded = base64.b64encode(file).decode()
    lines = [encoded[i:i + 80] for i in range(0, len(encoded), 80)]
    print(f"{name}: {len(file)} bytes, decoded {len(answer)}")
    return "\n".join([
        "        KnownFile(", f'            name: "{name}", kind: {kind},',
        f'            sha256: "{hashlib.sha256(answer).hexdigest()}",', '            base64: """',
        *(f"                {line}\\" for line in lines[:-1]), f"                {lines[-1]}",
        '                """),', ""])


def main():
    text = "// Written by scripts/meshes/make_known_answers.py.\n\nextension MeshKnownAnswers {\n"
    text += "    package static let files: [KnownFile] = [\n"
    for name, file, answer in dracos():
        text += entry(
            name, ".draco([(0, 3), (1, 3), (2, 2), (3, 4), (4, 1)])", file, answer)
    for name, data, count, stride, mode, kind, answer in meshopts():
        file = encode(FUNCTIONS[mode], data, count, stride)
        shape = f".meshopt(count: {count}, stride: {stride}, mode: .{mode}, filter: .{kind})"
        text += entry(name, f"\n                {shape}", file, answer)
    text += "    ]\n}\n"
    (HERE.parents[1] / "Sources/MeshCodecs/MeshKnownAnswers+Files.swift").write_text(text)


main()
