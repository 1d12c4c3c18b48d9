#include "kernels.h"

// One block per file; the table below must name every one (the tidy test counts them).
static const char exact_prelude[] = {
#embed "exact/prelude.cl" suffix(, 0)
};
static const char toy_hash[] = {
#embed "toy/hash.cl" suffix(, 0)
};

#define FILE_ENTRY(path, symbol) {path, symbol, sizeof symbol - 1}
static const rigor_kernel_file files[] = {
    FILE_ENTRY("exact/prelude.cl", exact_prelude),
    FILE_ENTRY("toy/hash.cl", toy_hash),
};

const rigor_kernel_file *rigor_kernel_files(size_t *count) {
    *count = sizeof files / sizeof *files;
    return files;
}
