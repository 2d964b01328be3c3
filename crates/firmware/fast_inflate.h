/*
** fast_inflate.h - inflates a deflate stream (RFC 1951) in flash, a window at a time
** The output stays in the window and is used from there. The stream is not trusted:
** a code that does not exist or a distance beyond the window is an error.
** Why not the firmware's uzlib: it gives each byte to a callback and returns only at the
** end of the stream, but lua_load asks for one piece after the other, so the whole text
** would have to be in RAM. Its callbacks have no argument, so their state is global. It
** reads its codes bit by bit, and wants a gzip header.
*/

#ifndef fast_inflate_h
#define fast_inflate_h

#include <stdint.h>
#include <string.h>

#include "fast_flash.h"

/* the largest window */
#define FAST_WINDOW	2048

/* codes of up to that many bits are looked up in a table, longer ones searched */
#define FAST_ROOT	7	/* literals and lengths */
#define FAST_ROOT2	5	/* distances */

typedef struct fast_inflate {
  const uint32_t *words;	/* the stream */
  uint32_t stream;		/* bytes of the stream */
  uint32_t half;		/* index of its next 16 bits */
  uint32_t bits, count;		/* bits that were read from it and not yet used */
  uint32_t left;		/* bytes of output that are still to come */
  uint32_t size;		/* bytes of the window */
  uint32_t at;			/* where the next byte of output goes */
  uint32_t length, from;	/* of a copy that is not finished: bytes, source */
  unsigned char full;		/* whether all of the window has been written */
  unsigned char state;		/* FAST_BLOCK_NEXT to FAST_DAMAGED */
  unsigned char last;		/* whether this is the last block */
  unsigned char fixed;		/* whether the block has the fixed codes */
  uint16_t longer[4];		/* for literals, then distances: the first code that
				** is too long for the table, index of its symbol */
  uint16_t counts[32];		/* codes of each length */
  uint16_t symbols[288 + 32];	/* in the order of their codes */
  uint16_t roots[(1 << FAST_ROOT) + (1 << FAST_ROOT2)];
  unsigned char window[];
} fast_inflate;

/* states */
#define FAST_BLOCK_NEXT	0
#define FAST_STORED	1
#define FAST_CODES	2
#define FAST_DAMAGED	3

/* at least 16 bits in *bits, of a stream of 'end' times 16; then there are zeros */
static inline __attribute__((always_inline))
void fast_refill_from (const uint32_t *words, uint32_t end, uint32_t *half,
                       uint32_t *bits, uint32_t *count) {
  if (*count < 16) {
    if (*half < end)
      *bits |= (FAST_WORD(words + *half / 2) >> *half % 2 * 16 & 0xffff) << *count;
    *half += 1;
    *count += 16;
  }
}

static void fast_refill (fast_inflate *z) {
  fast_refill_from(z->words, (z->stream + 1) / 2, &z->half, &z->bits, &z->count);
}

/* n bits, at most 16 */
static uint32_t fast_take_bits (fast_inflate *z, uint32_t n) {
  uint32_t bits;
  fast_refill(z);
  bits = z->bits & ((1u << n) - 1);
  z->bits >>= n;
  z->count -= n;
  return bits;
}

/* 8 bits in reverse order */
static uint32_t fast_reverse_byte (uint32_t x) {
  x = (x & 0x55) << 1 | (x >> 1 & 0x55);
  x = (x & 0x33) << 2 | (x >> 2 & 0x33);
  return (x & 0x0f) << 4 | x >> 4;
}

/*
** Sorts n symbols by their codes, which have these lengths. Returns whether the code is
** complete; if 'few', whether it is or has one symbol at most.
*/
static int fast_sort_symbols (const unsigned char *lengths, uint32_t n, int few,
                      uint16_t *counts, uint16_t *symbols) {
  uint16_t places[16];
  int32_t left = 1;
  uint32_t i, sum = 0;
  memset(counts, 0, 16 * sizeof(uint16_t));
  for (i = 0; i < n; i++) counts[lengths[i]]++;
  counts[0] = 0;
  for (i = 1; i < 16; i++) {
    places[i] = (uint16_t)sum;
    sum += counts[i];
    left = 2 * left - (int32_t)counts[i];
    if (left < 0) return 0;
  }
  for (i = 0; i < n; i++)
    if (lengths[i] != 0) symbols[places[lengths[i]]++] = (uint16_t)i;
  return left == 0 || (few && (sum == 0 || (sum == 1 && counts[1] == 1)));
}

/*
** Fills the table that the next bits of the stream index: the symbol, and in the low 4
** bits the length of its code; for a longer code the code's first bits, and 0.
*/
static void fast_fill_table (const uint16_t *counts, const uint16_t *symbols,
                       uint16_t *root, uint32_t bits, uint16_t *longer) {
  uint32_t n, code = 0, i, k = 0;
  for (n = 1; n <= bits; n++, code <<= 1)
    for (i = counts[n]; i > 0; i--, code++) {
      uint32_t at = fast_reverse_byte(code << (8 - n));
      uint32_t entry = (uint32_t)symbols[k++] << 4 | n;
      for (; at < 1u << bits; at += 1u << n) root[at] = (uint16_t)entry;
    }
  longer[0] = (uint16_t)code;
  longer[1] = (uint16_t)k;
  for (code >>= 1; code < 1u << bits; code++)
    root[fast_reverse_byte(code << (8 - bits))] = (uint16_t)(code << 4);
}

/* The symbol of a code that is too long for the table, and its length in the low 4
** bits; 0 if there is no such code. */
static uint32_t fast_long_code (const uint16_t *counts, const uint16_t *symbols,
                                const uint16_t *longer, uint32_t code, uint32_t n,
                                uint32_t bits) {
  uint32_t first = longer[0];
  symbols += longer[1];
  for (bits >>= n++; n < 16; n++, bits >>= 1) {
    code = code << 1 | (bits & 1);
    if (code - first < counts[n]) return (uint32_t)symbols[code - first] << 4 | n;
    symbols += counts[n];
    first = (first + counts[n]) << 1;
  }
  return 0;
}

/* the same for the fixed code of literals and lengths */
static uint32_t fast_fixed_code (uint32_t bits) {
  uint32_t code = fast_reverse_byte(bits & 255);
  if (code < 48) return (256 + code / 2) << 4 | 7;
  if (code < 192) return (code - 48) << 4 | 8;
  if (code < 200) return (code + 88) << 4 | 8;
  return (2 * code + (bits >> 8 & 1) - 256) << 4 | 9;
}

/* which symbol's length comes at index i in the header of a block (3.2.7) */
static uint32_t fast_length_order (uint32_t i) {
  return (i < 3) ? 16 + i : (i == 3) ? 0 : (i % 2 == 0) ? 6 + i / 2 : (19 - i) / 2;
}

/*
** Reads the codes of a block; returns whether they are valid. Until all lengths are
** known they use the memory of the tables, and the table of the code of lengths uses
** that of the symbols.
*/
static int fast_read_codes (fast_inflate *z) {
  unsigned char *lengths = (unsigned char *)z->roots, own[19] = {0};
  uint16_t *root = z->symbols, *symbols = z->symbols + (1 << FAST_ROOT);
  uint32_t literals = fast_take_bits(z, 5) + 257, n = literals + fast_take_bits(z, 5) + 1;
  uint32_t given = fast_take_bits(z, 4) + 4, i;
  if (literals > 286 || n - literals > 30) return 0;
  for (i = 0; i < given; i++) own[fast_length_order(i)] = (unsigned char)fast_take_bits(z, 3);
  if (!fast_sort_symbols(own, 19, 0, z->counts, symbols)) return 0;
  fast_fill_table(z->counts, symbols, root, FAST_ROOT, z->longer);
  for (i = 0; i < n; ) {
    uint32_t times = 1, length;
    fast_refill(z);
    length = root[z->bits & ((1 << FAST_ROOT) - 1)];
    fast_take_bits(z, length & 15);
    length >>= 4;
    if (length == 16) {
      if (i == 0) return 0;
      length = lengths[i - 1];
      times = 3 + fast_take_bits(z, 2);
    }
    else if (length > 16) {
      times = (length == 17) ? 3 + fast_take_bits(z, 3) : 11 + fast_take_bits(z, 7);
      length = 0;
    }
    if (times > n - i) return 0;
    for (; times > 0; times--) lengths[i++] = (unsigned char)length;
  }
  if (lengths[256] == 0  /* no code ends the block */
      || !fast_sort_symbols(lengths, literals, 0, z->counts, z->symbols)
      || !fast_sort_symbols(lengths + literals, n - literals, 1, z->counts + 16,
                            z->symbols + 288))
    return 0;
  fast_fill_table(z->counts, z->symbols, z->roots, FAST_ROOT, z->longer);
  fast_fill_table(z->counts + 16, z->symbols + 288, z->roots + (1 << FAST_ROOT),
                  FAST_ROOT2, z->longer + 2);
  return 1;
}

/* Reads the header of a block and returns the next state. */
static unsigned char fast_read_block (fast_inflate *z) {
  z->last = (unsigned char)fast_take_bits(z, 1);
  switch (fast_take_bits(z, 2)) {
    case 0:
      if (fast_take_bits(z, z->count & 7) != 0) return FAST_DAMAGED;
      z->length = fast_take_bits(z, 16);
      return (z->length == (~fast_take_bits(z, 16) & 0xffff)) ? FAST_STORED : FAST_DAMAGED;
    case 1:
      z->fixed = 1;
      memset(z->roots, 0, (1 << FAST_ROOT) * sizeof(uint16_t));
      return FAST_CODES;
    case 2:
      z->fixed = 0;
      return fast_read_codes(z) ? FAST_CODES : FAST_DAMAGED;
    default: return FAST_DAMAGED;
  }
}


/* Decodes a block until it or the window ends, and returns the next state. */
static unsigned char fast_inflate_codes (fast_inflate *z) {
  const uint32_t *words = z->words;
  uint32_t half = z->half, end = (z->stream + 1) / 2, bits = z->bits, count = z->count;
  uint32_t at = z->at, size = z->size, length = z->length, from = z->from, code, n;
  unsigned char *window = z->window, state = FAST_CODES;
  for (;;) {
    while (length > 0 && at < size) {  /* to copy */
      unsigned char *to = window + at, *here = window + from, *stop;
      n = size - (at > from ? at : from);
      if (n > length) n = length;
      length -= n;
      at += n;
      from += n;
      if (from == size) from = 0;
      stop = to + n;
      do *to++ = *here++; while (to != stop);
    }
    if (at == size) break;
    fast_refill_from(words, end, &half, &bits, &count);
    code = z->roots[bits & ((1 << FAST_ROOT) - 1)];
    n = code & 15;
    if (n == 0) {
      code = z->fixed ? fast_fixed_code(bits)
           : fast_long_code(z->counts, z->symbols, z->longer, code >> 4, FAST_ROOT, bits);
      n = code & 15;
      if (n == 0) goto damaged;
    }
    bits >>= n;
    count -= n;
    code >>= 4;
    if (code < 256) {
      window[at++] = (unsigned char)code;
      continue;
    }
    if (code == 256) {
      state = FAST_BLOCK_NEXT;
      break;
    }
    code -= 257;
    fast_refill_from(words, end, &half, &bits, &count);
    if (code < 8) length = code + 3;
    else if (code < 28) {
      n = code / 4 - 1;
      length = 3 + ((4 + code % 4) << n) + (bits & ((1u << n) - 1));
      bits >>= n;
      count -= n;
      fast_refill_from(words, end, &half, &bits, &count);
    }
    else if (code == 28) length = 258;
    else goto damaged;
    if (z->fixed) code = fast_reverse_byte(bits & 31) << 1 | 5;
    else {
      code = z->roots[(1 << FAST_ROOT) + (bits & ((1 << FAST_ROOT2) - 1))];
      if ((code & 15) == 0)
        code = fast_long_code(z->counts + 16, z->symbols + 288, z->longer + 2, code >> 4,
                              FAST_ROOT2, bits);
    }
    n = code & 15;
    if (n == 0) goto damaged;
    bits >>= n;
    count -= n;
    code >>= 4;
    if (code >= 4) {
      if (code >= 30) goto damaged;
      fast_refill_from(words, end, &half, &bits, &count);
      n = code / 2 - 1;
      code = ((2 + code % 2) << n) + (bits & ((1u << n) - 1));
      bits >>= n;
      count -= n;
    }
    code++;  /* the distance */
    if (code <= at) from = at - code;
    else if (z->full && code <= size) from = at + size - code;
    else goto damaged;
  }
  z->half = half;
  z->bits = bits;
  z->count = count;
  z->at = at;
  z->length = length;
  z->from = from;
  return state;
 damaged:
  return FAST_DAMAGED;
}

/* bytes of the window for that much output: 1 at least */
static uint32_t fast_window_size (uint32_t contents) {
  return (contents == 0) ? 1 : (contents < FAST_WINDOW) ? contents : FAST_WINDOW;
}

/* Begins a stream of 'stream' bytes, whose output has 'left' bytes. */
static void fast_inflate_open (fast_inflate *z, const uint32_t *words, uint32_t stream,
                               uint32_t left, uint32_t window) {
  memset(z, 0, sizeof(*z));
  z->words = words;
  z->stream = stream;
  z->left = left;
  z->size = window;
}

/* Whether the stream may have n more bytes of output, which were just written. */
static int fast_is_progress_valid (fast_inflate *z, uint32_t n) {
  uint32_t taken = z->half * 2 - z->count / 8;
  if (z->state == FAST_DAMAGED || n > z->left || taken > z->stream) return 0;
  if (z->state != FAST_BLOCK_NEXT || !z->last) return 1;
  return n == z->left && taken == z->stream && fast_take_bits(z, z->count & 7) == 0;
}

/*
** Inflates until the window is full. Returns how many bytes, which end at z->at; 0 at
** the end, and where the state is FAST_DAMAGED.
*/
static uint32_t fast_inflate_more (fast_inflate *z) {
  uint32_t start;
  if (z->at == z->size) {
    z->at = 0;
    z->full = 1;
  }
  start = z->at;
  while (z->at < z->size) {
    if (z->state == FAST_CODES) z->state = fast_inflate_codes(z);
    else if (z->state == FAST_STORED) {
      if (z->length == 0) z->state = FAST_BLOCK_NEXT;
      else {
        z->length--;
        z->window[z->at++] = (unsigned char)fast_take_bits(z, 8);
      }
    }
    else if (z->state == FAST_BLOCK_NEXT && !z->last) z->state = fast_read_block(z);
    else break;
  }
  start = z->at - start;
  if (!fast_is_progress_valid(z, start)) {
    z->state = FAST_DAMAGED;
    return 0;
  }
  z->left -= start;
  return start;
}

#endif
