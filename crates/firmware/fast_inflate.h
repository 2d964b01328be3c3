/*
** fast_inflate.h - inflates a deflate stream (RFC 1951) that lies in flash, a
** window at a time
** What is inflated stays in the window, so that it is given from there. The
** stream may be anything: what is no deflate stream, or leads out of the
** window, is told.
*/

#ifndef fast_inflate_h
#define fast_inflate_h

#include <stdint.h>
#include <string.h>

#include "fast_flash.h"

/* the largest window */
#define FAST_WINDOW	2048

/* codes of up to so many bits are looked up, the longer ones searched */
#define FAST_ROOT	7	/* literals and lengths */
#define FAST_ROOT2	5	/* distances */

typedef struct fast_inflate {
  const uint32_t *words;	/* the stream */
  uint32_t stream;		/* its bytes */
  uint32_t half;		/* the next 16 bits of it */
  uint32_t bits, count;		/* bits that were taken out of it */
  uint32_t left;		/* bytes of contents that are to come */
  uint32_t size;		/* of the window */
  uint32_t at;			/* where in it the next byte goes */
  uint32_t length, from;	/* what is to be copied, and from where */
  unsigned char full;		/* whether all of the window was written */
  unsigned char state;
  unsigned char last;		/* whether no block follows */
  unsigned char fixed;		/* whether the block has the fixed codes */
  uint16_t longer[4];		/* of either code: the first of FAST_ROOT + 1 bits,
				** and its place among the symbols */
  uint16_t counts[32];		/* codes of each length */
  uint16_t symbols[288 + 32];	/* by their codes */
  uint16_t roots[(1 << FAST_ROOT) + (1 << FAST_ROOT2)];
  unsigned char window[];
} fast_inflate;

/* what it is in */
#define FAST_BLOCK_NEXT	0
#define FAST_STORED	1
#define FAST_CODES	2
#define FAST_DAMAGED	3

/* z with 16 bits at least; behind the stream there are zeros */
static void fast_refill (fast_inflate *z) {
  if (z->count < 16) {
    if (z->half < (z->stream + 1) / 2)
      z->bits |= (FAST_WORD(z->words + z->half / 2) >> z->half % 2 * 16 & 0xffff) << z->count;
    z->half++;
    z->count += 16;
  }
}

/* n bits, at most 16 */
static uint32_t fast_bits (fast_inflate *z, uint32_t n) {
  uint32_t bits;
  fast_refill(z);
  bits = z->bits & ((1u << n) - 1);
  z->bits >>= n;
  z->count -= n;
  return bits;
}

/* 8 bits in the other order */
static uint32_t fast_reversed (uint32_t x) {
  x = (x & 0x55) << 1 | (x >> 1 & 0x55);
  x = (x & 0x33) << 2 | (x >> 2 & 0x33);
  return (x & 0x0f) << 4 | x >> 4;
}

/*
** Sorts n symbols by their codes, of these lengths. Tells whether there is
** such a code: every bit leads to a symbol; few: or there is at most one.
*/
static int fast_sort (const unsigned char *lengths, uint32_t n, int few,
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
** Makes the table that is looked into by the next bits of the stream: the
** symbol, and in 4 bits the length of its code; of a longer code 0, and how it
** begins.
*/
static void fast_root (const uint16_t *counts, const uint16_t *symbols,
                       uint16_t *root, uint32_t bits, uint16_t *longer) {
  uint32_t n, code = 0, i, k = 0;
  for (n = 1; n <= bits; n++, code <<= 1)
    for (i = counts[n]; i > 0; i--, code++) {
      uint32_t at = fast_reversed(code << (8 - n)), entry = (uint32_t)symbols[k++] << 4 | n;
      for (; at < 1u << bits; at += 1u << n) root[at] = (uint16_t)entry;
    }
  longer[0] = (uint16_t)code;
  longer[1] = (uint16_t)k;
  for (code >>= 1; code < 1u << bits; code++)
    root[fast_reversed(code << (8 - bits))] = (uint16_t)(code << 4);
}

/* The symbol of a code that is longer than the table's, and in 4 bits its
** length; 0: there is none. */
static uint32_t fast_search (const uint16_t *counts, const uint16_t *symbols,
                             const uint16_t *longer, uint32_t code, uint32_t n, uint32_t bits) {
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

/* the same of the fixed code of literals and lengths */
static uint32_t fast_fixed (uint32_t bits) {
  uint32_t code = fast_reversed(bits & 255);
  if (code < 48) return (256 + code / 2) << 4 | 7;
  if (code < 192) return (code - 48) << 4 | 8;
  if (code < 200) return (code + 88) << 4 | 8;
  return (2 * code + (bits >> 8 & 1) - 256) << 4 | 9;
}

/* the places of the lengths of the code of lengths, as they are given */
static uint32_t fast_place (uint32_t i) {
  return (i < 3) ? 16 + i : (i == 3) ? 0 : (i % 2 == 0) ? 6 + i / 2 : (19 - i) / 2;
}

/*
** Reads the codes of a block; whether there are such codes. Their lengths
** stand in place of the tables, and the tables of these lengths in place of
** the symbols, until they are known.
*/
static int fast_read_codes (fast_inflate *z) {
  unsigned char *lengths = (unsigned char *)z->roots, own[19] = {0};
  uint16_t *root = z->symbols, *symbols = z->symbols + (1 << FAST_ROOT);
  uint32_t literals = fast_bits(z, 5) + 257, n = literals + fast_bits(z, 5) + 1;
  uint32_t given = fast_bits(z, 4) + 4, i;
  if (literals > 286 || n - literals > 30) return 0;
  for (i = 0; i < given; i++) own[fast_place(i)] = (unsigned char)fast_bits(z, 3);
  if (!fast_sort(own, 19, 0, z->counts, symbols)) return 0;
  fast_root(z->counts, symbols, root, FAST_ROOT, z->longer);
  for (i = 0; i < n; ) {
    uint32_t times = 1, length;
    fast_refill(z);
    length = root[z->bits & ((1 << FAST_ROOT) - 1)];
    fast_bits(z, length & 15);
    length >>= 4;
    if (length == 16) {
      if (i == 0) return 0;
      length = lengths[i - 1];
      times = 3 + fast_bits(z, 2);
    }
    else if (length > 16) {
      times = (length == 17) ? 3 + fast_bits(z, 3) : 11 + fast_bits(z, 7);
      length = 0;
    }
    if (times > n - i) return 0;
    for (; times > 0; times--) lengths[i++] = (unsigned char)length;
  }
  if (lengths[256] == 0  /* no code ends the block */
      || !fast_sort(lengths, literals, 0, z->counts, z->symbols)
      || !fast_sort(lengths + literals, n - literals, 1, z->counts + 16, z->symbols + 288))
    return 0;
  fast_root(z->counts, z->symbols, z->roots, FAST_ROOT, z->longer);
  fast_root(z->counts + 16, z->symbols + 288, z->roots + (1 << FAST_ROOT), FAST_ROOT2,
            z->longer + 2);
  return 1;
}

/* Reads the header of a block; the state that follows. */
static unsigned char fast_block (fast_inflate *z) {
  z->last = (unsigned char)fast_bits(z, 1);
  switch (fast_bits(z, 2)) {
    case 0:
      if (fast_bits(z, z->count & 7) != 0) return FAST_DAMAGED;
      z->length = fast_bits(z, 16);
      return (z->length == (~fast_bits(z, 16) & 0xffff)) ? FAST_STORED : FAST_DAMAGED;
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

/* bits of the stream in the loop below, as fast_refill and fast_bits have them */
#define FAST_REFILL() \
	if (count < 16) { \
	  if (half < end) \
	    bits |= (FAST_WORD(words + half / 2) >> half % 2 * 16 & 0xffff) << count; \
	  half++; \
	  count += 16; \
	}
#define FAST_SKIP(n)	(bits >>= (n), count -= (n))
#define FAST_EXTRA(n)	(bits & ((1u << (n)) - 1))

/* Writes what the codes of a block say, until it ends or the window does; the
** state that follows. */
static unsigned char fast_codes (fast_inflate *z) {
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
    FAST_REFILL();
    code = z->roots[bits & ((1 << FAST_ROOT) - 1)];
    n = code & 15;
    if (n == 0) {
      code = z->fixed ? fast_fixed(bits)
           : fast_search(z->counts, z->symbols, z->longer, code >> 4, FAST_ROOT, bits);
      n = code & 15;
      if (n == 0) goto damaged;
    }
    FAST_SKIP(n);
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
    FAST_REFILL();
    if (code < 8) length = code + 3;
    else if (code < 28) {
      n = code / 4 - 1;
      length = 3 + ((4 + code % 4) << n) + FAST_EXTRA(n);
      FAST_SKIP(n);
      FAST_REFILL();
    }
    else if (code == 28) length = 258;
    else goto damaged;
    if (z->fixed) code = fast_reversed(bits & 31) << 1 | 5;
    else {
      code = z->roots[(1 << FAST_ROOT) + (bits & ((1 << FAST_ROOT2) - 1))];
      if ((code & 15) == 0)
        code = fast_search(z->counts + 16, z->symbols + 288, z->longer + 2, code >> 4,
                           FAST_ROOT2, bits);
    }
    n = code & 15;
    if (n == 0) goto damaged;
    FAST_SKIP(n);
    code >>= 4;
    if (code >= 4) {
      if (code >= 30) goto damaged;
      FAST_REFILL();
      n = code / 2 - 1;
      code = ((2 + code % 2) << n) + FAST_EXTRA(n);
      FAST_SKIP(n);
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

/* the window for so many bytes of contents: there is always one */
static uint32_t fast_window (uint32_t contents) {
  return (contents == 0) ? 1 : (contents < FAST_WINDOW) ? contents : FAST_WINDOW;
}

/* Begins with a stream of so many bytes, which has so many bytes of contents. */
static void fast_inflate_open (fast_inflate *z, const uint32_t *words, uint32_t stream,
                               uint32_t left, uint32_t window) {
  memset(z, 0, sizeof(*z));
  z->words = words;
  z->stream = stream;
  z->left = left;
  z->size = window;
}

/* Whether that many bytes of contents, which were just written, may be so. */
static int fast_inflated (fast_inflate *z, uint32_t n) {
  uint32_t taken = z->half * 2 - z->count / 8;
  if (z->state == FAST_DAMAGED || n > z->left || taken > z->stream) return 0;
  if (z->state != FAST_BLOCK_NEXT || !z->last) return 1;
  return n == z->left && taken == z->stream && fast_bits(z, z->count & 7) == 0;
}

/*
** Inflates what the window has room for; how many bytes, which end at z->at.
** 0: that was all, and there was as much as there should be. State is
** FAST_DAMAGED where the stream is.
*/
static uint32_t fast_inflate_more (fast_inflate *z) {
  uint32_t start;
  if (z->at == z->size) {
    z->at = 0;
    z->full = 1;
  }
  start = z->at;
  while (z->at < z->size) {
    if (z->state == FAST_CODES) z->state = fast_codes(z);
    else if (z->state == FAST_STORED) {
      if (z->length == 0) z->state = FAST_BLOCK_NEXT;
      else {
        z->length--;
        z->window[z->at++] = (unsigned char)fast_bits(z, 8);
      }
    }
    else if (z->state == FAST_BLOCK_NEXT && !z->last) z->state = fast_block(z);
    else break;
  }
  start = z->at - start;
  if (!fast_inflated(z, start)) {
    z->state = FAST_DAMAGED;
    return 0;
  }
  z->left -= start;
  return start;
}

#endif
