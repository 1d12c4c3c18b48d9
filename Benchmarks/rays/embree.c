// Embree on the rays that `rigor bench --scene FILE --export FOLDER` wrote: building time, and
// rtcIntersect1 and rtcIntersect16 over each set, with all threads. One line of JSON.
//
//     cc -O2 -march=native embree.c -o embree -lembree3 -lpthread -lm && ./embree FOLDER [RUNS]
#include <embree3/rtcore.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 4096, THREADS_MAX = 64 };

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *read_file(const char *folder, const char *name, size_t *bytes) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    void *data = aligned_alloc(64, (*bytes + 127) / 64 * 64);
    if (fread(data, 1, *bytes, file) != *bytes) exit(1);
    fclose(file);
    return data;
}

typedef enum { ONE, SIXTEEN_INCOHERENT, SIXTEEN_COHERENT } Call;
static const char *const call_names[] = {"intersect1", "intersect16", "intersect16_coherent"};

typedef struct {
    RTCScene scene;
    const float *rays; // six a ray
    size_t count;
    float *distances;
    uint32_t *triangles;
    Call call;
    size_t next;
} Job;

static void one(Job *job, size_t first, size_t end, struct RTCIntersectContext *context) {
    for (size_t i = first; i < end; ++i) {
        const float *r = job->rays + 6 * i;
        struct RTCRayHit query;
        memset(&query, 0, sizeof query);
        query.ray.org_x = r[0], query.ray.org_y = r[1], query.ray.org_z = r[2];
        query.ray.dir_x = r[3], query.ray.dir_y = r[4], query.ray.dir_z = r[5];
        query.ray.tfar = INFINITY;
        query.ray.mask = 0xffffffffu;
        query.hit.geomID = query.hit.primID = RTC_INVALID_GEOMETRY_ID;
        rtcIntersect1(job->scene, context, &query);
        job->distances[i] = query.ray.tfar;
        job->triangles[i] = query.hit.primID;
    }
}

static void sixteen(Job *job, size_t first, size_t end, struct RTCIntersectContext *context) {
    for (size_t i = first; i < end; i += 16) {
        struct RTCRayHit16 query;
        int valid[16] __attribute__((aligned(64)));
        memset(&query, 0, sizeof query);
        for (size_t lane = 0; lane < 16; ++lane) {
            const float *r = job->rays + 6 * (i + lane < end ? i + lane : end - 1);
            query.ray.org_x[lane] = r[0], query.ray.org_y[lane] = r[1], query.ray.org_z[lane] = r[2];
            query.ray.dir_x[lane] = r[3], query.ray.dir_y[lane] = r[4], query.ray.dir_z[lane] = r[5];
            query.ray.tfar[lane] = INFINITY;
            query.ray.mask[lane] = 0xffffffffu;
            query.hit.geomID[lane] = query.hit.primID[lane] = RTC_INVALID_GEOMETRY_ID;
            query.hit.instID[0][lane] = RTC_INVALID_GEOMETRY_ID;
            valid[lane] = i + lane < end ? -1 : 0;
        }
        rtcIntersect16(valid, job->scene, context, &query);
        for (size_t lane = 0; lane < 16 && i + lane < end; ++lane) {
            job->distances[i + lane] = query.ray.tfar[lane];
            job->triangles[i + lane] = query.hit.primID[lane];
        }
    }
}

static void *work(void *argument) {
    Job *job = argument;
    struct RTCIntersectContext context;
    rtcInitIntersectContext(&context);
    context.flags = job->call == SIXTEEN_COHERENT ? RTC_INTERSECT_CONTEXT_FLAG_COHERENT
                                                  : RTC_INTERSECT_CONTEXT_FLAG_INCOHERENT;
    for (;;) {
        size_t first = __atomic_fetch_add(&job->next, PIECE, __ATOMIC_RELAXED);
        if (first >= job->count) return NULL;
        size_t end = first + PIECE < job->count ? first + PIECE : job->count;
        if (job->call == ONE) one(job, first, end, &context);
        else sixteen(job, first, end, &context);
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

static RTCScene build(
    RTCDevice device, float *positions, size_t vertices, uint32_t *triangles, size_t count) {
    RTCScene scene = rtcNewScene(device);
    rtcSetSceneBuildQuality(scene, RTC_BUILD_QUALITY_MEDIUM);
    RTCGeometry mesh = rtcNewGeometry(device, RTC_GEOMETRY_TYPE_TRIANGLE);
    rtcSetSharedGeometryBuffer(
        mesh, RTC_BUFFER_TYPE_VERTEX, 0, RTC_FORMAT_FLOAT3, positions, 0, 12, vertices);
    rtcSetSharedGeometryBuffer(
        mesh, RTC_BUFFER_TYPE_INDEX, 0, RTC_FORMAT_UINT3, triangles, 0, 12, count);
    rtcCommitGeometry(mesh);
    rtcAttachGeometry(scene, mesh);
    rtcReleaseGeometry(mesh);
    rtcCommitScene(scene);
    return scene;
}

int main(int count, char **arguments) {
    if (count < 2) return fprintf(stderr, "usage: embree FOLDER [RUNS]\n"), 2;
    int runs = count > 2 ? atoi(arguments[2]) : 5;
    size_t bytes = 0, index_bytes = 0;
    float *positions = read_file(arguments[1], "positions.f32", &bytes);
    uint32_t *triangles = read_file(arguments[1], "triangles.u32", &index_bytes);
    if (!positions || !triangles) return fprintf(stderr, "no triangles there\n"), 1;
    size_t vertices = bytes / 12, triangle_count = index_bytes / 12;
    RTCDevice device = rtcNewDevice(NULL);
    long threads = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    double *wall = calloc((size_t)runs, sizeof(double)), *cpu = calloc((size_t)runs, sizeof(double));

    RTCScene scene = NULL;
    for (int run = 0; run < runs; ++run) {
        if (scene) rtcReleaseScene(scene);
        double w = seconds(CLOCK_MONOTONIC), c = seconds(CLOCK_PROCESS_CPUTIME_ID);
        scene = build(device, positions, vertices, triangles, triangle_count);
        wall[run] = seconds(CLOCK_MONOTONIC) - w;
        cpu[run] = seconds(CLOCK_PROCESS_CPUTIME_ID) - c;
    }
    printf("{\"version\": \"%s\", \"threads\": %ld, \"tree\": {\"triangles\": %zu, "
           "\"seconds\": %.6f, \"cpu_seconds\": %.6f}, \"rays\": [",
        RTC_VERSION_STRING, threads, triangle_count, median(wall, runs), median(cpu, runs));

    const char *sets[] = {"camera", "diffuse", "shuffled"};
    for (int set = 0; set < 3; ++set) {
        char name[64];
        snprintf(name, sizeof name, "%s.rays", sets[set]);
        float *rays = read_file(arguments[1], name, &bytes);
        if (!rays) continue;
        size_t ray_count = bytes / 24, ignored;
        snprintf(name, sizeof name, "%s.hits", sets[set]);
        uint32_t *expected = read_file(arguments[1], name, &ignored);
        Job job = {scene, rays, ray_count, malloc(4 * ray_count), malloc(4 * ray_count), ONE, 0};
        for (int call = ONE; call <= SIXTEEN_COHERENT; ++call) {
            for (int run = -1; run < runs; ++run) {
                double w = seconds(CLOCK_MONOTONIC), c = seconds(CLOCK_PROCESS_CPUTIME_ID);
                pthread_t ids[THREADS_MAX];
                job.call = (Call)call;
                job.next = 0;
                for (long t = 0; t < threads; ++t) pthread_create(&ids[t], NULL, work, &job);
                for (long t = 0; t < threads; ++t) pthread_join(ids[t], NULL);
                if (run < 0) continue;
                wall[run] = seconds(CLOCK_MONOTONIC) - w;
                cpu[run] = seconds(CLOCK_PROCESS_CPUTIME_ID) - c;
            }
            size_t hits = 0, missed = 0, others = 0;
            for (size_t i = 0; i < ray_count; ++i) {
                int is_hit = job.triangles[i] != RTC_INVALID_GEOMETRY_ID;
                int was_hit = expected[2 * i + 1] != 0x3fffffffu;
                hits += (size_t)is_hit;
                missed += is_hit != was_hit;
                others += is_hit && was_hit && job.triangles[i] != expected[2 * i + 1];
            }
            printf("%s{\"set\": \"%s\", \"kernel\": \"%s\", \"rays\": %zu, \"hits\": %zu, "
                   "\"seconds\": %.6f, \"cpu_seconds\": %.6f, \"missed\": %zu, \"others\": %zu}",
                set + call ? ", " : "", sets[set], call_names[call], ray_count, hits,
                median(wall, runs), median(cpu, runs), missed, others);
        }
        free(rays);
        free(expected);
        free(job.distances);
        free(job.triangles);
    }
    printf("]}\n");
    return 0;
}
