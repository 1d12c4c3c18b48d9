// Linux calls that Swift cannot make: they are variadic, hidden behind a macro that importers do
// not set, or take a program made of macros. Unless said otherwise each answers 0, or an errno.
#pragma once

// A pipe whose ends close on exec: descriptors[0] reads, descriptors[1] writes.
int rigor_pipe(int descriptors[2]);

// The child will hold no descriptor from `from` upward. `actions` is a posix_spawn_file_actions_t.
int rigor_close_from(void *actions, int from);

// The caller dies with the thread that started it.
int rigor_die_with_parent(void);

// No core dumps, no ptrace by the same user's other programs, no privileges gained by exec.
int rigor_drop_privileges(void);

// From here on, all threads of the process can make local sockets only: socket() of any family but
// AF_UNIX and AF_NETLINK answers EACCES, and io_uring, which could make sockets out of sight, does
// not exist. Needs rigor_drop_privileges() before.
int rigor_forbid_network(void);

// Until rigor_end_watch(), a crash of this process, or `seconds` (unless 0) without an end, writes
// `line` to standard error and `document` to standard output (either may be null), and exits with 1.
// For calls into drivers, which do both.
void rigor_begin_watch(const char *line, const char *document, unsigned seconds);
void rigor_end_watch(void);

// Whether the processor has AVX-512 VNNI.
int rigor_has_vnni(void);

// Asks that threads of this process may use tiles of bytes (AMX-INT8), whose registers the system
// keeps for none that has not asked: 1 where they may now, 0 where there are none or the system says
// no.
int rigor_request_amx(void);

// Whether the kernel counts its clock as kept by a time service: 1 yes, 0 no, -1 it does not say.
int rigor_clock_is_synchronized(void);

// Starts a thread that nobody joins.
int rigor_start_thread(unsigned long stack_bytes, void *(*body)(void *), void *context);

// Names the caller's thread; the system keeps the first 15 bytes.
void rigor_name_thread(const char *name);

// Bytes that the process may map, as `ulimit -v` has it; 0 where there is no limit.
unsigned long rigor_address_space(void);

// All threads' memory comes from one heap, which grows by much at a time; from those that threads
// otherwise have of their own the system is asked for every page. For before there are threads.
void rigor_share_heap(void);
