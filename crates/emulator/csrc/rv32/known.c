/*
** known.c - blocks of known sizes, and what they take of the heap
*/

#include <stdlib.h>

#include "harness.h"
#include "runtime.h"

void known_heap (void) {
  char *p, *q, *r;
  heap_reset(0);
  p = malloc(1);
  q = malloc(100);
  check_figure("live bytes", heap.live, 101);
  check_figure("used bytes", heap.used, 16 + 104);
  r = realloc(p, 12);  /* the least block has room for it */
  check_figure("a block that stays", r == p, 1);
  check_figure("used bytes of one that stays", heap.used, 16 + 104);
  r = realloc(p, 13);  /* moves: both exist for a moment */
  check_figure("a block that moves", r != p, 1);
  check_figure("live bytes at the peak", heap.live_peak, 112 + 13);
  check_figure("used bytes at the peak", heap.used_peak, 16 + 104 + 20);
  p = realloc(r, 200);  /* what is behind it is free */
  check_figure("a block that grows where it is", r == p, 1);
  check_figure("used bytes of one that grew", heap.used, 204 + 104);
  free(q);
  free(p);
  check_figure("used bytes in the end", heap.used, 0);
  check_figure("allocations", heap.calls, 5);
  heap_fail(1, 0);
  p = malloc(8);
  check_figure("an allocation that has to fail", p != NULL, 0);
  p = malloc(8);
  check_figure("the one after it", p != NULL, 1);
  free(p);
  heap_reset(100);
  check_figure("free bytes", heap_left(), 100);
  p = malloc(97);
  check_figure("an allocation over the limit", p != NULL, 0);
}
