// needs: exact/divide.cl exact/root.cl exact/inverse.cl exact/exponential.cl
// needs: exact/trigonometric.cl render/vector.cl
// KHR_materials_iridescence: reflectance under a thin film, by Belcour and Barla ("A Practical
// Extension to Microfacet Theory for the Modeling of Varying Iridescence", 2017) in the form that
// the extension gives it.

#define FILM_PI 0x1.921fb6p1f

EX_INLINE float film_square(float x) { return x * x; }

EX_INLINE float film_schlick(float f0, float c) {
    float m = c < 1.0f ? 1.0f - c : 0.0f;
    float m2 = m * m;
    return fma(1.0f - f0, m2 * m2 * m, f0);
}

EX_INLINE float film_wave(float path, float shift, float amplitude, float frequency, float damp) {
    return amplitude * ex_cos(fma(frequency, path, shift)) * ex_exp(-(path * path * damp));
}

// The eye's answer to light whose phase has turned by a path in nanometres, as linear Rec. 709.
EX_INLINE vec3 film_sensitivity(float path, vec3 shift) {
    float x = film_wave(path, shift.x, 0x1.b1743ep-1f, 0x1.5a18c4p-7f, 0x1.6ee85cp-23f);
    float y = film_wave(path, shift.y, 0x1.000e8ap0f, 0x1.71a132p-7f, 0x1.8a6b26p-22f);
    float z = film_wave(path, shift.z, 0x1.00499p0f, 0x1.c6ae88p-7f, 0x1.1848d2p-22f);
    float second = film_wave(path, shift.x, 0x1.3b1f4ep-3f, 0x1.cd2adp-7f, 0x1.7fe5bep-23f);
    x = x + second;
    return make3(
        fma(x, 0x1.9ec734p1f, fma(y, -0x1.8981e8p0f, z * -0x1.fe7f04p-2f)),
        fma(x, -0x1.f043a2p-1f, fma(y, 0x1.e0423ep0f, z * 0x1.546d4p-5f)),
        fma(x, 0x1.c7d4aap-5f, fma(y, -0x1.a1d854p-3f, z * 0x1.0ea65p0f)));
}

// The film's lower side: reflectance, and whether the phase turns there.
EX_INLINE float film_lower(float f0, float ior, float cosine, float *phase) {
    float root = ex_sqrt(f0 < 0x1.fff2e4p-1f ? f0 : 0x1.fff2e4p-1f);
    float below = ex_div(1.0f + root, 1.0f - root);
    *phase = below < ior ? FILM_PI : 0.0f;
    return film_schlick(film_square(ex_div(below - ior, below + ior)), cosine);
}

// One wavelength's worth of one channel: reflectance of both sides together.
typedef struct {
    float both; // of light that went down and up once
    float steady;
    float wave;
} FilmChannel;

EX_INLINE void film_channel(float upper, float lower, FilmChannel *f) {
    float product = upper * lower;
    product = product < 0x1.4f8b58p-17f ? 0x1.4f8b58p-17f : product;
    product = product > 0x1.fff2e4p-1f ? 0x1.fff2e4p-1f : product;
    float through = 1.0f - upper;
    float around = ex_div(through * through * lower, 1.0f - product);
    f->both = ex_sqrt(product);
    f->steady = upper + around;
    f->wave = around - through;
}

EX_INLINE float film_unit(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }

// Reflectance at the cosine `c` over a base that reflects `head_on`; thickness in nanometres.
EX_INLINE vec3 film_reflectance(float film_ior, float thickness, float c, vec3 head_on) {
    // A film that vanishes has the index of what lies over it.
    float t = film_unit(thickness * 0x1.0aaaaap5f);
    float ior = fma(film_ior - 1.0f, t * t * fma(-2.0f, t, 3.0f), 1.0f);
    float squared = fma(-ex_div(fma(-c, c, 1.0f), ior), ex_rcp(ior), 1.0f);
    if (squared < 0.0f) return same3(1.0f);
    float inside = ex_sqrt(squared);
    float upper = film_schlick(film_square(ex_div(ior - 1.0f, ior + 1.0f)), c);
    float upper_phase = ior < 1.0f ? 0.0f : FILM_PI;
    vec3 phase;
    FilmChannel r, g, b;
    film_channel(upper, film_lower(head_on.x, ior, inside, &phase.x), &r);
    film_channel(upper, film_lower(head_on.y, ior, inside, &phase.y), &g);
    film_channel(upper, film_lower(head_on.z, ior, inside, &phase.z), &b);
    phase = add3(phase, same3(upper_phase));
    float path = 2.0f * ior * thickness * inside;
    vec3 both = make3(r.both, g.both, b.both);
    vec3 wave = multiply3(make3(r.wave, g.wave, b.wave), both);
    vec3 sum = make3(r.steady, g.steady, b.steady);
    // Light that went around once, and twice. (A loop, since this is long and compiled often.)
    for (uint turn = 0u; turn < 2u; ++turn) {
        vec3 seen = film_sensitivity(path, phase);
        sum = make3(
            fma(2.0f * wave.x, seen.x, sum.x), fma(2.0f * wave.y, seen.y, sum.y),
            fma(2.0f * wave.z, seen.z, sum.z));
        wave = multiply3(wave, both);
        path = 2.0f * path;
        phase = scale3(phase, 2.0f);
    }
    return make3(film_unit(sum.x), film_unit(sum.y), film_unit(sum.z));
}
