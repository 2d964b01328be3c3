/*
** soundness.c - loads and runs the chunks that come on standard input, each in a
** Lua state of its own, and answers each with a byte (ANSWER_*)
** It is compiled under sanitizers, which end it where a chunk does what a
** verified one must not do. FASTLUA_LUA: 51 or 53; see numbers.h.
*/

#define luai_makeseed()	0	/* the same hashes each time */

#include "lua_unit.h"

#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <unistd.h>

/* dumps are NodeMCU's; the core has packed line info */
#define LUA_USE_HOST
#define FAST_BLOCK(n)	(n)
#define lua_freeheap()	INT_MAX
#include "fast_load.h"

#define ANSWER_RAN	'r'
#define ANSWER_ERROR	'e'	/* Lua's own */
#define ANSWER_LIMIT	'l'	/* too many instructions */
#define ANSWER_REFUSED	'x'	/* by the core's loader */
#define EXIT_LATE	3	/* too long in a C function or a finalizer */

/* in front of each chunk; Rust writes it */
typedef struct Head {
  uint32_t size;		/* bytes of the chunk */
  uint32_t loader;		/* 0: the core's; 1: fast_undump */
  uint32_t every;		/* each such allocation fails once; 0: none */
  uint32_t heap;		/* bytes that it may take */
  uint32_t mode, limit;		/* of 5.1's emergency collections */
} Head;

#define INSTRUCTIONS	20000	/* a hook counts them, by STEP */
#define STEP		50
#define SECONDS		5
#define CALLS		40	/* of functions that a chunk leaves behind */

typedef struct Run {
  Head head;
  const char *chunk;
  size_t used, limit;
  uint32_t allocations, failed;
  long left;			/* instructions */
  int answer;
} Run;

static Run now;

static void *run_alloc (void *ud, void *p, size_t osize, size_t nsize) {
  Run *r = (Run *)ud;
  void *q;
  if (p == NULL) osize = 0;  /* 5.3 passes a type there */
  if (nsize == 0) {
    free(p);
    r->used -= osize;
    return NULL;
  }
  if (nsize > osize) {
    if (nsize - osize > r->limit - r->used) return NULL;
    if (r->head.every != 0 && !r->failed && ++r->allocations % r->head.every == 0) {
      r->failed = 1;
      return NULL;  /* the core collects, if it is to, and asks again */
    }
    r->failed = 0;
  }
  q = malloc(nsize);  /* it moves each time */
  if (q == NULL) return NULL;
  if (p != NULL) memcpy(q, p, osize < nsize ? osize : nsize);
  free(p);
  r->used += nsize - osize;
  return q;
}

/* behind the limit each instruction is an error, so that no pcall goes on */
static void run_hook (lua_State *L, lua_Debug *ar) {
  (void)ar;
  now.left -= STEP;
  if (now.left > 0) return;
  now.answer = ANSWER_LIMIT;
  lua_sethook(L, run_hook, LUA_MASKCOUNT, 1);
  luaL_error(L, "too many instructions");
}

static void run_late (int signal) {
  (void)signal;
  _exit(EXIT_LATE);
}

static int run_print (lua_State *L) {
  int i;
  for (i = 1; i <= lua_gettop(L) && i < 5; i++) {
    lua_getglobal(L, "tostring");
    lua_pushvalue(L, i);
    lua_call(L, 1, 1);
    lua_pop(L, 1);
  }
  return 0;
}

/* all libraries but those by which a script leaves the state or its types */
static void run_open (lua_State *L) {
  static const luaL_Reg libraries[] = {
#if FASTLUA_LUA == 53
    {"_G", luaopen_base}, {LUA_COLIBNAME, luaopen_coroutine},
    {LUA_UTF8LIBNAME, luaopen_utf8},
#else
    {"", luaopen_base},
#endif
    {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
    {LUA_MATHLIBNAME, luaopen_math}, {LUA_DBLIBNAME, luaopen_debug},
    {NULL, NULL}
  };
  static const char *const without[] = {
    "dofile", "loadfile", "load", "loadstring", NULL
  };
  static const char *const debug_without[] = {
    "debug", "setlocal", "sethook", "setmetatable", "setupvalue", "upvaluejoin",
    "getregistry", "setuservalue", "setfenv", NULL
  };
  const luaL_Reg *l;
  const char *const *name;
  for (l = libraries; l->name != NULL; l++) {
#if FASTLUA_LUA == 53
    luaL_requiref(L, l->name, l->func, 1);
    lua_pop(L, 1);
#else
    lua_pushcfunction(L, l->func);
    lua_pushstring(L, l->name);
    lua_call(L, 1, 0);
#endif
  }
  for (name = without; *name != NULL; name++) {
    lua_pushnil(L);
    lua_setglobal(L, *name);
  }
  lua_getglobal(L, LUA_DBLIBNAME);
  for (name = debug_without; *name != NULL; name++) {
    lua_pushnil(L);
    lua_setfield(L, -2, *name);
  }
  lua_pop(L, 1);
  lua_pushcfunction(L, run_print);
  lua_setglobal(L, "print");
  srand(1);  /* of math.random */
}

static void run_call (lua_State *L, int depth, int *calls);

/* calls the functions that Lua made in the table on top */
static void run_table (lua_State *L, int depth, int *calls) {
  int table = lua_gettop(L), first, last;
  lua_pushnil(L);
  while (lua_gettop(L) < table + 30 && lua_next(L, table)) {
    if (lua_isfunction(L, -1) && !lua_iscfunction(L, -1)) lua_insert(L, table + 1);
    else lua_pop(L, 1);
  }
  /* below the key, if there are more */
  for (first = table + 1, last = lua_gettop(L); first <= last; first++) {
    lua_pushvalue(L, first);
    run_call(L, depth, calls);
  }
  lua_settop(L, table);
}

/* calls the value on top, if Lua made it, and what that leaves behind; takes it */
static void run_call (lua_State *L, int depth, int *calls) {
  int top = lua_gettop(L) - 1, n;
  if (lua_isfunction(L, -1) && !lua_iscfunction(L, -1) && *calls > 0) {
    (*calls)--;
    lua_checkstack(L, 40);
    n = *calls % 5;  /* of arguments */
    if (n > 0) lua_pushinteger(L, 3);
    if (n > 1) lua_pushliteral(L, "text");
    if (n > 2) lua_newtable(L);
    if (n > 3) lua_pushvalue(L, top + 1);
    if (lua_pcall(L, n, 3, 0) == 0 && depth > 0) {
      for (n = 3; n > 0; n--) run_call(L, depth - 1, calls);
    }
  }
  else if (lua_istable(L, -1) && depth > 0 && lua_checkstack(L, 80))
    run_table(L, depth - 1, calls);
  lua_settop(L, top);
}

static int run_load (lua_State *L) {
  if (now.head.loader == 1) return fast_undump(L, (const uint32_t *)now.chunk);
  return luaL_loadbuffer(L, now.chunk, now.head.size, "=chunk");
}

static int run_main (lua_State *L) {
  int i, status, calls = CALLS;
  lua_checkstack(L, 100);
  run_open(L);
  lua_gc(L, LUA_GCSETPAUSE, 50);  /* the next cycle begins at once */
#if defined(EGC_ALWAYS)
  lua_setegcmode(L, (int)now.head.mode, (int)now.head.limit);
#endif
  now.limit = now.used + now.head.heap;
  now.head.every = *(uint32_t *)lua_touserdata(L, 1);
  status = run_load(L);
  if (status != 0) {
    if (status == LUA_ERRSYNTAX) now.answer = ANSWER_REFUSED;
    return lua_error(L);
  }
  lua_sethook(L, run_hook, LUA_MASKCOUNT, STEP);
  lua_pushinteger(L, 7);
  lua_pushliteral(L, "argument");
  status = lua_pcall(L, 2, 3, 0);
  for (i = 3; status == 0 && i > 0; i--) run_call(L, 2, &calls);
  lua_settop(L, 0);
  lua_getglobal(L, "_G");
  if (lua_istable(L, -1)) run_table(L, 1, &calls);
  if (status != 0) lua_error(L);
  return 0;
}

static void run (void) {
  uint32_t every = now.head.every;
  lua_State *L;
  now.used = 0;
  now.limit = SIZE_MAX / 2;
  now.allocations = now.failed = 0;
  now.left = INSTRUCTIONS;
  now.answer = ANSWER_RAN;
  now.head.every = 0;  /* until the libraries are open */
  L = lua_newstate(run_alloc, &now);
  if (L == NULL) abort();
#if FASTLUA_LUA == 53
  lua_pushcfunction(L, run_main);
  lua_pushlightuserdata(L, &every);
  if (lua_pcall(L, 1, 0, 0) != 0 && now.answer == ANSWER_RAN)
    now.answer = ANSWER_ERROR;
#else
  if (lua_cpcall(L, run_main, &every) != 0 && now.answer == ANSWER_RAN)
    now.answer = ANSWER_ERROR;
#endif
  lua_sethook(L, NULL, 0, 0);
  now.head.every = 0;
  lua_close(L);
  if (now.used != 0) abort();
}

/* whether all of it came */
static int take (void *to, size_t n) {
  char *p = (char *)to;
  while (n > 0) {
    ssize_t got = read(STDIN_FILENO, p, n);
    if (got <= 0) return 0;
    p += got;
    n -= (size_t)got;
  }
  return 1;
}

int main (void) {
  struct itimerval limit = {{0, 0}, {SECONDS, 0}}, none = {{0, 0}, {0, 0}};
  signal(SIGPROF, run_late);
  while (take(&now.head, sizeof(now.head))) {
    size_t size = now.head.size;  /* in flash, of whole words */
    char answer, *chunk = (char *)calloc(1, now.head.loader == 1 ? (size + 3) & ~(size_t)3 : size);
    if (chunk == NULL || !take(chunk, size)) return 2;
    now.chunk = chunk;
    setitimer(ITIMER_PROF, &limit, NULL);
    run();
    setitimer(ITIMER_PROF, &none, NULL);
    free(chunk);
    answer = (char)now.answer;
    if (write(STDOUT_FILENO, &answer, 1) != 1) return 2;
  }
  return 0;
}
