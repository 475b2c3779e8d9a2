// Preloaded before a program, it tells at the end how many blocks as large as pixels or activations were allocated.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static const size_t large = 16384;  // bytes; the smallest picture that is resized has 150,528
static long count;

static void note(size_t bytes) {
  if (bytes >= large) __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
}

void* malloc(size_t bytes) {
  static void* (*real)(size_t);
  if (!real) *(void**)&real = dlsym(RTLD_NEXT, "malloc");
  note(bytes);
  return real(bytes);
}

int posix_memalign(void** to, size_t alignment, size_t bytes) {
  static int (*real)(void**, size_t, size_t);
  if (!real) *(void**)&real = dlsym(RTLD_NEXT, "posix_memalign");
  note(bytes);
  return real(to, alignment, bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) {
  static void* (*real)(size_t, size_t);
  if (!real) *(void**)&real = dlsym(RTLD_NEXT, "aligned_alloc");
  note(bytes);
  return real(alignment, bytes);
}

__attribute__((destructor)) static void tell(void) {
  fprintf(stderr, "large allocations: %ld\n", count);
}
