/*
** blocks.c - malloc as the ESP8266's SDK has it: 16 bytes before each block,
** steps of 8, first fit by address, a rest of up to 32 bytes stays with its
** block, realloc always moves. Deterministic, counted, and made to fail.
*/

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"

#define HEADER		16u
#define STEP		8u
#define SMALLEST_REST	32u

typedef struct block {
  struct block *next;		/* free blocks, by address */
  uint32_t size;		/* with header */
  uint32_t asked;
  uint32_t mark;		/* of a block in use */
} block;

_Static_assert(sizeof(block) == HEADER, "a header as on the chip");

#define IN_USE		0xb10cb10cu

static block *heap_free_list;
static int heap_ready;

void heap_reset (uint32_t limit) {
  block *all = (block *)heap_start;
  memset(&heap, 0, sizeof(heap));
  heap.limit = (limit != 0 && limit < HEAP_SIZE) ? limit : HEAP_SIZE;
  all->next = NULL;
  all->size = HEAP_SIZE & ~(STEP - 1);
  all->mark = 0;
  heap_free_list = all;
  heap_ready = 1;
}

/* first block that is large enough, cut to size */
static block *heap_take (uint32_t need) {
  block **at = &heap_free_list;
  block *b;
  while ((b = *at) != NULL && b->size < need) at = &b->next;
  if (b == NULL) return NULL;
  if (b->size - need > SMALLEST_REST) {
    block *rest = (block *)((char *)b + need);
    rest->size = b->size - need;
    rest->mark = 0;
    if (heap.used + need > heap.limit) return NULL;
    rest->next = b->next;
    *at = rest;
    b->size = need;
  }
  else {
    if (heap.used + b->size > heap.limit) return NULL;
    *at = b->next;
  }
  return b;
}

static void heap_put (block *b) {
  block **at = &heap_free_list;
  block *before = NULL;
  while (*at != NULL && *at < b) {
    before = *at;
    at = &before->next;
  }
  b->next = *at;
  b->mark = 0;
  *at = b;
  if (b->next != NULL && (char *)b + b->size == (char *)b->next) {
    b->size += b->next->size;
    b->next = b->next->next;
  }
  if (before != NULL && (char *)before + before->size == (char *)b) {
    before->size += b->size;
    before->next = b->next;
  }
}

static block *heap_block (void *p, const char *what) {
  block *b = (block *)((char *)p - HEADER);
  if ((char *)p < heap_start + HEADER || (char *)p >= heap_end || b->mark != IN_USE)
    runtime_fail("%s of %p, which is not a block of the heap", what, p);
  return b;
}

void *malloc (size_t n) {
  block *b = NULL;
  if (!heap_ready) heap_reset(0);
  if (n == 0) return NULL;  /* as the SDK */
  heap.calls++;
  if (n <= HEAP_SIZE && !heap_fails())
    b = heap_take((n + HEADER + STEP - 1) & ~(STEP - 1));
  if (b == NULL) {
    heap.failed++;
    errno = ENOMEM;
    return NULL;
  }
  b->mark = IN_USE;
  b->asked = n;
  heap_count_block(n, b->size);
  return (char *)b + HEADER;
}

void free (void *p) {
  block *b;
  if (p == NULL) return;
  b = heap_block(p, "free");
  heap_uncount_block(b->asked, b->size);
  heap_put(b);
}

/* new block, copy, old block free; one that shrinks stays where no new one is to be had */
static __attribute__ ((noinline)) void *heap_move (void *p, size_t n) {
  block *b;
  void *q;
  if (n == 0) {
    free(p);
    return NULL;
  }
  b = heap_block(p, "realloc");
  q = malloc(n);
  if (q == NULL) return (n <= b->asked) ? p : NULL;
  memcpy(q, p, (n < b->asked) ? n : b->asked);
  free(p);
  return q;
}

void *realloc (void *p, size_t n) {
  return (p == NULL) ? malloc(n) : heap_move(p, n);
}
