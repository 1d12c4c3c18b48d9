// The API level is fixed here: 1.2 is what every rig has; without this the headers pick the newest and warn.
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS 1
#include <CL/cl.h>
#include <CL/cl_ext.h>
