"""The open scene as files that Rigor reads: scene.glb, and the light around it as world.exr."""

import json
import math
import os
import struct

import bpy


class ExportError(Exception):
    """Says in one line what the scene lacks."""


def export(context, folder):
    """Writes the scene as it is at the current frame.

    Returns the paths of scene and environment, and what could not be carried over.
    """
    scene = context.scene
    if scene.camera is None:
        raise ExportError("the scene has no active camera: add one, and look through it")
    path = os.path.join(folder, "scene.glb")
    bpy.ops.export_scene.gltf(
        filepath=path,
        export_format="GLB",
        use_active_scene=True,
        use_renderable=True,
        export_cameras=True,
        export_lights=True,
        # Watts over 4 pi, as emission is in watts too; the standard's lumens would outshine it.
        export_import_convert_lighting_mode="COMPAT",
        # Modifiers, armatures and shape keys as they are now.
        export_apply=True,
        export_animations=False,
        export_skins=False,
        export_morph=False,
        export_tangents=False,
        check_existing=False,
    )
    keep_camera(path, scene.camera.name)
    world, notes = export_world(scene.world, folder)
    return path, world, notes


def keep_camera(path, name):
    """Takes all cameras but one out of a .glb: Rigor looks through the first it finds."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + length])
    nodes = [node for node in document.get("nodes", []) if "camera" in node]
    # Blender's exporter names a node after its object; a second camera may hang beside it.
    named = [node for node in nodes if node.get("name") == name] or nodes
    if not named:
        raise ExportError(f"camera {name}: it is not among what is rendered")
    for node in nodes:
        if node is not named[0]:
            del node["camera"]
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    with open(path, "wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest)))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text + rest)


# What lights the scene from all around


def export_world(world, folder):
    """Writes the world as an equirectangular .exr; what is said of it where that is not all."""
    path = os.path.join(folder, "world.exr")
    color, strength, texture, turn, notes = read_world(world)
    if texture is None:
        write_image(path, 4, 2, [channel * strength for channel in color] + [1.0], None)
        return path, notes
    width, height = texture.size
    if width == 0 or height == 0:
        raise ExportError(f"world: image {texture.name} is missing")
    import numpy

    pixels = numpy.empty(width * height * 4, dtype=numpy.float32)
    texture.pixels.foreach_get(pixels)
    pixels = pixels.reshape(height, width, 4)
    pixels[:, :, :3] *= strength
    # A turn about the vertical moves columns.
    columns = round(turn / (2 * math.pi) * width)
    pixels = numpy.roll(pixels, columns, axis=1)
    write_image(path, width, height, None, pixels.reshape(-1))
    return path, notes


def write_image(path, width, height, color, pixels):
    image = bpy.data.images.new(
        "rigor world", width, height, alpha=False, float_buffer=True, is_data=True
    )
    try:
        if pixels is None:
            pixels = color * (width * height)
        image.pixels.foreach_set(pixels)
        image.filepath_raw = path
        image.file_format = "OPEN_EXR"
        image.save()
    finally:
        bpy.data.images.remove(image)


def read_world(world):
    """Colour, strength, image, turn about the vertical, and notes on what is left out."""
    if world is None:
        return (0.0, 0.0, 0.0), 1.0, None, 0.0, []
    if not world.use_nodes or world.node_tree is None:
        return tuple(world.color), 1.0, None, 0.0, []
    output = next(
        (n for n in world.node_tree.nodes if n.type == "OUTPUT_WORLD" and n.is_active_output), None
    )
    background = linked(output, "Surface")
    if background is None:
        return (0.0, 0.0, 0.0), 1.0, None, 0.0, []
    notes = []
    if background.type != "BACKGROUND":
        return (0.0, 0.0, 0.0), 1.0, None, 0.0, [f"world: node {background.name} is left out"]
    strength = background.inputs["Strength"].default_value
    if background.inputs["Strength"].is_linked:
        notes.append("world: what drives the strength is left out")
    color = tuple(background.inputs["Color"].default_value)[:3]
    source = linked(background, "Color")
    if source is None:
        return color, strength, None, 0.0, notes
    if source.type != "TEX_ENVIRONMENT" or source.image is None:
        notes.append(f"world: node {source.name} is left out, its plain colour taken")
        return color, strength, None, 0.0, notes
    if source.projection != "EQUIRECTANGULAR":
        notes.append("world: a mirror ball is taken for an equirectangular picture")
    return color, strength, source.image, turn_of(linked(source, "Vector"), notes), notes


def turn_of(mapping, notes):
    """How far a mapping turns the world about the vertical, in radians."""
    if mapping is None or mapping.type == "TEX_COORD":
        return 0.0
    if mapping.type != "MAPPING":
        notes.append(f"world: node {mapping.name} is left out")
        return 0.0
    rotation = mapping.inputs["Rotation"].default_value
    moved = [*mapping.inputs["Location"].default_value, rotation[0], rotation[1]]
    scaled = mapping.inputs["Scale"].default_value
    if any(abs(v) > 1e-6 for v in moved) or any(abs(v - 1) > 1e-6 for v in scaled):
        notes.append("world: of its mapping the turn about the vertical alone is taken")
    return rotation[2]


def linked(node, name):
    """The node that feeds a socket."""
    if node is None or not node.inputs[name].is_linked:
        return None
    return node.inputs[name].links[0].from_node
