/* Loaded before libc (LD_PRELOAD): every fdatasync takes SLOW_SYNC_US microseconds more than it does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int (*real)(int);
static useconds_t delay;

__attribute__((constructor)) static void prepare(void) {
    real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    delay = (useconds_t)atoi(getenv("SLOW_SYNC_US"));
}

int fdatasync(int file) {
    const int result = real(file);
    usleep(delay);
    return result;
}
