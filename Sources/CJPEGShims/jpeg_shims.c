#include "jpeg_shims.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/// The error manager libjpeg sees, with what its callbacks need behind it.
typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf escape;
    char *message;
} error_state;

/// The progress monitor, called between scans: the only place to stop a file of endless scans.
typedef struct {
    struct jpeg_progress_mgr base;
    int scans_max;
} progress_state;

static void leave(j_common_ptr common)
{
    error_state *state = (error_state *)common->err;
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    snprintf(state->message, RIGOR_JPEG_MESSAGE_BYTES, "%s", text);
    longjmp(state->escape, 1);
}

// Level −1 is damaged data that the library would paper over; how it does so is not fixed.
static void judge(j_common_ptr common, int level)
{
    if (level < 0) leave(common);
}

static void stay_silent(j_common_ptr common)
{
    (void)common;
}

static void count_scans(j_common_ptr common)
{
    progress_state *progress = (progress_state *)common->progress;
    error_state *state = (error_state *)common->err;
    int scan = ((j_decompress_ptr)common)->input_scan_number;
    if (scan <= progress->scans_max) return;
    snprintf(
        state->message, RIGOR_JPEG_MESSAGE_BYTES, "more than %d scans", progress->scans_max);
    longjmp(state->escape, 1);
}

static void prepare(struct jpeg_decompress_struct *info, error_state *state, char *message)
{
    memset(info, 0, sizeof *info);
    memset(state, 0, sizeof *state);
    info->err = jpeg_std_error(&state->base);
    state->base.error_exit = leave;
    state->base.emit_message = judge;
    state->base.output_message = stay_silent;
    state->message = message;
    message[0] = 0;
}

int rigor_jpeg_read_header(
    const uint8_t *bytes, size_t count, rigor_jpeg_header *header, char *message)
{
    struct jpeg_decompress_struct info;
    error_state state;
    prepare(&info, &state, message);
    if (setjmp(state.escape)) {
        jpeg_destroy_decompress(&info);
        return 1;
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, count);
    jpeg_read_header(&info, TRUE);
    header->width = info.image_width;
    header->height = info.image_height;
    header->components = info.num_components;
    header->bits_per_sample = info.data_precision;
    header->is_progressive = info.progressive_mode;
    header->is_arithmetic = info.arith_code;
    jpeg_destroy_decompress(&info);
    return 0;
}

int rigor_jpeg_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, int scans_max,
    size_t memory_bytes_max, uint8_t *rgba, char *message)
{
    struct jpeg_decompress_struct info;
    error_state state;
    progress_state progress;
    prepare(&info, &state, message);
    if (setjmp(state.escape)) {
        jpeg_destroy_decompress(&info);
        return 1;
    }
    jpeg_create_decompress(&info);
    info.mem->max_memory_to_use = (long)memory_bytes_max;
    memset(&progress, 0, sizeof progress);
    progress.base.progress_monitor = count_scans;
    progress.scans_max = scans_max;
    info.progress = &progress.base;

    jpeg_mem_src(&info, bytes, count);
    jpeg_read_header(&info, TRUE);
    info.out_color_space = JCS_EXT_RGBA;
    info.dct_method = JDCT_ISLOW;
    info.do_fancy_upsampling = TRUE;
    info.do_block_smoothing = FALSE;
    info.quantize_colors = FALSE;
    jpeg_start_decompress(&info);
    if (info.output_width != width || info.output_height != height) {
        snprintf(message, RIGOR_JPEG_MESSAGE_BYTES, "the size changed after the header");
        jpeg_destroy_decompress(&info);
        return 1;
    }
    while (info.output_scanline < height) {
        JSAMPROW row = rgba + (size_t)info.output_scanline * width * 4;
        jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
    return 0;
}
