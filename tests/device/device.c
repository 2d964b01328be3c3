/*
** device.c - stock Lua with fast.c, a heap that can be made to fail, and
** flash that can only be read in aligned words through flash_word
*/

#include "lua_unit.h"
#include "run_script.h"

#include <stdint.h>
#include <sys/mman.h>

#define FAST_FLASH	__attribute__((section("fastflash")))
#define FAST_WORD(p)	flash_word(p)
#define PAGE		4096

static uint32_t flash_word (const void *p);

/* a page before and one after, so that those between hold nothing else; this
** takes -fno-toplevel-reorder */
static const char flash_first[PAGE] FAST_FLASH __attribute__((used));
#include "fast.c"
static const char flash_last[PAGE] FAST_FLASH __attribute__((used));

extern const char __start_fastflash[], __stop_fastflash[];

static char *flash_copy;
static long flash_reads;

static uint32_t flash_word (const void *p) {
  const char *at = (const char *)p;
  if (at < __start_fastflash || at >= __stop_fastflash || (uintptr_t)at % 4 != 0) {
    fprintf(stderr, "flash is read at %p\n", p);
    abort();
  }
  flash_reads++;
  return *(uint32_t *)(flash_copy + (at - __start_fastflash));
}

/* from here on any other access to flash is a segmentation fault */
static void flash_close (void) {
  uintptr_t first = ((uintptr_t)__start_fastflash + PAGE - 1) & -PAGE;
  uintptr_t last = (uintptr_t)__stop_fastflash & -PAGE;
  size_t size = (size_t)(__stop_fastflash - __start_fastflash);
  if ((uintptr_t)flash_first != (uintptr_t)__start_fastflash
      || (uintptr_t)flash_last + PAGE != (uintptr_t)__stop_fastflash)
    abort();
  flash_copy = (char *)malloc(size);
  memcpy(flash_copy, __start_fastflash, size);
  if (mprotect((void *)first, last - first, PROT_NONE) != 0) abort();
}

static size_t heap_used, heap_peak, heap_limit = INT_MAX;
static long heap_calls, heap_failat;  /* from that call on; 0: never */
static int heap_failonce;  /* at that call only */
static lua_State *heap_stress;  /* whose garbage is collected at each new block */

/* Whether that is to fail: in 5.3, each second time, so that the core collects
** and tries it again. 5.1 does not do so, and what it moves is in its hands. */
static int heap_collects (size_t osize, size_t nsize) {
  static int again;
  lua_State *L = heap_stress;
  if (L == NULL || nsize <= osize) return 0;
#if LUA_VERSION_NUM == 501
  (void)again;
  if (osize > 0) return 0;
  heap_stress = NULL;
  {
    int blocked = is_block_gc(L);  /* while a chunk is loaded */
    unset_block_gc(L);
    luaC_fullgc(L);
    if (blocked) set_block_gc(L);
  }
  heap_stress = L;
  return 0;
#else
  /* while it begins to compile it would not collect */
  if (G(L)->version == NULL) return 0;
  again = !again;
  return again;
#endif
}

static void *heap_alloc (void *ud, void *p, size_t osize, size_t nsize) {
  void *q = NULL;
  (void)ud;
  if (p == NULL) osize = 0;
  if (nsize == 0) {
    free(p);
    heap_used -= osize;
    return NULL;
  }
  heap_calls++;
  if (heap_collects(osize, nsize)) return NULL;
  if ((heap_failat != 0 && nsize > osize
       && (heap_failonce ? heap_calls == heap_failat : heap_calls >= heap_failat))
      || heap_used - osize + nsize > heap_limit)
    return NULL;
  q = malloc(nsize);  /* always moves, and what was there is overwritten */
  if (p != NULL) {
    memcpy(q, p, (osize < nsize) ? osize : nsize);
    memset(p, 0xee, osize);
    free(p);
  }
  if (heap_used + nsize > heap_peak) heap_peak = heap_used + nsize;
  heap_used += nsize - osize;
  return q;
}

int lua_freeheap (void) {
  return (int)(heap_limit - heap_used);
}

uint32_t fast_clock (void) {
  return 0;
}

/* heap(): bytes used, most that were used since the last call */
static int host_heap (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)heap_used);
  lua_pushinteger(L, (lua_Integer)heap_peak);
  heap_peak = heap_used;
  return 2;
}

/* limit(n, f, ...): pcall(f, ...) with n bytes of free heap */
static int host_limit (lua_State *L) {
  int status;
  size_t n = (size_t)luaL_checkinteger(L, 1);
  lua_gc(L, LUA_GCCOLLECT, 0);
  lua_gc(L, LUA_GCCOLLECT, 0);
  heap_limit = heap_used + n;
  status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  heap_limit = INT_MAX;
  lua_pushboolean(L, status == 0);
  lua_replace(L, 1);
  return lua_gettop(L);
}

/* fail(n, f, ...): pcall(f, ...) with every allocation from the nth on failing */
static int host_fail (lua_State *L) {
  int status;
  heap_calls = 0;
  heap_failat = luaL_checkinteger(L, 1);
  status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  heap_failat = 0;
  lua_pushboolean(L, status == 0);
  lua_replace(L, 1);
  return lua_gettop(L);
}

/* once(n, f, ...): pcall(f, ...) with the nth allocation failing */
static int host_once (lua_State *L) {
  int results;
  heap_failonce = 1;
  results = host_fail(L);
  heap_failonce = 0;
  return results;
}

/* stress(f, ...): pcall(f, ...) with all garbage collected at each new block */
static int host_stress (lua_State *L) {
  int status, i;
  for (i = 0; i < 10; i++) lua_gc(L, LUA_GCCOLLECT, 0);  /* its stack shrinks no more */
  heap_stress = L;
  status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  heap_stress = NULL;
  lua_pushboolean(L, status == 0);
  lua_insert(L, 1);
  return lua_gettop(L);
}

#if LUA_VERSION_NUM == 501

/* mode(m, limit): as node.egc.setmode; gives mode, limit, whether the collector is blocked,
** whether any flag of it is set */
static int host_mode (lua_State *L) {
  if (!lua_isnone(L, 1)) lua_setegcmode(L, luaL_checkint(L, 1), luaL_optint(L, 2, 0));
  lua_pushinteger(L, G(L)->egcmode);
  lua_pushinteger(L, (lua_Integer)G(L)->memlimit);
  lua_pushboolean(L, is_block_gc(L));
  lua_pushboolean(L, G(L)->gcflags != 0);
  return 4;
}

/* collections(f, ...): calls f; how often the allocator collected, and the results */
static int host_collections (lua_State *L) {
  unsigned long before = G(L)->emergencies;
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  lua_pushinteger(L, (lua_Integer)(G(L)->emergencies - before));
  lua_insert(L, 1);
  return lua_gettop(L);
}

/* total(): bytes that the core has */
static int host_total (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)G(L)->totalbytes);
  return 1;
}

#endif

/* flips a bit of this byte range in flash, and clears the flags of valid chunks */
static int flip (lua_State *L, const uint32_t *words, uint32_t size, lua_Integer bit) {
  size_t at = (size_t)((const char *)words - __start_fastflash);
  flash_copy[at + (size_t)bit / 8] ^= (char)(1 << (bit % 8));
  memset(fast_image.checked, 0, (fast_image.count / 32 + 1) * sizeof(uint32_t));
  lua_pushinteger(L, (lua_Integer)size * 8);
  return 1;
}

/* flip(name, bit): changes a bit of a chunk in flash; its size in bits */
static int host_flip (lua_State *L) {
  const fast_bundle *b;
  const fast_chunk *c = fast_find_arg(L, 1, &b);
  return flip(L, c->words, c->size, luaL_checkinteger(L, 2));
}

/* flipshared(bit): the same of what packed chunks have in common */
static int host_flipshared (lua_State *L) {
  return flip(L, fast_image.shared, sizeof(fast_shared), luaL_checkinteger(L, 1));
}

/* trust(name): its checksum counts as right */
static int host_trust (lua_State *L) {
  const fast_bundle *b;
  const fast_chunk *c = fast_find_arg(L, 1, &b);
  uint32_t i = (uint32_t)(c - b->chunks);
  b->checked[i / 32] |= 1u << (i % 32);
  return 0;
}

/* reads(): words of flash read since the last call */
static int host_reads (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)flash_reads);
  flash_reads = 0;
  return 1;
}

static const luaL_Reg host[] = {
#if LUA_VERSION_NUM == 501
  {"mode", host_mode}, {"collections", host_collections}, {"total", host_total},
#endif
  {"heap", host_heap}, {"limit", host_limit}, {"fail", host_fail}, {"once", host_once},
  {"flip", host_flip}, {"flipshared", host_flipshared}, {"stress", host_stress},
  {"reads", host_reads}, {"trust", host_trust}, {NULL, NULL}};

int main (int argc, char **argv) {
  int status;
  const luaL_Reg *f;
  lua_State *L = lua_newstate(heap_alloc, NULL);
  if (argc != 2 || L == NULL) return 2;
  flash_close();
  luaL_openlibs(L);
  lua_pushcfunction(L, luaopen_fast);
  lua_call(L, 0, 1);
  lua_setglobal(L, "fast");
  lua_newtable(L);
  for (f = host; f->name != NULL; f++) {
    lua_pushcfunction(L, f->func);
    lua_setfield(L, -2, f->name);
  }
  lua_setglobal(L, "host");
  status = run_script(L, argv[1]);
  if (heap_used != 0) {
    fprintf(stderr, "%lu bytes are left\n", (unsigned long)heap_used);
    return 1;
  }
  return status;
}
