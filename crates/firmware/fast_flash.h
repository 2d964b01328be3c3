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
typedef struct fast_source {
  const uint32_t *words;
  uint32_t at, size;		/* position and size in bytes */
  uint32_t buffer[FAST_BUFFER_WORDS];
} fast_source;

static uint32_t fast_read_byte (fast_source *s) {
  uint32_t at = s->at++;
  return (FAST_WORD(s->words + at / 4) >> at % 4 * 8) & 255;
}

static void fast_read_words (fast_source *s, uint32_t *to, uint32_t n) {
  const uint32_t *from = s->words + s->at / 4;
  uint32_t shift = s->at % 4 * 8;
  s->at += 4 * n;
  if (shift == 0)
    for (; n > 0; n--) *to++ = FAST_WORD(from++);
  else if (n > 0) {
    uint32_t low = FAST_WORD(from++);
    for (; n > 0; n--) {
      uint32_t high = FAST_WORD(from++);
      *to++ = (low >> shift) | (high << (32 - shift));
      low = high;
    }
  }
}

/* n bytes to an aligned address */
static void fast_read_bytes (fast_source *s, void *to, uint32_t n) {
  char *p = (char *)to + (n & ~3u);
  fast_read_words(s, (uint32_t *)to, n / 4);
  for (n %= 4; n > 0; n--) *p++ = (char)fast_read_byte(s);
}

#endif
