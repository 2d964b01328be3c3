/*
** fast_deflated.h - compiles deflated source in flash
** The first word is the size of the text; the stream follows. The compiler reads the
** text from the window of the inflater, so the whole text is never in memory.
*/

#ifndef fast_deflated_h
#define fast_deflated_h

#include "fast_load.h"
#include "fast_inflate.h"

/* heap that inflating with a window of n bytes takes */
#define FAST_DEFLATED_HEAP(n)	FAST_BLOCK(sizeof(fast_inflate) + (n))

/* lua_Reader of deflated source */
static const char *fast_inflate_reader (lua_State *L, void *ud, size_t *size) {
  fast_inflate *z = (fast_inflate *)ud;
  *size = fast_inflate_more(z);
  if (z->state == FAST_DAMAGED) {
    lua_pushliteral(L, "chunk is damaged in flash");
    lua_error(L);
  }
  return (const char *)z->window + z->at - *size;
}

/* a deflated chunk while it is loaded */
typedef struct fast_deflated {
  const char *name;
  const uint32_t *words;	/* of the stream */
  uint32_t size, text, window;	/* bytes of the stream, the text, the window */
  fast_inflate *z;
} fast_deflated;

static void fast_parse_deflated (lua_State *L, void *ud) {
  fast_deflated *d = (fast_deflated *)ud;
  fast_source_text text;
  d->z = (fast_inflate *)luaM_malloc(L, sizeof(fast_inflate) + d->window);
  fast_inflate_open(d->z, d->words, d->size, d->text, d->window);
  text.name = d->name;
  text.reader = fast_inflate_reader;
  text.ud = d->z;
  fast_parse(L, &text);
}

/* Pushes the main function of deflated source, or a message. Returns the status. */
static int fast_load_deflated (lua_State *L, const fast_bundle *b,
                               const fast_chunk *c, const char *name) {
  const uint32_t *words = FAST_AT(b->base, c->words);
  fast_deflated d;
  int status;
  d.name = name;
  d.words = words + 1;
  d.size = (c->size > 4) ? c->size - 4 : 0;
  d.text = FAST_WORD(words);
  d.window = fast_window_size(d.text);
  d.z = NULL;
  status = fast_pcall(L, fast_parse_deflated, &d);
  if (d.z != NULL) luaM_freemem(L, d.z, sizeof(fast_inflate) + d.window);
  return status;
}

#endif
