// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl
// Words of the render blob. Sources/Rendering/Prepare/BlobLayout.swift has the same numbers, and
// the host checks every index of a blob against them before a kernel sees it.
#define H_WIDTH 3
#define H_HEIGHT 4
#define H_BOUNCES 5
#define H_SEED_LOW 6
#define H_SEED_HIGH 7
#define H_CAMERA 8
#define H_CAMERA_FLAGS 11
#define H_RIGHT 12
#define H_UP 16
#define H_FORWARD 20
#define H_TWO_OVER_WIDTH 24
#define H_TWO_OVER_HEIGHT 25
#define H_OFFSET 26
#define H_PAD 27
#define H_LENS_RADIUS 30 // zero for a pinhole
#define H_FOCUS_DISTANCE 31
#define H_SECTIONS 32
#define H_ENV_WIDTH 72
#define H_ENV_HEIGHT 73
#define H_ENV_SCALE 75 // one over the brightest texel's luminance
#define H_ENV_DENSITY 76
#define H_ENV_CHANCE 77
#define H_CONE_WIDTH 78
#define H_CONE_SPREAD 79
// Where the lights are in a tree: how many emitters are in the table all the same, how many of 2^32
// choices fall on these, and how deep the tree is.
#define H_LIGHT_TABLE 88
#define H_LIGHT_BASE 89
#define H_LIGHT_LEVELS 90
#define H_CLAMP 81 // most that light scattered more than once may add; zero for no limit

#define S_NODES 0
#define S_BLOCKS 1
#define S_TRIANGLES 2
#define S_VERTICES 3
#define S_TANGENTS 4
#define S_UV1 5
#define S_COLORS 6
#define S_MATERIALS 7
#define S_TEXTURES 8
#define S_TEXELS 9
#define S_LIGHTS 10
#define S_EMITTERS 11
#define S_TRIANGLE_EMITTERS 12
#define S_ENV_TEXELS 13
#define S_ENV_ROWS 14 // running totals, then sines
#define S_ENV_COLUMNS 15
#define S_SRGB 16
#define S_SHEEN 17 // what a sheen sends back, over cosine and roughness
#define SHEEN_SIDE 16
#define S_LIGHT_NODES 18

#define SECTION(blob, s) ((blob) + (blob)[H_SECTIONS + 2 * (s)])
#define SECTION_COUNT(blob, s) ((blob)[H_SECTIONS + 2 * (s) + 1])

#define NODE_WORDS 64
#define BLOCK_WORDS 104
#define TRIANGLE_WORDS 4
#define VERTEX_WORDS 8
#define MATERIAL_WORDS 64
#define TEXTURE_WORDS 16
#define LIGHT_WORDS 16
#define EMITTER_WORDS 4
#define LIGHT_NODE_WORDS 12
#define EMITTER_NONE 0xffffffffu // a triangle that is not in the table of lights

// A node of the tree of lights: a ball around its emitters, the axis that they shine along, how far
// off it, their power, and how many they are.
#define LN_CENTER 0
#define LN_RADIUS 3
#define LN_AXIS 4
#define LN_SPREAD 7
#define LN_POWER 8
#define LN_NEARNESS 9 // one over the least squared distance that counts
#define LN_COUNT 10
#define LN_CHILD 11 // the first of two children, or a leaf's emitter
#define LIGHT_NODE_LEAF 0x80000000u
#define LIGHT_NODE_SPOTS 0x40000000u
#define LIGHT_NODE_INDEX 0x3fffffffu
// The root's chances, a fourth of the choices that are its, and what of all choices some are.
#define LIGHT_CHANCES(blob) (0x40000000u - ((blob)[H_LIGHT_BASE] >> 2))
#define LIGHT_CHANCE(chances) ((float)(int)(chances) * 0x1p-30f)

// A child word: a leaf's block, or a node. A lane's primitive word: whether a hit must ask the
// material for its alpha, whether the camera sees the front alone, and the triangle.
#define CHILD_LEAF 0x80000000u
#define PRIMITIVE_ASK 0x80000000u
#define PRIMITIVE_SINGLE_SIDED 0x40000000u
#define PRIMITIVE_NONE 0x3fffffffu

#define M_BASE 0
#define M_METALLIC 4
#define M_ROUGHNESS 5
#define M_TRANSMISSION 6
#define M_F0 7
#define M_IOR 8
#define M_EMISSIVE 9
#define M_FLAGS 12
#define M_CUTOFF 13
#define M_NORMAL_SCALE 14
#define M_BASE_TEXTURE 15
#define M_ROUGHNESS_TEXTURE 16
#define M_NORMAL_TEXTURE 17
#define M_EMISSIVE_TEXTURE 18
#define M_TRANSMISSION_TEXTURE 19
#define M_ATTENUATION 20 // of light in a solid, a unit of distance
// Read where the material has layers. A factor is followed by its texture, where it has one.
#define M_SPECULAR 24
#define M_SPECULAR_TEXTURE 25
#define M_SPECULAR_COLOR 26
#define M_SPECULAR_COLOR_TEXTURE 29
#define M_COAT 30
#define M_COAT_TEXTURE 31
#define M_COAT_ROUGHNESS 32
#define M_COAT_ROUGHNESS_TEXTURE 33
#define M_COAT_NORMAL_SCALE 34
#define M_COAT_NORMAL_TEXTURE 35
#define M_SHEEN 36
#define M_SHEEN_TEXTURE 39
#define M_SHEEN_ROUGHNESS 40
#define M_SHEEN_ROUGHNESS_TEXTURE 41
#define M_ANISOTROPY 42
#define M_ANISOTROPY_TEXTURE 43
#define M_ANISOTROPY_AXIS 44 // cosine and sine of the rotation
#define M_FILM 46
#define M_FILM_TEXTURE 47
#define M_FILM_IOR 48
#define M_FILM_LEAST 49 // nanometres
#define M_FILM_MOST 50
#define M_FILM_THICKNESS_TEXTURE 51
#define M_DISPERSION 52 // how far the outer bands' indices are off, over the index
#define M_DIFFUSE_THROUGH 53
#define M_DIFFUSE_THROUGH_TEXTURE 54
#define M_THROUGH_COLOR 55
#define M_THROUGH_COLOR_TEXTURE 58

#define MATERIAL_MASK 1u
#define MATERIAL_BLEND 2u
#define MATERIAL_DOUBLE_SIDED 4u
#define MATERIAL_THIN 8u
#define MATERIAL_EMISSIVE 16u
#define MATERIAL_SOLID 32u // refracts, and light goes on inside
#define MATERIAL_LAYERED 64u
#define MATERIAL_GLOSSY 128u // the specular colour's alpha is glossiness

// What light scattered more than once adds to a path's pixel, with the job's limit.
EX_INLINE vec3 limit_indirect(__global const uint *blob, vec3 radiance) {
    float limit = as_float(blob[H_CLAMP]), most = largest3(radiance);
    return limit > 0.0f && most > limit ? scale3(radiance, ex_div(limit, most)) : radiance;
}

#define TEXTURE_NONE 0xffffffffu

// A use of a texture.
#define T_TEXELS 0
#define T_WIDTH 1
#define T_HEIGHT 2
#define T_FLAGS 3
#define T_TRANSFORM 4 // two rows: the factors of u, v and 1
#define T_LEVELS 10
#define T_AREA 11 // texels in a unit square of the coordinates before they are transformed

#define TEXTURE_WRAP_V 2 // the bit where v's two begin; u's are the lowest
#define TEXTURE_LINEAR 16u
#define TEXTURE_SRGB 32u
#define TEXTURE_MIN_LINEAR 64u
#define TEXTURE_LEVEL_LINEAR 128u
#define TEXTURE_SET_1 256u
#define WRAP_REPEAT 0u
#define WRAP_MIRROR 1u
#define WRAP_CLAMP 2u

// Path state: one word a field, all slots of a field side by side, floats as bit patterns.
#define P_ORIGIN 0 // from `surface` until `scatter`: where the ray met the surface
#define P_DIRECTION 3
#define P_THROUGHPUT 6
#define P_DENSITY 9
#define P_RADIANCE 10
#define P_HIT_DISTANCE 13
#define P_HIT_PRIMITIVE 14
#define P_KEY 15
#define P_SAMPLE 16
// The surface that was met: `surface` writes it, `light` and `scatter` read it.
#define P_NORMAL 17 // geometric, toward the viewer
#define P_SHADING_NORMAL 20
#define P_BASE 23
#define P_METALLIC 26
#define P_ALPHA 27
#define P_TRANSMISSION 28
#define P_F0 29
#define P_ETA 30
#define P_SURFACE_FLAGS 31 // the material's
// The light that was asked: `light` writes it, `scatter` weighs its radiance, `occlusion` reads it.
#define P_SHADOW_DIRECTION 32
#define P_SHADOW_DISTANCE 35 // zero where no light was asked
#define P_SHADOW_RADIANCE 36
#define P_SHADOW_DENSITY 39
#define P_LIGHT_CHANCE 39 // within `surface`: chance of the light that was met, by the tree
#define P_SHADOW_ORIGIN 40
// The cone around the path that textures are filtered by: its width where the ray begins (from
// `surface` on: where it ends), and how it grows a unit of distance.
#define P_CONE_WIDTH 43
#define P_CONE_SPREAD 44
#define P_WORDS 45
// Where a scene has solids (RIGOR_MEDIA): those around the ray, the last entered first, and the one
// whose surface was met.
#define P_MEDIA 45
#define P_INTERFACE 49
#define MEDIA_MAX 4 // media.cl spells them out
#define MEDIUM_NONE 0xffffffffu
#define INTERFACE_NONE 0xffffffffu
#define INTERFACE_LEAVES 0x80000000u
// Where a scene has layered materials: what `layers` writes and `scatter_layered` reads.
#define P_SPECULAR 50 // the dielectric's reflectance head-on
#define P_RIM 53 // and at the rim
#define P_COAT 54
#define P_COAT_ALPHA 55
#define P_COAT_NORMAL 56
#define P_SHEEN 59
#define P_SHEEN_ROUGHNESS 62
#define P_TANGENT 63
#define P_ALPHA_ALONG 66
#define P_FILM 67
#define P_FILM_IOR 68
#define P_FILM_THICKNESS 69
#define P_DIFFUSE_THROUGH 70
#define P_THROUGH_COLOR 71
#define P_BAND 74 // BAND_CHOSEN, and the surface's band plus one, or zero
#define BAND_CHOSEN 4u

// Lengths of the queues, four words a depth: paths, surfaces to shade, shadow rays, nothing.
#define COUNT_PATHS(depth) (4u * (depth))
#define COUNT_SURFACES(depth) (4u * (depth) + 1u)
#define COUNT_SHADOWS(depth) (4u * (depth) + 2u)

EX_INLINE float path_float(__global const uint *state, uint capacity, uint field, uint slot) {
    return as_float(state[field * capacity + slot]);
}

EX_INLINE void set_path_float(
    __global uint *state, uint capacity, uint field, uint slot, float value) {
    state[field * capacity + slot] = as_uint(value);
}

EX_INLINE vec3 path_vec3(__global const uint *state, uint capacity, uint field, uint slot) {
    __global const uint *at = state + field * capacity + slot;
    return make3(as_float(at[0]), as_float(at[capacity]), as_float(at[2 * capacity]));
}

EX_INLINE void set_path_vec3(
    __global uint *state, uint capacity, uint field, uint slot, vec3 value) {
    __global uint *at = state + field * capacity + slot;
    at[0] = as_uint(value.x);
    at[capacity] = as_uint(value.y);
    at[2 * capacity] = as_uint(value.z);
}
