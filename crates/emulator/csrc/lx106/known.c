/*
** known.c - blocks of known sizes, and what they take of the heap
*/

#include <stdlib.h>

#include "harness.h"
#include "runtime.h"

void known_heap (void) {
  char *p, *q;
  heap_reset(0);
  p = malloc(1);
  q = malloc(100);
  check_figure("live bytes", heap.live, 101);
  check_figure("used bytes", heap.used, 24 + 120);
  p = realloc(p, 9);  /* moves: both exist for a moment */
  check_figure("live bytes at the peak", heap.live_peak, 101 + 9);
  check_figure("used bytes at the peak", heap.used_peak, 24 + 120 + 32);
  free(q);
  free(p);
  check_figure("used bytes in the end", heap.used, 0);
  check_figure("allocations", heap.calls, 3);
  heap_fail(1, 0);
  p = malloc(8);
  check_figure("an allocation that has to fail", p != NULL, 0);
  p = malloc(8);
  check_figure("the one after it", p != NULL, 1);
  free(p);
  heap_reset(100);
  check_figure("free bytes", heap_left(), 100);
  p = malloc(85);
  check_figure("an allocation over the limit", p != NULL, 0);
}
