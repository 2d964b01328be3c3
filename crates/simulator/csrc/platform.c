/*
** platform.c - what fast.c asks the platform for, see module.h
*/

#include <limits.h>
#include <stdint.h>
#include <time.h>

int lua_freeheap (void) {  /* the PC's heap does not end */
  return INT_MAX;
}

uint32_t fast_clock (void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint32_t)((uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
}
