/*
** inflate.c - fast_inflate.h on a PC, where a sanitizer sees every byte that
** is read or written
**
** inflate FILE		says of each chunk of the file whether it is damaged,
**			or how many bytes of text it has, and their hash
** inflate FILE N SEED	inflates N chunks that are made by changing those of
**			the file, and counts which are damaged
**
** A chunk is a word with its bytes, and these. It is given to fast_inflate.h
** in a block of its own that ends with its last word.
*/

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fast_inflate.h"

typedef struct text {
  uint32_t damaged, bytes, hash;
} text;

static text inflated (const unsigned char *chunk, uint32_t size) {
  text t = {0, 0, 2166136261u};
  uint32_t words = (size + 3) / 4, n, i;
  uint32_t *copy = (uint32_t *)calloc(words, 4), contents, window;
  fast_inflate *z;
  memcpy(copy, chunk, size);
  contents = FAST_WORD(copy);
  window = fast_window_size(contents);
  z = (fast_inflate *)malloc(sizeof(fast_inflate) + window);
  fast_inflate_open(z, copy + 1, size - 4, contents, window);
  while ((n = fast_inflate_more(z)) > 0) {
    for (i = z->at - n; i < z->at; i++) t.hash = (t.hash ^ z->window[i]) * 16777619u;
    t.bytes += n;
  }
  t.damaged = z->state == FAST_DAMAGED;
  if (fast_inflate_more(z) != 0) abort();  /* the end stays the end */
  free(z);
  free(copy);
  return t;
}

static uint64_t state;

static uint32_t any (uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32) % below;
}

/* changes up to 4 places of a chunk; its bytes afterwards */
static uint32_t change (unsigned char *chunk, uint32_t size) {
  uint32_t n;
  for (n = 1 + any(4); n > 0; n--) {
    uint32_t at = (any(3) == 0) ? any(size < 80 ? size : 80) : any(size);
    switch (any(5)) {
      case 0: chunk[at] = (unsigned char)any(256); break;
      case 1: chunk[at] = (unsigned char)(chunk[at] + 1 - any(3)); break;
      case 2:
        if (any(8) == 0 && size > 5) size = 5 + any(size - 5);
        break;
      default: chunk[at] ^= (unsigned char)(1 << any(8));
    }
    if (at >= size) n = 1;
  }
  return size;
}

int main (int argc, char **argv) {
  static unsigned char file[1 << 24];
  const unsigned char *chunks[4096];
  uint32_t sizes[4096], count = 0, damaged = 0, at;
  FILE *f = (argc > 1) ? fopen(argv[1], "rb") : NULL;
  uint32_t length = (f != NULL) ? (uint32_t)fread(file, 1, sizeof(file), f) : 0;
  long n = (argc > 2) ? atol(argv[2]) : 0, i;
  if (f == NULL) return 2;
  fclose(f);
  for (at = 0; at < length; at += 4 + sizes[count++ % 4096]) {
    memcpy(&sizes[count % 4096], file + at, 4);
    chunks[count % 4096] = file + at + 4;
    if (n == 0) {
      text t = inflated(chunks[count % 4096], sizes[count % 4096]);
      if (t.damaged) printf("damaged\n");
      else printf("%u %08x\n", (unsigned)t.bytes, (unsigned)t.hash);
    }
  }
  if (n == 0) return 0;
  if (count > 4096) return 2;
  state = 88172645463325252u + (argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
  for (i = 0; i < n; i++) {
    static unsigned char chunk[1 << 16];
    uint32_t c = any(count);
    memcpy(chunk, chunks[c], sizes[c]);
    damaged += inflated(chunk, change(chunk, sizes[c])).damaged;
  }
  printf("%ld chunks, %u of them damaged\n", n, (unsigned)damaged);
  return 0;
}
