// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// Random numbers are functions of (job seed, pixel, sample, dimension): nothing is carried along.
// Pairs are Sobol points, shuffled and Owen-scrambled by hash: Burley, "Practical Hash-based Owen
// Scrambling" (JCGT 2020), with Vegdahl's hash ("Building a Better LK Hash", 2021).

// Dimensions, a new set for each depth.
#define D_FILM 0u
#define D_BSDF 1u
#define D_LIGHT 2u
#define D_CHOICE 3u
#define D_ROULETTE 4u
#define D_ALPHA 5u
#define D_SHADOW_ALPHA 6u
#define D_TEXTURE 7u
#define D_COUNT 8u
// Beyond those of any depth: once a path.
#define D_LENS 0x10000u
#define D_BAND 0xffffffffu

// Wellons' lowbias32 (https://nullprogram.com/blog/2018/07/31).
EX_INLINE uint mix_bits(uint x) {
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ (x >> 16);
}

EX_INLINE uint hash_pair(uint a, uint b) {
    return mix_bits(a ^ mix_bits(b + 0x9e3779b9u));
}

// What identifies a pixel of a job.
EX_INLINE uint pixel_key(uint seed_low, uint seed_high, uint pixel) {
    return hash_pair(hash_pair(mix_bits(seed_low), seed_high), pixel);
}

// 32 random bits for one dimension of one sample.
EX_INLINE uint draw_bits(uint key, uint sample, uint dimension) {
    return hash_pair(hash_pair(key, dimension), sample);
}

// The top 24 bits as a float in [0, 1), exactly.
EX_INLINE float unit_float(uint bits) {
    return (float)(bits >> 8) * 0x1p-24f;
}

#ifdef RIGOR_NARROW
// By multiplication (Anderson, "Bit Twiddling Hacks"): from the swaps below, compilers make an
// instruction that Oclgrind does not know.
EX_INLINE uint reverse_byte(uint b) {
    return (uint)(((b * 0x80200802UL) & 0x0884422110UL) * 0x0101010101UL >> 32) & 255u;
}

EX_INLINE uint reverse_bits(uint x) {
    return reverse_byte(x & 255u) << 24 | reverse_byte((x >> 8) & 255u) << 16
        | reverse_byte((x >> 16) & 255u) << 8 | reverse_byte(x >> 24);
}
#else
EX_INLINE uint reverse_bits(uint x) {
    x = ((x >> 1) & 0x55555555u) | ((x & 0x55555555u) << 1);
    x = ((x >> 2) & 0x33333333u) | ((x & 0x33333333u) << 2);
    x = ((x >> 4) & 0x0f0f0f0fu) | ((x & 0x0f0f0f0fu) << 4);
    x = ((x >> 8) & 0x00ff00ffu) | ((x & 0x00ff00ffu) << 8);
    return (x >> 16) | (x << 16);
}
#endif

// A random permutation in which each bit depends on lower bits alone.
EX_INLINE uint scramble(uint x, uint seed) {
    x ^= x * 0x3d20adeau;
    x += seed;
    x *= (seed >> 16) | 1u;
    x ^= x * 0x05526c56u;
    x ^= x * 0x53a22864u;
    return x;
}

// The second Sobol dimension with its bits reversed: Pascal's triangle mod 2.
EX_INLINE uint sobol_second(uint x) {
    x ^= (x >> 1) & 0x55555555u;
    x ^= (x >> 2) & 0x33333333u;
    x ^= (x >> 4) & 0x0f0f0f0fu;
    x ^= (x >> 8) & 0x00ff00ffu;
    return x ^ (x >> 16);
}

// As large as it is for the reason that vec2 is.
typedef struct {
    uint x, y;
    uint unused[3];
} bit_pair;

// Two times 32 random bits, well spread over the samples of a pixel.
EX_INLINE bit_pair draw_pair(uint key, uint sample, uint dimension) {
    uint seed = hash_pair(key, dimension);
    uint index = reverse_bits(scramble(reverse_bits(sample), seed));
    uint x = scramble(index, mix_bits(seed ^ 0xa511e9b3u));
    uint y = scramble(sobol_second(index), mix_bits(seed ^ 0x63d83595u));
    bit_pair pair;
    pair.x = reverse_bits(x);
    pair.y = reverse_bits(y);
    return pair;
}
