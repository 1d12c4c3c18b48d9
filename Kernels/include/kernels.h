// The OpenCL C files of this folder, as bytes in the binary.
#pragma once
#include <stddef.h>

typedef struct {
    const char *name;  // path below Kernels/, such as "exact/prelude.cl"
    const char *text;  // zero-terminated
    size_t byte_count; // without the terminator
} rigor_kernel_file;

// A pointer to `*count` files. Swift imports C arrays as tuples, hence a function.
const rigor_kernel_file *rigor_kernel_files(size_t *count);
