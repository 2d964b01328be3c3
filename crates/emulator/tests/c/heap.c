/*
** heap.c - a chip's heap under random calls: blocks keep what is written to
** them, counts are those of the blocks alive, and what is free comes together
** again. HEAD, STEP, LEAST and HOLE say what a block takes, SHRINKS whether
** realloc to less always does so.
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

#define BLOCKS		300
#define CALLS		100000

static struct { unsigned char *p; uint32_t n; } blocks[BLOCKS];
static uint32_t state = 12345;

static uint32_t below (uint32_t n) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % n;
}

static void expect (int right, const char *what, uint32_t call) {
  if (!right) runtime_fail("call %u: %s", (unsigned)call, what);
}

/* the block of this number holds its number, up to n bytes */
static void look (int i, uint32_t n, uint32_t call) {
  uint32_t k;
  for (k = 0; k < n; k++) expect(blocks[i].p[k] == (unsigned char)i, "a block was overwritten", call);
}

static void check_counts (uint32_t call) {
  uint32_t live = 0, least = 0, count = 0;
  int i;
  for (i = 0; i < BLOCKS; i++) {
    if (blocks[i].p == NULL) continue;
    count++;
    live += blocks[i].n;
    least += HEAD + (blocks[i].n < LEAST ? LEAST : blocks[i].n);
    least = (least + STEP - 1) / STEP * STEP;
    expect((uint32_t)blocks[i].p % 4 == 0, "a block is not aligned", call);
  }
  expect(heap.blocks == count && heap.live == live, "blocks or bytes asked for are wrong", call);
  expect(heap.used >= least && heap.used <= least + HOLE * count, "bytes used are wrong", call);
  expect(heap.used_peak >= heap.used && heap.live_peak >= heap.live, "a peak is too low", call);
  expect(heap_left() == heap.limit - heap.used, "free bytes are wrong", call);
}

int main (void) {
  uint32_t call, largest, failed = 0, stayed = 0;
  heap_reset(0);
  for (call = 1; call <= CALLS; call++) {
    int i = (int)below(BLOCKS);
    uint32_t was = blocks[i].n;
    uint32_t n = 1 + below(below(20) == 0 ? 20000 : 300);
    unsigned char *p = blocks[i].p;
    if (p != NULL) look(i, was, call);
    if (p != NULL && below(2) == 0) {
      free(p);
      blocks[i].p = NULL;
      blocks[i].n = 0;
      continue;
    }
    if (!SHRINKS) n += was;
    p = realloc(p, n);
    if (p == NULL) {
      failed++;
      continue;
    }
    stayed += p == blocks[i].p;
    blocks[i].p = p;
    blocks[i].n = n;
    look(i, was < n ? was : n, call);
    memset(p, i, n);
    if (call % 100 == 0) check_counts(call);
  }
  for (call = 0; call < BLOCKS; call++) {
    free(blocks[call].p);
    blocks[call].p = NULL;
  }
  check_counts(CALLS);
  largest = HEAP_SIZE / 16 * 15;
  expect(malloc(largest) != NULL, "what is free does not come together", CALLS);
  printf("failed %d, stayed %d\n", failed > 0, stayed > 0);
  return 0;
}
