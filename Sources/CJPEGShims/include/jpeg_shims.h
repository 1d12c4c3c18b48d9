// libjpeg reports errors through longjmp, which Swift cannot hold: this is the C that catches it.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// What a JPEG file's header says.
typedef struct {
    uint32_t width;
    uint32_t height;
    /// 1 greyscale, 3 YCbCr or RGB, 4 CMYK or YCCK.
    int components;
    int bits_per_sample;
    int is_progressive;
    int is_arithmetic;
} rigor_jpeg_header;

enum { RIGOR_JPEG_MESSAGE_BYTES = 256 };

/// Reads the header alone. Returns 0, or 1 with `message` filled.
int rigor_jpeg_read_header(
    const uint8_t *bytes, size_t count, rigor_jpeg_header *header, char *message);

/// Decodes into `rgba`: `width * height * 4` bytes, alpha 255. Any warning of the library, more
/// than `scans_max` scans, or a picture of another size is an error. Returns 0, or 1 with `message`
/// filled. The decoder's choices are fixed: slow integer DCT, fancy upsampling, no block smoothing.
int rigor_jpeg_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, int scans_max,
    size_t memory_bytes_max, uint8_t *rgba, char *message);
