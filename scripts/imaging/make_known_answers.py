#!/usr/bin/env python3
"""Write Sources/Imaging/ImagingKnownAnswers+Files.swift: small pictures and their pixels' SHA-256.

Needs NumPy, Pillow, libjpeg-turbo's cjpeg and djpeg, and libwebp. The JPEG answers are djpeg's and the
WebP answers libwebp's, with the choices that the decoders fix; the script says where Pillow's own copies
of the libraries differ. `--only webp` adds or replaces the files of that prefix and leaves the others.
"""
import base64
import ctypes
import hashlib
import io
import pathlib
import re
import subprocess
import sys

import numpy
from PIL import Image

WIDTH, HEIGHT = 21, 19


def picture():
    """Smooth slopes, a hard edge and some noise, so that every step of a codec has work to do."""
    random = numpy.random.default_rng(7)
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    rgb = numpy.stack([x * 12, y * 13, (x + y) * 6], axis=-1).astype(numpy.int64)
    rgb[5:12, 8:15] = [250, 30, 60]
    rgb += random.integers(-9, 10, rgb.shape)
    return numpy.clip(rgb, 0, 255).astype(numpy.uint8)


def png(image, **options):
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True, **options)
    return out.getvalue()


def rgba(pixels):
    pixels = numpy.asarray(pixels)
    if pixels.ndim == 2:
        pixels = numpy.repeat(pixels[:, :, None], 3, axis=2)
    if pixels.shape[2] == 3:
        pixels = numpy.concatenate(
            [pixels, numpy.full(pixels.shape[:2] + (1,), 255, numpy.uint8)], axis=2)
    return pixels.astype(numpy.uint8).tobytes()


def pngs():
    rgb = picture()
    image = Image.fromarray(rgb)
    yield "png rgb 8", png(image), rgba(rgb)
    grey = (rgb[:, :, 0] > 120).astype(numpy.uint8) * 255
    bits = Image.fromarray(grey).convert("1")
    yield "png grey 1", png(bits), rgba(numpy.asarray(bits.convert("L")))
    palette = image.quantize(16)
    alpha = bytes(range(0, 256, 16))
    transparent = palette.copy()
    transparent.info["transparency"] = alpha
    file = png(palette, transparency=alpha)
    yield "png palette 4 with transparency", file, Image.open(io.BytesIO(file)).convert("RGBA").tobytes()
    both = numpy.concatenate([rgb, 255 - rgb[:, :, :1]], axis=2)
    yield "png rgba 8", png(Image.fromarray(both)), both.tobytes()
    wide = rgb[:, :, 0].astype(numpy.uint16) * 257 + 3
    file = png(Image.fromarray(wide))
    yield "png grey 16", file, rgba((wide >> 8).astype(numpy.uint8))


def jpeg(*options, grey=False):
    rgb = picture()
    head = b"P5" if grey else b"P6"
    data = rgb[:, :, 0].tobytes() if grey else rgb.tobytes()
    ppm = head + b"\n%d %d\n255\n" % (WIDTH, HEIGHT) + data
    file = subprocess.run(
        ["cjpeg", "-quality", "70", "-optimize", *options], input=ppm, capture_output=True,
        check=True).stdout
    out = subprocess.run(
        ["djpeg", "-dct", "int", "-pnm"], input=file, capture_output=True, check=True).stdout
    body = out[-len(data):]
    return file, rgba(numpy.frombuffer(body, numpy.uint8).reshape(rgb.shape[:2] + (-1,)).squeeze())


def jpegs():
    yield ("jpeg 4:4:4", *jpeg("-sample", "1x1"))
    yield ("jpeg 4:2:0", *jpeg("-sample", "2x2"))
    yield ("jpeg 4:2:2", *jpeg("-sample", "2x1"))
    yield ("jpeg 4:4:0", *jpeg("-sample", "1x2"))
    yield ("jpeg grey", *jpeg(grey=True))
    yield ("jpeg 4:2:0 progressive", *jpeg("-sample", "2x2", "-progressive"))
    yield ("jpeg 4:4:0 progressive", *jpeg("-sample", "1x2", "-progressive"))
    yield ("jpeg 4:2:0 restart", *jpeg("-sample", "2x2", "-restart", "1"))


def webp(alpha=False, **options):
    library = ctypes.CDLL("libwebp.so.7")
    library.WebPDecodeRGBA.restype = ctypes.POINTER(ctypes.c_uint8)
    rgb = picture()
    if alpha:
        rgb = numpy.concatenate([rgb, 255 - rgb[:, :, :1]], axis=2)
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "WEBP", **options)
    file = out.getvalue()
    width, height = ctypes.c_int(), ctypes.c_int()
    pixels = library.WebPDecodeRGBA(
        file, ctypes.c_size_t(len(file)), ctypes.byref(width), ctypes.byref(height))
    return file, bytes(pixels[: width.value * height.value * 4])


def webps():
    yield ("webp lossy", *webp(quality=60, method=6))
    yield ("webp lossy with alpha", *webp(alpha=True, quality=60, method=6))
    yield ("webp lossless with alpha", *webp(alpha=True, lossless=True, method=6))


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    path = root / "Sources/Imaging/ImagingKnownAnswers+Files.swift"
    text = "// Written by scripts/imaging/make_known_answers.py.\n\nextension ImagingKnownAnswers {\n"
    text += "    package static let files: [KnownFile] = [\n"
    groups = {"png": pngs, "jpeg": jpegs, "webp": webps}
    if sys.argv[1:2] == ["--only"]:
        groups = {sys.argv[2]: groups[sys.argv[2]]}
        for old in re.findall(r' {8}KnownFile\(\n.*?"""\),\n', path.read_text(), re.S):
            if f'name: "{sys.argv[2]} ' not in old:
                text += old
    for name, file, pixels in [item for group in groups.values() for item in group()]:
        mode = "RGBA" if "alpha" in name else "RGB"
        other = pixels if name.startswith("png") else rgba(Image.open(io.BytesIO(file)).convert(mode))
        if other != pixels:
            print(f"{name}: Pillow's decoder gives other pixels")
        encoded = base64.b64encode(file).decode()
        lines = [encoded[i:i + 80] for i in range(0, len(encoded), 80)]
        text += f'        KnownFile(\n            name: "{name}",\n'
        text += f'            sha256: "{hashlib.sha256(pixels).hexdigest()}",\n'
        text += '            base64: """\n'
        for line in lines[:-1]:
            text += f"                {line}\\\n"
        text += f'                {lines[-1]}\n                """),\n'
        print(f"{name}: {len(file)} bytes")
    text += "    ]\n}\n"
    path.write_text(text)


main()
