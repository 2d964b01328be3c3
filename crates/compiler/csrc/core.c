/*
** core.c - one Lua core with one number model, compiled as a single unit
** CORE(name) prefixes the names that have to be global; all others are static
** FASTLUA_LUA: 51 or 53; see numbers.h for the others
*/

#define LUA_CORE

#include "numbers.h"
#include "luaconf.h"

#undef LUAI_FUNC
#undef LUA_API
#define LUAI_FUNC	static
#define LUA_API		static

#define CORE__(p,n)	p ## n
#define CORE_(p,n)	CORE__(p, n)
#define CORE(n)		CORE_(FASTLUA_PREFIX, n)

/* arrays of open size can not be static */
#define lua_ident	CORE(lua_ident)
#if FASTLUA_LUA == 51
#undef LUAI_DATA
#define LUAI_DATA	extern
#define luaX_tokens	CORE(luaX_tokens)
#define luaO_nilobject_	CORE(luaO_nilobject_)
#define luaP_opmodes	CORE(luaP_opmodes)
#define luaP_opnames	CORE(luaP_opnames)
#define luaT_typenames	CORE(luaT_typenames)
#else
#undef LUAI_DDEC
#undef LUAI_DDEF
#define LUAI_DDEC	static
#define LUAI_DDEF	static
#define luai_makeseed()	0	/* nothing depends on the time of day */
#endif

#include "corefiles.h"

#if FASTLUA_LUA == 53
#define load_chunk(L,r,ud,name)	lua_load(L, r, ud, name, NULL)
#define dump_chunk(L,w,ud)	lua_dump(L, w, ud, 0)
#else
#define load_chunk(L,r,ud,name)	lua_load(L, r, ud, name)
#define dump_chunk(L,w,ud)	lua_dump(L, w, ud)
#endif

typedef void (*Sink) (void *ud, const void *p, size_t n);

typedef struct Job {
  size_t used, limit;		/* bytes of heap */
  const char *input;		/* whole input, handed over once */
  size_t size;
  const char *name;
  Sink sink;			/* takes the dump, or the error message */
  void *ud;
  int status;			/* of the load */
} Job;

static void *job_alloc (void *ud, void *p, size_t osize, size_t nsize) {
  Job *j = (Job *)ud;
  size_t used;
  void *q;
  if (p == NULL) osize = 0;  /* 5.3 passes a type there */
  if (nsize == 0) {
    free(p);
    j->used -= osize;
    return NULL;
  }
  used = j->used - osize;
  if (nsize > j->limit || used > j->limit - nsize)
    return NULL;
  q = realloc(p, nsize);
  if (q != NULL) j->used = used + nsize;
  return q;
}

static const char *job_read (lua_State *L, void *ud, size_t *n) {
  Job *j = (Job *)ud;
  const char *p = j->input;
  (void)L;
  *n = (p != NULL) ? j->size : 0;
  j->input = NULL;
  return p;
}

static int job_write (lua_State *L, const void *p, size_t n, void *ud) {
  Job *j = (Job *)ud;
  (void)L;
  if (n > 0) j->sink(j->ud, p, n);  /* 5.1 writes empty vectors */
  return 0;
}

static int job_run (lua_State *L) {
  Job *j = (Job *)lua_touserdata(L, 1);
  j->status = load_chunk(L, job_read, j, j->name);
  if (j->status != 0)
    lua_error(L);
  dump_chunk(L, job_write, j);
  return 0;
}

/* 5.3 has no lua_cpcall; pushing a light C function takes no memory there */
static int job_protected (lua_State *L, Job *j) {
#if FASTLUA_LUA == 53
  lua_pushcfunction(L, job_run);
  lua_pushlightuserdata(L, j);
  return lua_pcall(L, 1, 0, 0);
#else
  return lua_cpcall(L, job_run, j);
#endif
}

/*
** Loads source or a dump of this core's own layout and hands its dump to
** the sink; on an error hands Lua's message to it and returns Lua's status.
*/
int CORE(run) (const char *name, const char *input, size_t size,
               size_t limit, Sink sink, void *ud);
int CORE(run) (const char *name, const char *input, size_t size,
               size_t limit, Sink sink, void *ud) {
  static const char nomem[] = "not enough memory";
  Job j = {0, limit, input, size, name, sink, ud, 0};
  int status = LUA_ERRMEM;
  lua_State *L = lua_newstate(job_alloc, &j);
  if (L == NULL) {
    sink(ud, nomem, sizeof(nomem) - 1);
    return status;
  }
  status = job_protected(L, &j);
  if (status != 0) {
    size_t n = 0;
    const char *msg = lua_tolstring(L, -1, &n);
    if (msg == NULL) msg = nomem, n = sizeof(nomem) - 1;
    sink(ud, msg, n);
    if (j.status != 0) status = j.status;  /* passed on as an error at run time */
  }
  lua_close(L);
  return status;
}
