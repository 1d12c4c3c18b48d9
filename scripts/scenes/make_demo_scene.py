#!/usr/bin/env python3
"""Write Examples/scene/demo.glb: a still life with every kind of surface and light that Rigor renders.

Needs NumPy and Pillow, at authoring time alone: the scene is kept in the project.
Usage: make_demo_scene.py [OUTPUT.glb]
"""
import io
import json
import pathlib
import struct
import sys

import numpy as np
from PIL import Image

TAU = 2 * np.pi
RANDOM = np.random.default_rng(20)


# Shapes: each gives positions, normals, coordinates and triangles.

def grid(rows, columns):
    """Triangles of a grid of (rows + 1) × (columns + 1) vertices."""
    i, j = np.mgrid[0:rows, 0:columns]
    a = i * (columns + 1) + j
    b, c, d = a + 1, a + columns + 1, a + columns + 2
    return np.stack([a, c, b, b, c, d], axis=-1).reshape(-1, 3)


def surface(function, rows, columns, u_scale=1.0, v_scale=1.0):
    """A smooth surface from a function of (s, t) in the unit square; normals by central differences."""
    t, s = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(0, 1, columns + 1), indexing="ij")
    step = 1e-4
    positions = function(s, t)
    along = function(s + step, t) - function(s - step, t)
    up = function(s, t + step) - function(s, t - step)
    normals = np.cross(along, up)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    uv = np.stack([s * u_scale, (1 - t) * v_scale], axis=-1)
    return outward(positions.reshape(-1, 3), normals.reshape(-1, 3), uv.reshape(-1, 2),
                   grid(rows, columns))


def outward(positions, normals, uv, triangles):
    """Winds triangles so that their fronts look along the normals; drops those without area."""
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    keep = np.linalg.norm(cross, axis=-1) > 1e-12
    flip = np.einsum("ij,ij->i", cross, normals[triangles].sum(axis=1)) < 0
    triangles = np.where(flip[:, None], triangles[:, [0, 2, 1]], triangles)
    return positions, normals, uv, triangles[keep]


def lathe(profile, columns, u_scale=1.0, v_scale=1.0):
    """A profile of (radius, height) points, smoothed, turned about the y axis."""
    profile = np.asarray(profile, float)
    for _ in range(2):  # Chaikin's corner cutting, ends kept
        a, b = profile[:-1], profile[1:]
        middle = np.stack([a * 0.75 + b * 0.25, a * 0.25 + b * 0.75], axis=1).reshape(-1, 2)
        profile = np.concatenate([profile[:1], middle, profile[-1:]])
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    lengths /= lengths[-1]
    rows = len(profile) - 1
    tangent = np.gradient(profile, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    angle = np.linspace(0, TAU, columns + 1)
    cos, sin = np.cos(angle)[None, :], np.sin(angle)[None, :]
    radius, height = profile[:, :1], profile[:, 1:]
    positions = np.stack(
        [radius * cos, height + 0 * cos, -radius * sin], axis=-1).reshape(-1, 3)
    out, rise = tangent[:, 1:], -tangent[:, :1]
    normals = np.stack([out * cos, rise + 0 * cos, -out * sin], axis=-1).reshape(-1, 3)
    u = np.broadcast_to(angle / TAU * u_scale, (rows + 1, columns + 1))
    v = np.broadcast_to((1 - lengths[:, None]) * v_scale, (rows + 1, columns + 1))
    uv = np.stack([u, v], axis=-1).reshape(-1, 2)
    return outward(positions, normals, uv, grid(rows, columns))


def sphere(radius, columns=56, rows=28):
    def point(s, t):
        polar, around = np.pi * (t - 0.5), TAU * s
        return radius * np.stack(
            [np.cos(polar) * np.cos(around), np.sin(polar), -np.cos(polar) * np.sin(around)], -1)
    positions, normals, uv, triangles = surface(point, rows, columns)
    return outward(positions, positions / radius, uv, triangles)


def knot(scale, thickness, columns=176, rows=14):
    """A trefoil as a tube; its frame is carried along so that the tube does not twist at a point."""
    angle = np.linspace(0, TAU, columns + 1)
    spine = scale * np.stack([
        np.sin(angle) + 2 * np.sin(2 * angle), np.cos(angle) - 2 * np.cos(2 * angle),
        -1.1 * np.sin(3 * angle)], -1) / 3
    tangent = np.gradient(spine, axis=0)
    tangent[0] = tangent[-1] = tangent[1] + tangent[-2]
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    frame = [np.cross(tangent[0], [0, 0, 1.0])]
    for direction in tangent[1:]:
        moved = frame[-1] - direction * np.dot(frame[-1], direction)
        frame.append(moved / np.linalg.norm(moved))
    frame[0] = frame[0] / np.linalg.norm(frame[0])
    frame = np.array(frame)
    side = np.cross(tangent, frame)
    around = np.linspace(0, TAU, rows + 1)[:, None, None]
    normals = np.cos(around) * frame[None] + np.sin(around) * side[None]
    positions = spine[None] + thickness * normals
    u, v = np.meshgrid(np.linspace(0, 8, columns + 1), np.linspace(0, 1, rows + 1))
    return outward(positions.reshape(-1, 3), normals.reshape(-1, 3),
                   np.stack([u, v], -1).reshape(-1, 2), grid(rows, columns))


def rounded_box(half, radius, steps=4):
    """Six grids pushed out from the box within by a sphere's radius."""
    inner = np.asarray(half) - radius
    parts = []
    for axis in range(3):
        for sign in (-1, 1):
            w = np.linspace(-1, 1, steps * 2)
            v, u = np.meshgrid(w, w, indexing="ij")
            direction = np.zeros(u.shape + (3,))
            direction[..., axis] = sign
            direction[..., (axis + 1) % 3] = np.clip(u * 1.6, -1, 1) * np.abs(u) ** 2
            direction[..., (axis + 2) % 3] = np.clip(v * 1.6, -1, 1) * np.abs(v) ** 2
            direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
            core = np.zeros_like(direction)
            core[..., axis] = sign * inner[axis]
            core[..., (axis + 1) % 3] = np.sign(u) * inner[(axis + 1) % 3]
            core[..., (axis + 2) % 3] = np.sign(v) * inner[(axis + 2) % 3]
            uv = np.stack([u, v], -1) * 0.5 + 0.5
            parts.append(outward(
                (core + radius * direction).reshape(-1, 3), direction.reshape(-1, 3),
                uv.reshape(-1, 2), grid(steps * 2 - 1, steps * 2 - 1)))
    return join(parts)


def join(parts):
    offset, out = 0, [[], [], [], []]
    for positions, normals, uv, triangles in parts:
        out[0].append(positions)
        out[1].append(normals)
        out[2].append(uv)
        out[3].append(triangles + offset)
        offset += len(positions)
    return tuple(np.concatenate(x) for x in out)


def gem(radius):
    """A brilliant cut without normals: the importer gives each facet its own."""
    def ring(r, y, count, turn):
        angle = (np.arange(count) + turn) * TAU / count
        return np.stack([r * np.cos(angle), np.full(count, y), -r * np.sin(angle)], -1)
    n = 8
    points = np.concatenate([
        [[0, 0.42, 0]], ring(0.55, 0.42, n, 0), ring(0.86, 0.22, n, 0.5), ring(1.0, 0.0, n, 0),
        ring(0.6, -0.45, n, 0.5), [[0, -0.85, 0]]]) * radius
    table, crown, girdle, pavilion = (1 + n * k + np.arange(n) for k in range(4))
    tip = 4 * n + 1
    triangles = []
    for i in range(n):
        j = (i + 1) % n
        triangles += [
            [0, table[i], table[j]], [table[i], crown[i], table[j]],
            [table[j], crown[i], crown[j]], [crown[i], girdle[i], girdle[j]],
            [crown[i], girdle[j], crown[j]], [girdle[i], pavilion[i], girdle[j]],
            [girdle[j], pavilion[i], pavilion[j]], [pavilion[i], tip, pavilion[j]]]
    triangles = np.array(triangles)
    centre = points[triangles].mean(axis=1)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    flip = np.einsum("ij,ij->i", np.cross(b - a, c - a), centre) < 0
    triangles = np.where(flip[:, None], triangles[:, [0, 2, 1]], triangles)
    height = (points[:, 1] - points[:, 1].min()) / np.ptp(points[:, 1])
    low, high = np.array([0.02, 0.20, 0.45]), np.array([0.75, 0.12, 0.42])
    colors = low + (high - low) * height[:, None] ** 1.5
    return points, triangles, colors


# Textures.

def noise(height, width, rows, columns):
    """Smooth noise in 0…1 that repeats at its edges."""
    lattice = RANDOM.random((rows, columns))
    y = np.arange(height) * rows / height
    x = np.arange(width) * columns / width
    y0, x0 = y.astype(int), x.astype(int)
    fy, fx = y - y0, x - x0
    fy, fx = (fy * fy * (3 - 2 * fy))[:, None], (fx * fx * (3 - 2 * fx))[None, :]
    y1, x1 = (y0 + 1) % rows, (x0 + 1) % columns
    top = lattice[np.ix_(y0, x0)] * (1 - fx) + lattice[np.ix_(y0, x1)] * fx
    bottom = lattice[np.ix_(y1, x0)] * (1 - fx) + lattice[np.ix_(y1, x1)] * fx
    return top * (1 - fy) + bottom * fy


def wood(size=512, planks=4):
    """Planks along u, each with its own tone and grain."""
    image = np.zeros((size, size, 3))
    height = size // planks
    for plank in range(planks):
        bend = noise(height, size, 2, 3) * 26 + noise(height, size, 4, 8) * 5
        y = np.arange(height)[:, None] + bend
        rings = 0.5 + 0.5 * np.sin(y * 0.42 + RANDOM.random() * TAU)
        fibre = noise(height, size, height // 2, 12) * 0.5 + noise(height, size, height, 40) * 0.5
        shade = 0.66 + 0.20 * rings ** 2 + 0.22 * fibre
        tone = 0.88 + 0.24 * RANDOM.random()
        part = shade[:, :, None] * tone * np.array([0.56, 0.36, 0.22])
        edge = np.minimum(np.arange(height), np.arange(height)[::-1])
        part *= (1 - 0.75 * np.exp(-(edge / 1.2) ** 2))[:, None, None]
        joint = (plank * 211 + 97) % size
        along = np.abs(np.arange(size) - joint)
        part *= (1 - 0.7 * np.exp(-(along / 1.3) ** 2))[None, :, None]
        image[plank * height:(plank + 1) * height] = part
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def hammered(size=256, blows=150):
    """Heights of a surface struck by a round hammer; repeats at its edges."""
    y, x = np.mgrid[0:size, 0:size]
    height = np.zeros((size, size))
    for _ in range(blows):
        cx, cy, r = RANDOM.random() * size, RANDOM.random() * size, 14 + RANDOM.random() * 12
        dx = (x - cx + size / 2) % size - size / 2
        dy = (y - cy + size / 2) % size - size / 2
        height = np.minimum(height, (dx * dx + dy * dy) / (r * r) * 0.5 - 0.5)
    return height * 7


def normal_map(height, strength):
    dx = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) * 0.5 * strength
    dy = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) * 0.5 * strength
    normal = np.stack([-dx, dy, np.ones_like(dx)], -1)  # green points up the picture
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.round((normal * 0.5 + 0.5) * 255).astype(np.uint8)


def brushed(size=128):
    """Roughness in green, metal in blue: streaks along u."""
    streaks = noise(size, size, size, 2) * 0.6 + noise(size, size, size // 2, 5) * 0.4
    out = np.zeros((size, size, 3), np.uint8)
    out[..., 1] = (255 * (0.22 + 0.30 * streaks)).astype(np.uint8)
    out[..., 2] = 255
    return out


def glaze(width=256, height=128):
    """White glaze with cobalt bands and a row of dots."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.ones((height, width, 3)) * np.array([0.93, 0.91, 0.86])
    cobalt = np.array([0.05, 0.13, 0.42])
    wave = 5 * np.sin(x * TAU / width * 6)
    band = (np.abs(y - 64 - wave) < 5) | (np.abs(y - 90) < 3) | (np.abs(y - 34) < 3)
    dots = ((x % 32 - 16) ** 2 + (y - 47) ** 2 < 30) | ((x % 32 - 16) ** 2 + (y - 79) ** 2 < 16)
    image[band | dots] = cobalt
    return (image * 255).astype(np.uint8)


def lattice(size=256, cells=4):
    """Brass with round holes on a hexagonal raster: alpha is 0 in the holes."""
    y, x = np.mgrid[0:size, 0:size] * cells / size
    hole = np.zeros((size, size), bool)
    for row in range(2):
        fy = (y + row * 0.5) % 1 - 0.5
        fx = (x + row * 0.5) % 1 - 0.5
        hole |= np.hypot(fx, fy) < 0.27
    image = np.zeros((size, size, 4), np.uint8)
    image[..., :3] = (205, 168, 104)
    image[..., 3] = np.where(hole, 0, 255)
    return image


# The file.

class Scene:
    def __init__(self):
        self.binary = bytearray()
        self.json = {
            "asset": {"version": "2.0", "generator": "Rigor make_demo_scene.py"},
            "extensionsUsed": [
                "KHR_lights_punctual", "KHR_materials_emissive_strength", "KHR_materials_ior",
                "KHR_materials_transmission", "KHR_materials_volume", "KHR_texture_transform"],
            "scene": 0, "scenes": [{"name": "still life", "nodes": []}], "nodes": [], "meshes": [],
            "materials": [], "textures": [], "images": [], "samplers": [{"magFilter": 9729}],
            "accessors": [], "bufferViews": [], "cameras": [],
            "extensions": {"KHR_lights_punctual": {"lights": []}},
        }

    def add(self, key, value):
        self.json[key].append(value)
        return len(self.json[key]) - 1

    def view(self, data):
        self.binary += b"\0" * (-len(self.binary) % 4)
        index = self.add("bufferViews", {
            "buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)})
        self.binary += data
        return index

    def accessor(self, array, kind, component, **more):
        return self.add("accessors", {
            "bufferView": self.view(array.tobytes()), "componentType": component,
            "count": len(array) if kind != "SCALAR" else array.size, "type": kind, **more})

    def texture(self, pixels, kind):
        out = io.BytesIO()
        if kind == "JPEG":
            Image.fromarray(pixels).save(out, kind, quality=82, subsampling="4:2:0")
        else:
            Image.fromarray(pixels).save(out, kind, optimize=True)
        image = self.add("images", {
            "bufferView": self.view(out.getvalue()), "mimeType": f"image/{kind.lower()}"})
        return self.add("textures", {"source": image, "sampler": 0})

    def primitive(self, material, positions, triangles, normals=None, uv=None, colors=None):
        positions = np.asarray(positions, np.float32)
        attributes = {"POSITION": self.accessor(
            positions, "VEC3", 5126, min=positions.min(0).tolist(), max=positions.max(0).tolist())}
        if normals is not None:
            attributes["NORMAL"] = self.accessor(np.asarray(normals, np.float32), "VEC3", 5126)
        if uv is not None:
            attributes["TEXCOORD_0"] = self.accessor(np.asarray(uv, np.float32), "VEC2", 5126)
        if colors is not None:
            codes = np.round(np.c_[colors, np.ones(len(colors))] * 255).astype(np.uint8)
            attributes["COLOR_0"] = self.accessor(codes, "VEC4", 5121, normalized=True)
        return {"attributes": attributes, "material": material,
                "indices": self.accessor(np.asarray(triangles, np.uint16), "SCALAR", 5123)}

    def node(self, name, shape=None, material=None, uv=True, **more):
        value = {"name": name, **more}
        if shape is not None:
            positions, normals, coordinates, triangles = shape
            value["mesh"] = self.add("meshes", {"name": name, "primitives": [self.primitive(
                material, positions, triangles, normals, coordinates if uv else None)]})
        self.json["scenes"][0]["nodes"].append(self.add("nodes", value))

    def light(self, name, kind, color, intensity, position=None, toward=None, spot=None):
        value = {"name": name, "type": kind, "color": color, "intensity": intensity}
        if spot:
            value["spot"] = {"innerConeAngle": spot[0], "outerConeAngle": spot[1]}
        lights = self.json["extensions"]["KHR_lights_punctual"]["lights"]
        lights.append(value)
        more = {"extensions": {"KHR_lights_punctual": {"light": len(lights) - 1}}}
        if position is not None:
            more["translation"] = list(position)
        if toward is not None:
            more["rotation"] = looking(position or (0, 0, 0), toward)
        self.node(name, **more)

    def write(self, path):
        self.binary += b"\0" * (-len(self.binary) % 4)
        self.json["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(self.json, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + len(self.binary)
        with open(path, "wb") as file:
            file.write(struct.pack("<4sII", b"glTF", 2, total))
            file.write(struct.pack("<I4s", len(text), b"JSON") + text)
            file.write(struct.pack("<I4s", len(self.binary), b"BIN\0") + self.binary)
        return total


def looking(eye, target):
    """The quaternion that turns −z from eye towards target, +y staying up."""
    back = np.asarray(eye, float) - np.asarray(target, float)
    back /= np.linalg.norm(back)
    right = np.cross([0, 1, 0], back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    m = np.stack([right, up, back], axis=1)
    w = np.sqrt(max(0, 1 + m[0, 0] + m[1, 1] + m[2, 2])) / 2
    x = np.copysign(np.sqrt(max(0, 1 + m[0, 0] - m[1, 1] - m[2, 2])) / 2, m[2, 1] - m[1, 2])
    y = np.copysign(np.sqrt(max(0, 1 - m[0, 0] + m[1, 1] - m[2, 2])) / 2, m[0, 2] - m[2, 0])
    z = np.copysign(np.sqrt(max(0, 1 - m[0, 0] - m[1, 1] + m[2, 2])) / 2, m[1, 0] - m[0, 1])
    q = np.array([x, y, z, w])
    return [round(float(v), 9) for v in q / np.linalg.norm(q)]


def materials(scene):
    def pbr(name, color=(1, 1, 1), metallic=0.0, roughness=0.5, more=None, **fields):
        value = {"baseColorFactor": [*color, 1], "metallicFactor": metallic,
                 "roughnessFactor": roughness, **(more or {})}
        return scene.add("materials", {"name": name, "pbrMetallicRoughness": value, **fields})

    repeated = {"KHR_texture_transform": {"scale": [3, 3]}}
    return {
        "table": pbr("oiled oak", roughness=0.38, more={"baseColorTexture": {
            "index": scene.texture(wood(), "JPEG"), "extensions": repeated}}),
        "wall": pbr("plaster", (0.155, 0.195, 0.20), roughness=0.9),
        "glass": pbr("glass", roughness=0.0, extensions={
            "KHR_materials_transmission": {"transmissionFactor": 1},
            "KHR_materials_ior": {"ior": 1.5},
            "KHR_materials_volume": {"thicknessFactor": 0.25}}),
        "frosted": pbr("frosted glass", (0.80, 0.93, 0.88), roughness=0.28, extensions={
            "KHR_materials_transmission": {"transmissionFactor": 0.95},
            "KHR_materials_ior": {"ior": 1.45},
            "KHR_materials_volume": {"thicknessFactor": 0.1}}),
        "gold": pbr("polished gold", (1.0, 0.71, 0.29), 1.0, 0.09),
        "copper": pbr(
            "hammered copper", (0.93, 0.52, 0.38), 1.0, 0.34, normalTexture={
                "index": scene.texture(normal_map(hammered(), 1.3), "PNG"), "scale": 0.8}),
        "steel": pbr("brushed steel", (0.72, 0.73, 0.75), 1.0, 1.0, more={
            "metallicRoughnessTexture": {"index": scene.texture(brushed(), "PNG")}}),
        "ceramic": pbr("glazed ceramic", roughness=0.14, more={
            "baseColorTexture": {"index": scene.texture(glaze(), "PNG")}}),
        "screen": pbr(
            "perforated brass", (1, 1, 1), 1.0, 0.32, doubleSided=True, alphaMode="MASK",
            alphaCutoff=0.5, more={"baseColorTexture": {
                "index": scene.texture(lattice(), "PNG"),
                "extensions": {"KHR_texture_transform": {"scale": [8, 4]}}}}),
        "gem": pbr("painted facets", roughness=0.22),
        "ember": pbr(
            "ember", (0, 0, 0), roughness=1.0, emissiveFactor=[1.0, 0.15, 0.02], extensions={
                "KHR_materials_emissive_strength": {"emissiveStrength": 2.4}}),
    }


def furnish(scene, made):
    def table(s, t):
        return np.stack([(s - 0.5) * 2.6, 0 * s, (0.5 - t) * 2.0 + 0.35], -1)
    scene.node("table", surface(table, 1, 1, 2.6 / 2.0, 1.0), made["table"])

    def wall(s, t):  # rises from the table's far edge in a quarter circle
        bend = np.clip((t - 0.25) / 0.25, 0, 1) * np.pi / 2
        rise = np.maximum(t - 0.5, 0) * 4
        run = np.minimum(t, 0.25) * 0.8
        z = -0.45 - run - 0.35 * np.sin(bend)
        y = 0.002 + 0.35 * (1 - np.cos(bend)) + rise
        return np.stack([(s - 0.5) * 5, y, z], -1)
    scene.node("wall", surface(wall, 24, 1), made["wall"], uv=False)

    scene.node("glass ball", sphere(0.125), made["glass"], uv=False, translation=[0.17, 0.125, 0.12])
    trefoil = knot(0.135, 0.030)
    turn = looking((0, 0, 0), (0.35, -0.12, -1))
    low = rotated(trefoil[0], turn)[:, 1].min()
    scene.node("trefoil", trefoil, made["gold"], uv=False, rotation=turn,
               translation=[-0.27, -float(low), 0.03])
    vase = [(0.001, 0.0), (0.055, 0.0), (0.066, 0.006), (0.098, 0.09), (0.102, 0.15), (0.07, 0.24),
            (0.036, 0.30), (0.034, 0.345), (0.056, 0.385), (0.050, 0.388), (0.028, 0.345),
            (0.030, 0.30), (0.062, 0.235), (0.092, 0.15), (0.05, 0.02), (0.001, 0.015)]
    scene.node("vase", lathe(vase, 48, 3, 3), made["copper"], translation=[-0.015, 0, -0.20])
    drum = [(0.001, 0.0), (0.07, 0.0), (0.0745, 0.002), (0.075, 0.008), (0.075, 0.092),
            (0.0745, 0.098), (0.07, 0.10), (0.001, 0.10)]
    scene.node("drum", lathe(drum, 48, 2, 4), made["steel"], translation=[0.40, 0, -0.03])
    cup = [(0.001, 0.004), (0.026, 0.0), (0.032, 0.004), (0.050, 0.03), (0.060, 0.068),
           (0.0615, 0.074), (0.058, 0.074), (0.046, 0.032), (0.026, 0.012), (0.001, 0.010)]
    scene.node("cup", lathe(cup, 44), made["ceramic"], translation=[-0.055, 0, 0.30])
    scene.node("ember", sphere(0.034, 32, 16), made["ember"], uv=False,
               translation=[-0.055, 0.058, 0.30])
    scene.node("frosted cube", rounded_box((0.052, 0.052, 0.052), 0.012), made["frosted"], uv=False,
               translation=[-0.40, 0.052, 0.27], rotation=[0, 0.2588190451, 0, 0.9659258263])

    points, triangles, colors = gem(0.062)
    mesh = scene.add("meshes", {"name": "gem", "primitives": [
        scene.primitive(made["gem"], points, triangles, colors=colors)]})
    tilt = [0.0, 0.0, 0.4226182617, 0.9063077870]
    low = rotated(points, tilt)[:, 1].min()
    scene.json["scenes"][0]["nodes"].append(scene.add("nodes", {
        "name": "gem", "mesh": mesh, "rotation": tilt, "translation": [0.31, -float(low), 0.30]}))

    def screen(s, t):
        angle = np.radians(26 + 109 * s)
        return np.stack([0.36 + 0.42 * np.cos(angle), 0.5 * t, 0.10 - 0.42 * np.sin(angle)], -1)
    scene.node("screen", surface(screen, 1, 40), made["screen"])


def rotated(points, quaternion):
    x, y, z, w = quaternion
    axis = np.array([x, y, z])
    twice = 2 * np.cross(axis, points)
    return points + w * twice + np.cross(axis, twice)


def illuminate(scene):
    scene.light("window", "directional", [1.0, 0.94, 0.86], 1.6, toward=(0.55, -0.9, -0.62))
    scene.light("lamp behind the screen", "spot", [1.0, 0.83, 0.58], 3.4, (0.95, 0.72, -0.52),
                (0.15, 0.0, 0.18), (0.25, 0.62))
    scene.light("bulb", "point", [0.62, 0.78, 1.0], 0.42, (-0.85, 0.55, 0.55))
    eye, target = (-0.10, 0.42, 1.38), (0.005, 0.125, 0.0)
    camera = scene.add("cameras", {"name": "portrait", "type": "perspective", "perspective": {
        "yfov": 0.47, "aspectRatio": 16 / 9, "znear": 0.01}})
    scene.node("camera", translation=list(eye), rotation=looking(eye, target), camera=camera)


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "Examples/scene/demo.glb"
    path.parent.mkdir(parents=True, exist_ok=True)
    scene = Scene()
    furnish(scene, materials(scene))
    illuminate(scene)
    total = scene.write(path)
    triangles = sum(
        scene.json["accessors"][p["indices"]]["count"] // 3
        for mesh in scene.json["meshes"] for p in mesh["primitives"])
    print(f"{path}: {total} bytes, {triangles} triangles")


main()
