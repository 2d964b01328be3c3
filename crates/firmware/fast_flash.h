/*
** fast_flash.h - reads flash by aligned 32-bit words only
*/

#ifndef fast_flash_h
#define fast_flash_h

#include <stdint.h>

/* reads a word of flash */
#if !defined(FAST_WORD)
#define FAST_WORD(p)	(*(const volatile uint32_t *)(p))

/* A word without the memory barrier of a volatile read on Xtensa. The value is opaque
** to the compiler, so that it can not narrow the read to a byte or a half. */
__attribute__((unused))
static inline uint32_t fast_read_word (const uint32_t *p) {
  uint32_t word = *p;
  __asm__ ("" : "+r" (word));
  return word;
}
#else
#define fast_read_word(p)	FAST_WORD(p)
#endif

/* words of the buffer for what is needed in one piece */
#define FAST_BUFFER_WORDS	64

/* state of reading bytes of a chunk */
typedef struct fast_reader {
  const uint32_t *words;
  uint32_t at, size;		/* position and size in bytes */
  uint32_t buffer[FAST_BUFFER_WORDS];
} fast_reader;

static inline uint32_t fast_next_byte (fast_reader *s) {
  uint32_t at = s->at++;
  return (fast_read_word(s->words + at / 4) >> at % 4 * 8) & 255;
}

/* the same where a call is worth its time */
static uint32_t fast_read_byte (fast_reader *s) {
  return fast_next_byte(s);
}

/* 32 bits of two words, from bit 'shift' of the first on: 8, 16 or 24 */
static inline uint32_t fast_join_words (uint32_t low, uint32_t high, uint32_t shift) {
#if defined(__XTENSA__)
  uint32_t joined;
  __asm__ ("ssr %3\n\tsrc %0, %2, %1" : "=r" (joined) : "r" (low), "r" (high), "r" (shift));
  return joined;
#else
  return low >> shift | high << (32 - shift);
#endif
}

/* n words to an aligned address */
static void fast_read_words (fast_reader *s, uint32_t *to, uint32_t n) {
  const uint32_t *from = s->words + s->at / 4;
  uint32_t shift = s->at % 4 * 8, *end = to + n, low, high;
  s->at += 4 * n;
  if (shift == 0) {
    while (to < end) *to++ = fast_read_word(from++);
    return;
  }
  if (n == 0) return;
  low = fast_read_word(from++);
  for (; n > 1; n -= 2, to += 2, from += 2) {
    high = fast_read_word(from);
    to[0] = fast_join_words(low, high, shift);
    low = fast_read_word(from + 1);
    to[1] = fast_join_words(high, low, shift);
  }
  if (n > 0) *to = fast_join_words(low, fast_read_word(from), shift);
}

/* Up to 4 * FAST_BUFFER_WORDS bytes to the buffer. What follows in the last word is any. */
static void fast_read_to_buffer (fast_reader *s, uint32_t n) {
  const uint32_t *from = s->words + s->at / 4, *end = s->words + (s->at + n + 3) / 4;
  uint32_t shift = s->at % 4 * 8, *to = s->buffer, low, high;
  s->at += n;
  if (shift == 0) {
    while (from < end) *to++ = fast_read_word(from++);
    return;
  }
  for (low = fast_read_word(from++); from < end; low = high) {
    high = fast_read_word(from++);
    *to++ = fast_join_words(low, high, shift);
  }
  if (to < s->buffer + FAST_BUFFER_WORDS) *to = low >> shift;
}

/* n bytes to an aligned address */
static void fast_read_bytes (fast_reader *s, void *to, uint32_t n) {
  char *p = (char *)to + (n & ~3u);
  fast_read_words(s, (uint32_t *)to, n / 4);
  for (n %= 4; n > 0; n--) *p++ = (char)fast_read_byte(s);
}

#endif
