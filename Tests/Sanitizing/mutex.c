// Teaches the thread sanitizer Swift's Mutex; scripts/sanitize.sh links it into every program that it builds.
//
// A Mutex is one word, used as a futex. Its fast path is inlined into the caller, hence instrumented: the sanitizer sees an
// atomic compare-and-exchange on the word, acquiring or releasing. The slow path, taken where threads meet, lies in
// libswiftSynchronization.so, which is not instrumented, and passes the word on by the kernel (FUTEX_LOCK_PI): so the
// sanitizer misses that the thread which waited comes after the one that let go, and reports a race of what the Mutex
// guards. These three definitions stand before the library's (the linker takes the program's own first), do the same by
// it, and say what the fast path says, on the same word. Nothing is suppressed: two threads are ordered by it only where
// the one has let go the very Mutex that the other then got.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

// Methods of a type that is never moved: the context is the address of the word.
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock(uint32_t thread, SELF) __asm__(LOCK);
SWIFT bool try_lock(SELF) __asm__(TRY_LOCK);
SWIFT void unlock(SELF) __asm__(UNLOCK);

SWIFT void lock(uint32_t thread, SELF) {
  SWIFT void (*library)(uint32_t, SELF) = dlsym(RTLD_NEXT, LOCK);
  library(thread, self);
  __tsan_acquire(self);
}

SWIFT bool try_lock(SELF) {
  SWIFT bool (*library)(SELF) = dlsym(RTLD_NEXT, TRY_LOCK);
  bool locked = library(self);
  if (locked) __tsan_acquire(self);
  return locked;
}

SWIFT void unlock(SELF) {
  SWIFT void (*library)(SELF) = dlsym(RTLD_NEXT, UNLOCK);
  __tsan_release(self);
  library(self);
}

// Programs that tests start have an environment of their own, so the options are here: a file for each process that has
// something to report. It ends with 66 then.
const char *__tsan_default_options(void) { return "log_path=" REPORTS; }
