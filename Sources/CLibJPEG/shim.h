// jpeglib.h needs FILE and size_t to be known before it.
#include <stdio.h>
#include <jpeglib.h>
