// libjpeg reports errors through longjmp, which Swift cannot hold: this is the C that catches it.
#pragma once
#include <stddef.h>
#include <stdint.h>
