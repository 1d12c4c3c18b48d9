#include "examples.h"

static const unsigned char digits_digit_0_png[] = {
#embed "digits/digit-0.png"
};
static const unsigned char digits_digit_1_png[] = {
#embed "digits/digit-1.png"
};
static const unsigned char digits_digit_2_png[] = {
#embed "digits/digit-2.png"
};
static const unsigned char digits_digit_3_png[] = {
#embed "digits/digit-3.png"
};
static const unsigned char digits_digit_4_png[] = {
#embed "digits/digit-4.png"
};
static const unsigned char digits_digit_5_png[] = {
#embed "digits/digit-5.png"
};
static const unsigned char digits_digit_7_png[] = {
#embed "digits/digit-7.png"
};
static const unsigned char digits_digit_9_png[] = {
#embed "digits/digit-9.png"
};
static const unsigned char digits_digits_npz[] = {
#embed "digits/digits.npz"
};
static const unsigned char digits_digits_onnx[] = {
#embed "digits/digits.onnx"
};
static const unsigned char digits_labels_txt[] = {
#embed "digits/labels.txt"
};
static const unsigned char scene_demo_glb[] = {
#embed "scene/demo.glb"
};

#define FILE_ENTRY(path, bytes) {path, bytes, sizeof bytes}

static const rigor_example_file files[] = {
    FILE_ENTRY("digits/digit-0.png", digits_digit_0_png),
    FILE_ENTRY("digits/digit-1.png", digits_digit_1_png),
    FILE_ENTRY("digits/digit-2.png", digits_digit_2_png),
    FILE_ENTRY("digits/digit-3.png", digits_digit_3_png),
    FILE_ENTRY("digits/digit-4.png", digits_digit_4_png),
    FILE_ENTRY("digits/digit-5.png", digits_digit_5_png),
    FILE_ENTRY("digits/digit-7.png", digits_digit_7_png),
    FILE_ENTRY("digits/digit-9.png", digits_digit_9_png),
    FILE_ENTRY("digits/digits.npz", digits_digits_npz),
    FILE_ENTRY("digits/digits.onnx", digits_digits_onnx),
    FILE_ENTRY("digits/labels.txt", digits_labels_txt),
    FILE_ENTRY("scene/demo.glb", scene_demo_glb),
};

const rigor_example_file *rigor_example_files(long *count) {
    *count = sizeof files / sizeof *files;
    return files;
}
