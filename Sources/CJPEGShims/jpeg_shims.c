#include "jpeg_shims.h"
