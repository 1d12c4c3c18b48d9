// The device profiles of this folder, as bytes in the binary.
#pragma once
#include <stddef.h>

typedef struct {
    const char *name; // the file's name without its ending
    const char *text; // zero-terminated
} rigor_profile_file;

// A pointer to `*count` files. Swift imports C arrays as tuples, hence a function.
const rigor_profile_file *rigor_profile_files(size_t *count);
