// ThreadSanitizer does not know C11's threads, which librdkafka begins its own with: the first call in such a thread
// that it watches ends in a SEGV. So here they are POSIX's, which it knows.
#if defined(__SANITIZE_THREAD__)

#include <cerrno>
#include <cstdint>
#include <memory>
#include <pthread.h>
#include <threads.h>

namespace {

struct Start {
    thrd_start_t function;
    void* argument;
};

void* run(void* start) {
    const std::unique_ptr<Start> own(static_cast<Start*>(start));
    return reinterpret_cast<void*>(static_cast<std::intptr_t>(own->function(own->argument))); // NOLINT: a number
}

} // namespace

extern "C" int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
    auto start = std::make_unique<Start>(Start{function, argument});
    if (pthread_create(thread, nullptr, run, start.get()) != 0) return thrd_error;
    (void)start.release(); // the thread's now
    return thrd_success;
}

extern "C" int thrd_join(thrd_t thread, int* result) {
    void* returned = nullptr;
    if (pthread_join(thread, &returned) != 0) return thrd_error;
    if (result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(returned)); // NOLINT: a number
    return thrd_success;
}

extern "C" int mtx_lock(mtx_t* mutex) {
    return pthread_mutex_lock(reinterpret_cast<pthread_mutex_t*>(mutex)) == 0 ? thrd_success : thrd_error;
}

extern "C" int mtx_unlock(mtx_t* mutex) {
    return pthread_mutex_unlock(reinterpret_cast<pthread_mutex_t*>(mutex)) == 0 ? thrd_success : thrd_error;
}

extern "C" int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    const int done =
        pthread_cond_wait(reinterpret_cast<pthread_cond_t*>(condition), reinterpret_cast<pthread_mutex_t*>(mutex));
    return done == 0 ? thrd_success : thrd_error;
}

extern "C" int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
    const int done = pthread_cond_timedwait(reinterpret_cast<pthread_cond_t*>(condition),
                                            reinterpret_cast<pthread_mutex_t*>(mutex), until);
    return done == 0 ? thrd_success : done == ETIMEDOUT ? thrd_timedout : thrd_error;
}

#endif
