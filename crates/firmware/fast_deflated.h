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

/* Pushes the main function of deflated source, or a message. Returns the status.
** lua_load catches every error, so the window is always freed. */
static int fast_load_deflated (lua_State *L, const fast_bundle *b,
                               const fast_chunk *c, const char *name) {
  const uint32_t *words = FAST_AT(b->base, c->words);
  uint32_t text = FAST_WORD(words), window = fast_window_size(text);
  fast_inflate *z;
  int status;
  lua_pushfstring(L, "@%s", name);
  z = (fast_inflate *)luaM_malloc(L, sizeof(fast_inflate) + window);
  fast_inflate_open(z, words + 1, (c->size > 4) ? c->size - 4 : 0, text, window);
  status = fast_parse(L, fast_inflate_reader, z, lua_tostring(L, -1));
  luaM_freemem(L, z, sizeof(fast_inflate) + window);
  lua_remove(L, -2);  /* the name */
  return status;
}

#endif
