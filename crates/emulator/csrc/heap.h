/*
** heap.h - what the heaps of all chips count, for blocks.c
*/

#ifndef heap_h
#define heap_h

#include "runtime.h"

/* whether the call that was counted last has to fail */
static inline int heap_fails (void) {
  return heap.fail_from != 0 && heap.calls >= heap.fail_from && heap.calls < heap.fail_before;
}

static inline void heap_peaks (void) {
  if (heap.live > heap.live_peak) heap.live_peak = heap.live;
  if (heap.used > heap.used_peak) heap.used_peak = heap.used;
}

/* a block of so many bytes was made of 'used' bytes of the heap */
static inline void heap_count_block (uint32_t asked, uint32_t used) {
  heap.blocks++;
  heap.live += asked;
  heap.used += used;
  heap_peaks();
}

static inline void heap_uncount_block (uint32_t asked, uint32_t used) {
  heap.blocks--;
  heap.live -= asked;
  heap.used -= used;
}

#endif
