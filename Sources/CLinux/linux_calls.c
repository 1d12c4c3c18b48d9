#define _GNU_SOURCE
#include "linux_calls.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

int rigor_pipe(int descriptors[2]) { return pipe2(descriptors, O_CLOEXEC) == 0 ? 0 : errno; }

int rigor_close_from(void *actions, int from) {
    return posix_spawn_file_actions_addclosefrom_np(actions, from);
}

int rigor_die_with_parent(void) {
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 ? 0 : errno;
}

int rigor_drop_privileges(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : errno;
}

#if defined(__x86_64__)
#define RIGOR_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define RIGOR_AUDIT_ARCH AUDIT_ARCH_AARCH64
#endif

int rigor_forbid_network(void) {
#ifdef RIGOR_AUDIT_ARCH
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RIGOR_AUDIT_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    long status = syscall(
        SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    return status == 0 ? 0 : status < 0 ? errno : EBUSY;
#else
    return ENOSYS;
#endif
}

int rigor_clock_is_synchronized(void) {
    struct timex state = {0};
    int answer = adjtimex(&state);
    return answer < 0 ? -1 : answer != TIME_ERROR;
}

static const int watched[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM};
enum { WATCHED = sizeof watched / sizeof *watched };
static struct sigaction before_watch[WATCHED];
static const char *watch_line, *watch_document;

static void put(int descriptor, const char *text) {
    size_t left = text == NULL ? 0 : strlen(text);
    while (left > 0) {
        ssize_t count = write(descriptor, text, left);
        if (count < 0 && errno != EINTR) return;
        if (count > 0) {
            text += count;
            left -= (size_t)count;
        }
    }
}

// Calls nothing but write and _exit, which are safe in a signal handler.
static void end_of_watch(int signal) {
    (void)signal;
    put(STDERR_FILENO, watch_line);
    put(STDOUT_FILENO, watch_document);
    _exit(1);
}

void rigor_begin_watch(const char *line, const char *document, unsigned seconds) {
    watch_line = line;
    watch_document = document;
    struct sigaction action = {.sa_handler = end_of_watch};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < WATCHED; i++) sigaction(watched[i], &action, &before_watch[i]);
    alarm(seconds);
}

void rigor_end_watch(void) {
    alarm(0);
    for (int i = 0; i < WATCHED; i++) sigaction(watched[i], &before_watch[i], NULL);
}

int rigor_has_vnni(void) {
#ifdef __x86_64__
    return __builtin_cpu_supports("avx512vnni") != 0;
#else
    return 0;
#endif
}

int rigor_request_amx(void) {
#ifdef __x86_64__
    // Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID, leaf 7; and
    // Documentation/arch/x86/xstate.rst of Linux, whose headers may be older than its calls.
    enum { amx_tile = 1 << 24, amx_int8 = 1 << 25, request_permission = 0x1023, tile_data = 18 };
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    if ((d & amx_tile) == 0 || (d & amx_int8) == 0) return 0;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return 0;
#endif
}

int rigor_start_thread(unsigned long stack_bytes, void *(*body)(void *), void *context) {
    pthread_attr_t attributes;
    int status = pthread_attr_init(&attributes);
    if (status != 0) return status;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    status = pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t thread;
    if (status == 0) status = pthread_create(&thread, &attributes, body, context);
    pthread_attr_destroy(&attributes);
    return status;
}

void rigor_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

unsigned long rigor_address_space(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
    return limit.rlim_cur;
}

void rigor_share_heap(void) {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 1);
#endif
}
