/*
** heap.c - what the heaps of all chips share: counts, limits and failures
** The blocks themselves are the chip's (blocks.c).
*/

#include <stdlib.h>
#include <string.h>

#include "heap.h"

heap_state heap;

void heap_mark (void) {
  heap.live_peak = heap.live;
  heap.used_peak = heap.used;
}

void heap_fail (uint32_t n, uint32_t more) {
  heap.fail_from = (n != 0) ? heap.calls + n : 0;
  heap.fail_before = (more < UINT32_MAX - heap.fail_from) ? heap.fail_from + more + 1 : UINT32_MAX;
}

uint32_t heap_left (void) {
  return (heap.limit > heap.used) ? heap.limit - heap.used : 0;
}

void *calloc (size_t n, size_t size) {
  void *p = (size != 0 && n > SIZE_MAX / size) ? NULL : malloc(n * size);
  if (p != NULL) memset(p, 0, n * size);
  return p;
}
