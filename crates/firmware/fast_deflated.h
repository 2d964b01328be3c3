/*
** fast_deflated.h - compiles source that lies deflated in flash
** A word of it says how many bytes of text there are; the stream follows. The
** compiler reads the text out of the window, so it is nowhere as a whole.
*/

#ifndef fast_deflated_h
#define fast_deflated_h

#include "fast_load.h"
#include "fast_inflate.h"

/* heap that inflating takes, with a window of so many bytes */
#define FAST_DEFLATED_HEAP(n)	FAST_BLOCK(sizeof(fast_inflate) + (n))

/* gives the text to lua_load, a window at a time */
static const char *fast_inflating (lua_State *L, void *ud, size_t *size) {
  fast_inflate *z = (fast_inflate *)ud;
  *size = fast_inflate_more(z);
  if (z->state == FAST_DAMAGED) {
    lua_pushliteral(L, "chunk is damaged in flash");
    lua_error(L);
  }
  return (const char *)z->window + z->at - *size;
}

/* Pushes the main function of the source; else a message, and returns the
** error. lua_load catches every error, so that the window is always freed. */
static int fast_load_deflated (lua_State *L, const fast_bundle *b,
                               const fast_chunk *c, const char *name) {
  const uint32_t *words = FAST_AT(b->base, c->words);
  uint32_t text = FAST_WORD(words), window = fast_window(text);
  fast_inflate *z;
  int status;
  lua_pushfstring(L, "@%s", name);
  z = (fast_inflate *)luaM_malloc(L, sizeof(fast_inflate) + window);
  fast_inflate_open(z, words + 1, (c->size > 4) ? c->size - 4 : 0, text, window);
  status = fast_parse(L, fast_inflating, z, lua_tostring(L, -1));
  luaM_freemem(L, z, sizeof(fast_inflate) + window);
  lua_remove(L, -2);  /* the name */
  return status;
}

#endif
