"""Renders the open scene with Rigor: exports it to glTF, starts the program, shows how far it is,
and loads the picture."""

import bpy

from . import operators, preferences

bl_info = {
    "name": "Rigor",
    "author": "The Rigor project",
    "version": (0, 1, 0),
    "blender": (4, 2, 0),
    "location": "Render menu, and Properties > Render > Rigor",
    "description": "Render the scene with Rigor: the same bits on every device",
    "category": "Render",
}

CLASSES = preferences.CLASSES + operators.CLASSES


def register():
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Scene.rigor = bpy.props.PointerProperty(type=preferences.RigorSettings)
    bpy.types.TOPBAR_MT_render.append(operators.draw_menu)


def unregister():
    bpy.types.TOPBAR_MT_render.remove(operators.draw_menu)
    del bpy.types.Scene.rigor
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
