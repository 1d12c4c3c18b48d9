#include "profiles.h"

// One block per file; the table below must name every one (a test counts them).
static const char clover[] = {
#embed "clover.json" suffix(, 0)
};
static const char default_all[] = {
#embed "default.json" suffix(, 0)
};
static const char default_cpu[] = {
#embed "default-cpu.json" suffix(, 0)
};
static const char default_gpu[] = {
#embed "default-gpu.json" suffix(, 0)
};
static const char intel_cpu[] = {
#embed "intel-cpu.json" suffix(, 0)
};
static const char oclgrind[] = {
#embed "oclgrind.json" suffix(, 0)
};
static const char pocl_cpu[] = {
#embed "pocl-cpu.json" suffix(, 0)
};
static const char rusticl[] = {
#embed "rusticl.json" suffix(, 0)
};

static const rigor_profile_file files[] = {
    {"clover", clover},
    {"default", default_all},
    {"default-cpu", default_cpu},
    {"default-gpu", default_gpu},
    {"intel-cpu", intel_cpu},
    {"oclgrind", oclgrind},
    {"pocl-cpu", pocl_cpu},
    {"rusticl", rusticl},
};

const rigor_profile_file *rigor_profile_files(size_t *count) {
    *count = sizeof files / sizeof *files;
    return files;
}
