// Stands between a program and OpenCL (LD_PRELOAD) and has every kernel compiled with contraction
// and fast math allowed: what exactness costs is what the same kernels gain by that. For measuring
// alone; what they compute then is not to be trusted. Compiled and used by cost.py.
#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char off[] = "#pragma OPENCL FP_CONTRACT OFF";
static const char on[] = "#pragma OPENCL FP_CONTRACT ON ";

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **strings,
                                     const size_t *lengths, cl_int *status) {
  cl_program (*create)(cl_context, cl_uint, const char **, const size_t *, cl_int *) =
      dlsym(RTLD_NEXT, "clCreateProgramWithSource");
  char **texts = calloc(count, sizeof *texts);
  for (cl_uint i = 0; i < count; i++) {
    size_t length = lengths && lengths[i] ? lengths[i] : strlen(strings[i]);
    texts[i] = strndup(strings[i], length);
    for (char *place = texts[i]; (place = strstr(place, off)); place += sizeof off - 1)
      memcpy(place, on, sizeof on - 1);
  }
  cl_program program = create(context, count, (const char **)texts, NULL, status);
  for (cl_uint i = 0; i < count; i++) free(texts[i]);
  free(texts);
  return program;
}

cl_int clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices,
                      const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                      void *data) {
  cl_int (*build)(cl_program, cl_uint, const cl_device_id *, const char *,
                  void(CL_CALLBACK *)(cl_program, void *), void *) =
      dlsym(RTLD_NEXT, "clBuildProgram");
  const char *more = " -cl-fast-relaxed-math -cl-mad-enable";
  char *loose = malloc(strlen(options ? options : "") + strlen(more) + 1);
  sprintf(loose, "%s%s", options ? options : "", more);
  cl_int status = build(program, count, devices, loose, notify, data);
  free(loose);
  return status;
}
