// The inputs of the demo's jobs, as bytes in the binary: it needs no folder beside it.
#pragma once

typedef struct {
    const char *path; // below this folder
    const unsigned char *bytes;
    long byte_count;
} rigor_example_file;

// A pointer to `*count` files. Swift imports C arrays as tuples, hence a function.
const rigor_example_file *rigor_example_files(long *count);
