// Draco is C++ and may throw; this is the C in front of it. No exception crosses it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RIGOR_DRACO_MESSAGE_BYTES = 256 };

/// How an attribute's stored integers become what was encoded.
enum {
    /// They are it.
    RIGOR_DRACO_PLAIN = 0,
    /// value × range ÷ (2^bits − 1) + minimum, for each component.
    RIGOR_DRACO_QUANTIZED = 1,
    /// Two octahedral coordinates of a unit vector, `bits` each.
    RIGOR_DRACO_OCTAHEDRAL = 2
};

typedef struct {
    /// Of the values as stored: 2 for octahedral ones.
    int components;
    /// Whether the stored values are floats, given as their bits.
    int is_float;
    int transform;
    int quantization_bits;
    float range;
    float minimum[4];
} rigor_draco_attribute;

typedef struct rigor_draco_mesh rigor_draco_mesh;

/// Decodes a triangle mesh, its attributes as they are stored: dequantising them is the caller's.
/// Returns 0, or 1 with `message` filled.
int rigor_draco_decode(
    const uint8_t *bytes, size_t count, rigor_draco_mesh **mesh, uint32_t *points, uint32_t *faces,
    char *message);

void rigor_draco_free(rigor_draco_mesh *mesh);

/// Writes three point numbers a face.
void rigor_draco_corners(const rigor_draco_mesh *mesh, uint32_t *corners);

/// What the attribute of that id is. Returns 0, or 1 where the mesh has none that can be read.
int rigor_draco_describe(
    const rigor_draco_mesh *mesh, uint32_t id, rigor_draco_attribute *attribute);

/// Writes `components` values for each point. Returns 0, or 1 where a value does not fit.
int rigor_draco_values(const rigor_draco_mesh *mesh, uint32_t id, int32_t *values);

#ifdef __cplusplus
}
#endif
