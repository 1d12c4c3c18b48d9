"""Tests the add-on in Blender's Python module: installs it, renders scenes through it, and holds the
pictures against Cycles'.

Usage: python test_addon.py RIGOR   (with a python that has bpy)
"""

import math
import os
import shutil
import sys
import tempfile

scripts = tempfile.mkdtemp(prefix="rigor-addon-")
os.environ["BLENDER_USER_SCRIPTS"] = scripts
here = os.path.dirname(os.path.abspath(__file__))
shutil.copytree(os.path.join(here, "rigor"), os.path.join(scripts, "addons", "rigor"))

import bpy  # first: it makes the next ones importable
import addon_utils
import numpy

RIGOR = os.path.abspath(sys.argv[1])
SIZE = (96, 64)


def new_scene():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert addon_utils.enable("rigor", default_set=True) is not None, "the add-on does not load"
    bpy.context.preferences.addons["rigor"].preferences.program = RIGOR
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = SIZE[0] * 2, SIZE[1] * 2
    scene.render.resolution_percentage = 50
    scene.rigor.samples = 64
    return scene


def camera(scene, name, location, rotation):
    data = bpy.data.cameras.new(name)
    data.angle = math.radians(60)
    eye = bpy.data.objects.new(name, data)
    eye.location, eye.rotation_euler = location, rotation
    scene.collection.objects.link(eye)
    return eye


def material(name, color, roughness=1.0):
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*color, 1)
    shader.inputs["Roughness"].default_value = roughness
    return made


def world_with_image(scene, turn):
    """A panorama without symmetry: each direction has its own colour."""
    width, height = 64, 32
    column = numpy.linspace(0, 2 * math.pi, width, endpoint=False)
    row = numpy.linspace(0, 1, height)
    pixels = numpy.ones((height, width, 4), dtype=numpy.float32)
    pixels[:, :, 0] = 0.6 + 0.5 * numpy.sin(column)[None, :]
    pixels[:, :, 1] = 0.3 + 0.5 * row[:, None]
    pixels[:, :, 2] = 0.6 + 0.5 * numpy.cos(column)[None, :]
    image = bpy.data.images.new("panorama", width, height, float_buffer=True, is_data=True)
    image.pixels.foreach_set(pixels.reshape(-1))
    world = bpy.data.worlds.new("world")
    scene.world = world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    nodes["Background"].inputs["Strength"].default_value = 1.5
    texture = nodes.new("ShaderNodeTexEnvironment")
    texture.image = image
    mapping, place = nodes.new("ShaderNodeMapping"), nodes.new("ShaderNodeTexCoord")
    mapping.inputs["Rotation"].default_value[2] = turn
    links.new(place.outputs["Generated"], mapping.inputs["Vector"])
    links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    links.new(texture.outputs["Color"], nodes["Background"].inputs["Color"])


def furnished(scene):
    """A ball with a modifier on a floor, a lamp, and two cameras of which one is looked through."""
    bpy.ops.mesh.primitive_plane_add(size=6, location=(0, 0, -1))
    bpy.context.object.data.materials.append(material("floor", (0.6, 0.5, 0.4)))
    bpy.ops.mesh.primitive_cube_add(size=1.6)
    bpy.context.object.modifiers.new("rounder", "SUBSURF").levels = 3
    bpy.context.object.modifiers["rounder"].render_levels = 3
    bpy.context.object.data.materials.append(material("ball", (0.2, 0.4, 0.8)))
    lamp = bpy.data.lights.new("lamp", "POINT")
    lamp.energy, lamp.shadow_soft_size = 150, 0
    hanging = bpy.data.objects.new("lamp", lamp)
    hanging.location = (1.5, -1.5, 2.5)
    scene.collection.objects.link(hanging)
    camera(scene, "decoy", (9, 9, 9), (0, 0, 0))
    scene.camera = camera(scene, "eye", (0, -4, 0.6), (math.radians(84), 0, 0))


def pixels_of(image):
    values = numpy.empty(SIZE[0] * SIZE[1] * 4, dtype=numpy.float32)
    assert tuple(image.size) == SIZE, f"{image.size[:]}, expected {SIZE}"
    image.pixels.foreach_get(values)
    return values.reshape(SIZE[1], SIZE[0], 4)[:, :, :3]


def through_rigor():
    assert bpy.ops.render.rigor() == {"FINISHED"}
    image = bpy.data.images["Rigor Result"]
    return pixels_of(image), image["rigor_digest"]


def through_cycles(scene):
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples = "CPU", 64
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = 4
    cycles.sample_clamp_indirect = 0
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 1.0
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filepath = os.path.join(scripts, "cycles.exr")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    try:
        return pixels_of(image)
    finally:
        bpy.data.images.remove(image)


def difference(own, other):
    """Of blocks' means, so that noise does not count: relative to the picture's mean."""

    def blocks(p):
        return p.reshape(SIZE[1] // 8, 8, SIZE[0] // 8, 8, 3).mean(axis=(1, 3))

    return float(numpy.abs(blocks(own) - blocks(other)).mean() / other.mean())


def test_a_furnished_scene():
    for turn in (0.0, 1.1):
        scene = new_scene()
        world_with_image(scene, turn)
        furnished(scene)
        own, digest = through_rigor()
        assert own.mean() > 0.05 and own.std() > 0.02, "black, or of one colour"
        assert digest.startswith("0x") and len(digest) == 66, digest
        again, other = through_rigor()
        assert other == digest and (again == own).all(), "two renders, two pictures"
        assert len([i for i in bpy.data.images if i.name.startswith("Rigor Result")]) == 1
        apart = difference(own, through_cycles(scene))
        print(f"turn {turn}: {apart:.3f} from Cycles")
        assert apart < 0.03, f"turn {turn}: {apart} from Cycles"


def test_a_plain_world_and_none():
    scene = new_scene()
    furnished(scene)
    scene.world = bpy.data.worlds.new("plain")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.2, 0.5, 0.9, 1)
    own, _ = through_rigor()
    corner = own[-4:, :4].mean(axis=(0, 1))
    assert numpy.allclose(corner, (0.2, 0.5, 0.9), atol=0.01), f"the sky is {corner}"
    scene.world = None
    dark, _ = through_rigor()
    assert dark[-4:, :4].max() == 0, "without a world the sky is black"
    assert dark.mean() > 0.001, "the lamp shines"


def test_what_is_wrong_is_said():
    def said(change):
        scene = new_scene()
        furnished(scene)
        change(scene)
        try:
            bpy.ops.render.rigor()
        except RuntimeError as error:
            return str(error)
        raise AssertionError("it did not fail")

    addons = bpy.context.preferences.addons
    assert "no active camera" in said(lambda scene: setattr(scene, "camera", None))
    assert "no rigor program" in said(
        lambda scene: setattr(addons["rigor"].preferences, "program", "/nowhere/rigor")
    )
    assert "no device matches" in said(lambda scene: setattr(scene.rigor, "device", "abacus"))


def test_it_unregisters():
    new_scene()
    addon_utils.disable("rigor", default_set=True)
    assert not hasattr(bpy.types.Scene, "rigor")
    assert addon_utils.enable("rigor", default_set=True) is not None


try:
    tests = [value for name, value in list(globals().items()) if name.startswith("test_")]
    for test in tests:
        test()
        print(f"passed: {test.__name__}", flush=True)
    print(f"{len(tests)} passed")
finally:
    shutil.rmtree(scripts, ignore_errors=True)
