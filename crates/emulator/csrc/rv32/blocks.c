/*
** blocks.c - malloc as ESP-IDF has it (TLSF, as of 5.1): 4 bytes before each
** block, steps of 4, at least 12; free blocks in a list for each class of
** sizes, the last one freed first; a rest of 16 bytes and more is a block of
** its own; realloc stays where it can. Deterministic, counted, and made to fail.
*/

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"

#define HEADER		4u
#define STEP		4u
#define LEAST		12u		/* a free block's own data, without its header */

/* as there, so that it takes about as many instructions */
#define INLINE		static inline __attribute__ ((always_inline))

/*
** Blocks lie one behind the other. What stands before a block's header is the
** last word of the block before it, and names that one where it is free.
*/
typedef struct block {
  struct block *before;
  uint32_t size;		/* without header; and these bits: */
  struct block *next, **link;	/* of a free block: its list, and what leads to it */
} block;

#define FREE		1u
#define BEFORE_FREE	2u
#define DATA		8		/* behind the pointer and the header */

/*
** Sizes below 64 have a class for each step, larger ones 16 to each power of
** two: what a heap of up to 256 KB has. A size is rounded up to its class, so
** that any block of the list will do.
*/
#define CLASS_BITS	4
#define CLASSES		(1u << CLASS_BITS)
#define SMALL		(CLASSES * STEP)
#define POWERS		13

static block *lists[POWERS][CLASSES];
static uint32_t powers_in_use;
static uint32_t classes_in_use[POWERS];
static int heap_ready;

/* bytes that were asked for, by each block's place; 0 where none begins */
#define ASKED		((uint32_t *)SPARE_HEAP)
#define asked_of(p)	ASKED[((char *)(p) - heap_start) / STEP]

INLINE uint32_t size_of (const block *b) {
  return b->size & ~(FREE | BEFORE_FREE);
}

INLINE void *data_of (block *b) {
  return (char *)b + DATA;
}

INLINE block *behind (block *b) {
  return (block *)((char *)b + HEADER + size_of(b));
}

INLINE int top_bit (uint32_t n) {
  return 31 - __builtin_clz(n);
}

INLINE void class_of (uint32_t size, int *power, int *class) {
  int top = top_bit(size);
  if (size < SMALL) {
    *power = 0;
    *class = (int)(size / STEP);
    return;
  }
  *power = top - top_bit(SMALL) + 1;
  *class = (int)((size >> (top - CLASS_BITS)) & (CLASSES - 1));
}

INLINE void list_add (block *b) {
  int power, class;
  block **head;
  class_of(size_of(b), &power, &class);
  head = &lists[power][class];
  b->next = *head;
  b->link = head;
  if (b->next != NULL) b->next->link = &b->next;
  *head = b;
  powers_in_use |= 1u << power;
  classes_in_use[power] |= 1u << class;
}

/* takes a block from a list */
INLINE void unlink_from (block *b, int power, int class) {
  *b->link = b->next;
  if (b->next != NULL) b->next->link = b->link;
  if (lists[power][class] != NULL) return;
  classes_in_use[power] &= ~(1u << class);
  if (classes_in_use[power] == 0) powers_in_use &= ~(1u << power);
}

INLINE void list_remove (block *b) {
  int power, class;
  class_of(size_of(b), &power, &class);
  unlink_from(b, power, class);
}

/* the first block of the smallest class whose blocks are all large enough, and its class */
INLINE block *list_find (uint32_t size, int *power, int *class) {
  uint32_t in_use;
  if (size >= SMALL) size += (1u << (top_bit(size) - CLASS_BITS)) - 1;
  class_of(size, power, class);
  if (*power >= POWERS) return NULL;
  in_use = classes_in_use[*power] & (~0u << *class);
  if (in_use == 0) {
    uint32_t powers = powers_in_use & (~0u << *power << 1);
    if (powers == 0) return NULL;
    *power = __builtin_ctz(powers);
    in_use = classes_in_use[*power];
  }
  *class = __builtin_ctz(in_use);
  return lists[*power][*class];
}

INLINE void set_free (block *b) {
  block *next = behind(b);
  b->size |= FREE;
  next->before = b;
  next->size |= BEFORE_FREE;
  list_add(b);
}

INLINE void set_used (block *b) {
  b->size &= ~FREE;
  behind(b)->size &= ~BEFORE_FREE;
}

/* joins it with the block behind, if that one is free */
INLINE void take_behind (block *b) {
  block *next = behind(b);
  if (!(next->size & FREE)) return;
  list_remove(next);
  b->size += HEADER + size_of(next);
  behind(b)->size &= ~BEFORE_FREE;
}

INLINE uint32_t cut_size (uint32_t has, uint32_t need) {
  return (has >= need + HEADER + LEAST) ? need : has;
}

/* cuts a block in use to size, and gives back the rest */
INLINE void cut (block *b, uint32_t need) {
  uint32_t has = size_of(b);
  block *rest;
  if (cut_size(has, need) == has) return;
  b->size = need | (b->size & BEFORE_FREE);
  rest = behind(b);
  rest->size = has - need - HEADER;
  take_behind(rest);
  set_free(rest);
}

void heap_reset (uint32_t limit) {
  block *all = (block *)(heap_start + HEADER - DATA);
  memset(&heap, 0, sizeof(heap));
  memset(lists, 0, sizeof(lists));
  memset(classes_in_use, 0, sizeof(classes_in_use));
  memset(ASKED, 0, HEAP_SIZE);
  powers_in_use = 0;
  heap.limit = (limit != 0 && limit < HEAP_SIZE) ? limit : HEAP_SIZE;
  all->size = HEAP_SIZE - 2 * HEADER;
  behind(all)->size = 0;  /* one in use, so that nothing is joined with what is behind */
  set_free(all);
  heap_ready = 1;
}

INLINE uint32_t rounded (size_t n) {
  return (n <= LEAST) ? LEAST : (n + STEP - 1) & ~(STEP - 1);
}

INLINE block *heap_block (void *p, const char *what) {
  if ((char *)p < heap_start || (char *)p >= heap_end || (uint32_t)p % STEP != 0 || asked_of(p) == 0)
    runtime_fail("%s of %p, which is not a block of the heap", what, p);
  return (block *)((char *)p - DATA);
}

static void *no_memory (void) {
  heap.failed++;
  errno = ENOMEM;
  return NULL;
}

INLINE int is_over (uint32_t more) {
  return heap.used + more > heap.limit;
}

void *malloc (size_t n) {
  uint32_t need = rounded(n);
  int power, class;
  block *b = NULL;
  if (!heap_ready) heap_reset(0);
  if (n == 0) return NULL;
  heap.calls++;
  if (n <= HEAP_SIZE && !heap_fails()) b = list_find(need, &power, &class);
  if (b == NULL || is_over(HEADER + cut_size(size_of(b), need))) return no_memory();
  unlink_from(b, power, class);
  set_used(b);
  cut(b, need);
  asked_of(data_of(b)) = n;
  heap_count_block(n, HEADER + size_of(b));
  return data_of(b);
}

void free (void *p) {
  block *b;
  if (p == NULL) return;
  b = heap_block(p, "free");
  heap_uncount_block(asked_of(p), HEADER + size_of(b));
  asked_of(p) = 0;
  take_behind(b);
  if (b->size & BEFORE_FREE) {
    block *before = b->before;
    list_remove(before);
    before->size += HEADER + size_of(b);
    b = before;
  }
  set_free(b);
}

/* new block, copy, old block free */
static void *move (void *p, size_t n) {
  void *q;
  heap.calls--;  /* malloc counts it */
  q = malloc(n);
  if (q == NULL) return NULL;
  memcpy(q, p, (n < asked_of(p)) ? n : asked_of(p));
  free(p);
  return q;
}

void *realloc (void *p, size_t n) {
  uint32_t need = rounded(n), has, room;
  block *b, *next;
  if (p == NULL) return malloc(n);
  if (n == 0) {
    free(p);
    return NULL;
  }
  b = heap_block(p, "realloc");
  heap.calls++;
  if (n > HEAP_SIZE) return no_memory();
  has = room = size_of(b);
  next = behind(b);
  if (next->size & FREE) room += HEADER + size_of(next);
  if (need > room) return move(p, n);
  if (need > has) {
    if (heap_fails() || is_over(cut_size(room, need) - has)) return no_memory();
    take_behind(b);
  }
  cut(b, need);
  heap.live += n - asked_of(p);
  heap.used += size_of(b) - has;
  heap_peaks();
  asked_of(p) = n;
  return p;
}
