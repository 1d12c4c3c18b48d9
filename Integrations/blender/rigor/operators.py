"""The operator that renders, and where it is found."""

import os
import shutil
import tempfile
import time

import bpy

from . import process
from .export import ExportError, export
from .preferences import find_program

RESULT_NAME = "Rigor Result"


class RENDER_OT_rigor(bpy.types.Operator):
    bl_idname = "render.rigor"
    bl_label = "Render with Rigor"
    bl_description = "Export the scene to glTF, render it with Rigor, and load the picture"

    _timer = None
    _running = None

    @classmethod
    def poll(cls, context):
        return context.scene is not None and RENDER_OT_rigor._running is None

    def execute(self, context):
        """All of it before it returns: for scripts and where there is no window."""
        try:
            self._begin(context)
            shown = -1
            while self._process.is_running:
                percent = int(self._process.fraction * 100)
                if percent != shown:
                    print(f"rigor: {percent} %", flush=True)
                    shown = percent
                time.sleep(0.05)
            return self._finish(context)
        except (ExportError, OSError, RuntimeError) as error:
            return self._fail(context, error)

    def invoke(self, context, event):
        if bpy.app.background or context.window is None:
            return self.execute(context)
        try:
            self._begin(context)
        except (ExportError, OSError, RuntimeError) as error:
            return self._fail(context, error)
        manager = context.window_manager
        manager.progress_begin(0, 100)
        self._timer = manager.event_timer_add(0.2, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        if event.type == "ESC":
            self._process.stop()
            self._clean(context)
            self.report({"INFO"}, "Rigor: stopped")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        context.window_manager.progress_update(self._process.fraction * 100)
        context.workspace.status_text_set(f"Rigor: {self._process.line}   (Esc stops)")
        if self._process.is_running:
            return {"RUNNING_MODAL"}
        try:
            return self._finish(context)
        except (OSError, RuntimeError) as error:
            return self._fail(context, error)

    # Steps

    def _begin(self, context):
        program = find_program(context)
        if program is None:
            raise RuntimeError("no rigor program: set its path in the add-on's preferences")
        self._folder = tempfile.mkdtemp(prefix="rigor-")
        scene, world, notes = export(context, self._folder)
        for note in notes:
            self.report({"WARNING"}, note)
        settings = context.scene.rigor
        render = context.scene.render
        scale = render.resolution_percentage / 100
        width = max(int(render.resolution_x * scale), 1)
        height = max(int(render.resolution_y * scale), 1)
        self._picture = os.path.join(self._folder, "picture.exr")
        if settings.target == "MARKET":
            home = os.path.join(self._folder, "market")
            command = process.market_command(
                program, settings, scene, world, f"{width}x{height}", home
            )
        else:
            command = process.local_command(
                program, settings, scene, world, f"{width}x{height}", self._picture
            )
        self._process = process.RigorProcess(command)
        RENDER_OT_rigor._running = self._process

    def _finish(self, context):
        document = self._process.result()
        if context.scene.rigor.target == "MARKET":
            self._picture = process.market_picture(document)
            digest = document["tasks"][0].get("merkle_root")
        else:
            digest = document.get("digest")
        image = load(self._picture)
        image["rigor_digest"] = str(digest)
        show(context, image)
        self._clean(context)
        self.report({"INFO"}, f"Rigor: {image.size[0]}x{image.size[1]}, digest {digest}")
        return {"FINISHED"}

    def _fail(self, context, error):
        self._clean(context)
        self.report({"ERROR"}, f"Rigor: {error}")
        return {"CANCELLED"}

    def _clean(self, context):
        RENDER_OT_rigor._running = None
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            context.window_manager.progress_end()
            context.workspace.status_text_set(None)
            self._timer = None
        folder = getattr(self, "_folder", None)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def load(path):
    """The picture, kept in the file under one name: the next one takes its place."""
    old = bpy.data.images.get(RESULT_NAME)
    image = bpy.data.images.load(path)
    image.pack()  # its file goes away with the temporary folder
    if old is not None:
        old.user_remap(image)
        bpy.data.images.remove(old)
    image.name = RESULT_NAME
    image.use_fake_user = True
    return image


def show(context, image):
    """In every image editor that is open."""
    for window in context.window_manager.windows if context.window_manager else []:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                area.spaces.active.image = image


class RENDER_PT_rigor(bpy.types.Panel):
    bl_label = "Rigor"
    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "render"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        settings = context.scene.rigor
        layout.prop(settings, "target")
        layout.prop(settings, "samples")
        if settings.target == "LOCAL":
            layout.prop(settings, "bounces")
            layout.prop(settings, "seed")
            layout.prop(settings, "device")
        layout.operator(RENDER_OT_rigor.bl_idname, icon="RENDER_STILL")


def draw_menu(self, context):
    self.layout.operator(RENDER_OT_rigor.bl_idname, icon="RENDER_STILL")


CLASSES = (RENDER_OT_rigor, RENDER_PT_rigor)
