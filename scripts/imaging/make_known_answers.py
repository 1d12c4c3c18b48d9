#!/usr/bin/env python3
"""Write Sources/Imaging/ImagingKnownAnswers+Files.swift: small pictures and their pixels' SHA-256.

Needs NumPy, Pillow and libjpeg-turbo's cjpeg and djpeg. The JPEG answers are djpeg's, with the choices
that the decoder fixes; the script says where Pillow's own copy of the library differs.
"""
import base64
import hashlib
import io
import pathlib
import subprocess

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


def main():
    text = "// Written by scripts/imaging/make_known_answers.py.\n\nextension ImagingKnownAnswers {\n"
    text += "    package static let files: [KnownFile] = [\n"
    for name, file, pixels in [*pngs(), *jpegs()]:
        other = rgba(Image.open(io.BytesIO(file)).convert("RGB")) if name.startswith("jpeg") else pixels
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
    root = pathlib.Path(__file__).resolve().parents[2]
    (root / "Sources/Imaging/ImagingKnownAnswers+Files.swift").write_text(text)


main()
