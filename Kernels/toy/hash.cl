// SHA-256 (FIPS 180-4) of many chunks, one work-item each. Integers alone: the smallest app whose
// bits can be known beforehand.

__constant uint toy_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

__constant uint toy_start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// rotate(), not two shifts: compilers turn those into a funnel shift that Oclgrind does not know.
uint toy_right(uint x, uint n) { return rotate(x, 32u - n); }

// One block of 16 big-endian words into the state.
void toy_block(uint state[8], uint w[16]) {
    uint a = state[0], b = state[1], c = state[2], d = state[3];
    uint e = state[4], f = state[5], g = state[6], h = state[7];
    for (uint t = 0; t < 64u; t++) {
        uint word = w[t & 15u];
        if (t >= 16u) {
            uint near = w[(t + 1u) & 15u];
            uint far = w[(t + 14u) & 15u];
            word += w[(t + 9u) & 15u];
            word += toy_right(near, 7u) ^ toy_right(near, 18u) ^ (near >> 3);
            word += toy_right(far, 17u) ^ toy_right(far, 19u) ^ (far >> 10);
            w[t & 15u] = word;
        }
        uint one = h + (toy_right(e, 6u) ^ toy_right(e, 11u) ^ toy_right(e, 25u));
        one += ((e & f) ^ (~e & g)) + toy_k[t] + word;
        uint two = toy_right(a, 2u) ^ toy_right(a, 13u) ^ toy_right(a, 22u);
        two += (a & b) ^ (a & c) ^ (b & c);
        h = g;
        g = f;
        f = e;
        e = d + one;
        d = c;
        c = b;
        b = a;
        a = one + two;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

uint toy_swap(uint x) {
    return (rotate(x, 8u) & 0x00ff00ffu) | (rotate(x, 24u) & 0xff00ff00u);
}

// states[chunk] = SHA-256 of the chunk's blocks, which are padded already. `spans` holds the first
// block and the number of blocks of each chunk of the part.
__kernel void toy_hash_chunks(
    __global const uint *blocks, __global const uint *spans, __global uint *states) {
    size_t chunk = get_global_id(0);
    uint first = spans[2 * chunk];
    uint count = spans[2 * chunk + 1];
    uint state[8];
    for (uint i = 0; i < 8u; i++) state[i] = toy_start[i];
    for (uint block = first; block < first + count; block++) {
        uint w[16];
        for (uint i = 0; i < 16u; i++) w[i] = toy_swap(blocks[(size_t)block * 16 + i]);
        toy_block(state, w);
    }
    for (uint i = 0; i < 8u; i++) states[8 * chunk + i] = state[i];
}

// states[chunk] = SHA-256 of states[chunk], `rounds` times over.
__kernel void toy_hash_again(__global uint *states, uint rounds) {
    size_t chunk = get_global_id(0);
    uint last[8];
    for (uint i = 0; i < 8u; i++) last[i] = states[8 * chunk + i];
    for (uint round = 0; round < rounds; round++) {
        uint w[16];
        uint state[8];
        for (uint i = 0; i < 8u; i++) {
            w[i] = last[i];
            w[8 + i] = 0;
            state[i] = toy_start[i];
        }
        w[8] = 0x80000000u;
        w[15] = 256u;
        toy_block(state, w);
        for (uint i = 0; i < 8u; i++) last[i] = state[i];
    }
    for (uint i = 0; i < 8u; i++) states[8 * chunk + i] = last[i];
}
