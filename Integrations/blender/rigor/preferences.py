"""What a user sets: where the program is, and how this scene is rendered."""

import os
import shutil

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty


class RigorPreferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    program: StringProperty(
        name="Program",
        description="The rigor program; empty looks for it along the search path",
        subtype="FILE_PATH",
    )

    def draw(self, context):
        self.layout.prop(self, "program")
        if not find_program(context):
            self.layout.label(text="No rigor program there", icon="ERROR")


class RigorSettings(bpy.types.PropertyGroup):
    target: EnumProperty(
        name="Where",
        items=[
            ("LOCAL", "This machine", "On the devices of this machine"),
            (
                "MARKET",
                "Demo market",
                "A market on this machine: two workers must agree, and are paid in play tokens",
            ),
        ],
        default="LOCAL",
    )
    device: StringProperty(
        name="Device",
        description="An index, part of a name, cpu, gpu or all (which then share the picture); "
        "empty takes the best one",
    )
    samples: IntProperty(name="Samples", default=64, min=1, max=65536)
    bounces: IntProperty(name="Bounces", default=4, min=0, max=64)
    seed: IntProperty(name="Seed", default=0, min=0)


def find_program(context):
    """The program's path; None where there is none."""
    addon = context.preferences.addons.get(__package__)
    named = addon.preferences.program if addon else ""
    if named:
        path = bpy.path.abspath(named)
        return path if os.access(path, os.X_OK) and os.path.isfile(path) else None
    return shutil.which("rigor")


CLASSES = (RigorPreferences, RigorSettings)
