/*
** core.c - one Lua core with one number model, compiled as a single unit
** CORE(name) prefixes the names that have to be global; all others are static
** CORE_JUMPS: how many jumps may go to one place
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

#include "lua.h"

/* lcode.c, as build.rs edits it, calls this for each line that it gives an instruction */
static void core_line (lua_State *L, const void *f, int pc, int line);

#include "corefiles.h"

#if FASTLUA_LUA == 53
#define load_chunk(L,r,ud,name)	lua_load(L, r, ud, name, NULL)
#define dump_chunk(L,w,ud)	lua_dump(L, w, ud, 0)
#define main_function(L)	getproto((L)->top - 1)
#else
#define load_chunk(L,r,ud,name)	lua_load(L, r, ud, name)
#define dump_chunk(L,w,ud)	lua_dump(L, w, ud)
#define main_function(L)	(clvalue((L)->top - 1)->l.p)
#endif

/* what the sink takes if all goes well */
#define WANTED_DUMP	0
#define WANTED_COST	1	/* of the load */
#define WANTED_LINES	2	/* all lines that the compiler gave instructions */

typedef void (*Sink) (void *ud, const void *p, size_t n);

typedef struct Text {
  const char *p;		/* whole text, handed over once */
  size_t size;
} Text;

/* a line that an instruction was given */
typedef struct Line {
  const void *f;		/* its Proto */
  int pc, line;
} Line;

/* classes of blocks: of 16 bytes, 32, and so on, then by powers of two */
#define GRAIN		16
#define SMALL		512
#define SMALL_CLASSES	(SMALL / GRAIN)
#define CLASSES		(SMALL_CLASSES + 8 * sizeof(size_t))
#define SLAB		65536	/* small blocks are parts of one */

/* memory of a run, which is freed as a whole at its end */
typedef struct Slab {
  struct Slab *next;
  double align;
} Slab;

typedef struct Job {
  size_t used, limit;		/* bytes of heap */
  size_t peak, calls;		/* most of them; blocks that were asked for */
  Text input;
  const char *name;
  int wanted;
  Sink sink;			/* takes the dump, or the error message */
  void *ud;
  int status;			/* of the load */
  Line *lines;			/* where they are wanted */
  size_t nlines, sizelines;
  char *bump, *end;		/* of the newest slab, or of the caller's memory */
  Slab *slabs;
  void *unused[CLASSES];	/* a chain of freed blocks for each class */
  global_State *patient;	/* whose collector waits for a quarter of the limit */
  size_t nout;
  char out[4096];		/* what the sink has not taken yet */
} Job;

static size_t class_of (size_t size, size_t *rounded) {
  size_t class = SMALL_CLASSES;
  if (size <= SMALL) {
    class = (size + GRAIN - 1) / GRAIN;
    *rounded = class * GRAIN;
    return class - 1;
  }
  for (*rounded = 2 * SMALL; *rounded < size; *rounded *= 2) class++;
  return class;
}

static void *slab (Job *j, size_t size) {
  Slab *s = (Slab *)malloc(sizeof(Slab) + size);
  if (s == NULL) return NULL;
  s->next = j->slabs;
  j->slabs = s;
  return s + 1;
}

static void *take (Job *j, size_t size) {
  size_t rounded;
  size_t class = class_of(size, &rounded);
  char *p = (char *)j->unused[class];
  if (p != NULL) {
    j->unused[class] = *(void **)p;
    return p;
  }
  if ((size_t)(j->end - j->bump) < rounded) {
    if (rounded > SMALL) return slab(j, rounded);
    p = (char *)slab(j, SLAB);
    if (p == NULL) return NULL;
    j->bump = p;
    j->end = p + SLAB;
  }
  p = j->bump;
  j->bump += rounded;
  return p;
}

static void release (Job *j, void *p, size_t size) {
  size_t rounded;
  size_t class = class_of(size, &rounded);
  *(void **)p = j->unused[class];
  j->unused[class] = p;
}

/* the compiler makes little garbage, so most runs end before any is collected */
static void wait_with_collector (lua_State *L, Job *j) {
  j->patient = G(L);
  lua_gc(L, LUA_GCSTOP, 0);
}

static void collect_from_now_on (Job *j) {
#if FASTLUA_LUA == 53
  j->patient->gcrunning = 1;
#else
  j->patient->GCthreshold = j->patient->totalbytes;
#endif
  j->patient = NULL;
}

static void *job_alloc (void *ud, void *p, size_t osize, size_t nsize) {
  Job *j = (Job *)ud;
  size_t used, rounded, old;
  void *q = p;
  if (p == NULL) osize = 0;  /* 5.3 passes a type there */
  if (nsize == 0) {
    if (osize > 0) release(j, p, osize);
    j->used -= osize;
    return NULL;
  }
  used = j->used - osize;
  if (nsize > j->limit || used > j->limit - nsize)
    return NULL;
  if (j->patient != NULL && used + nsize > j->limit / 4)
    collect_from_now_on(j);
  if (osize == 0 || class_of(osize, &old) != class_of(nsize, &rounded)) {
    q = take(j, nsize);
    if (q != NULL && osize > 0) {
      memcpy(q, p, osize < nsize ? osize : nsize);
      release(j, p, osize);
    }
  }
  j->calls++;
  if (j->peak < j->used + nsize) j->peak = j->used + nsize;  /* as if it moved */
  if (q != NULL) j->used = used + nsize;
  return q;
}

/* the last one that an instruction is given holds; NodeMCU's compilers pack them all */
static void core_line (lua_State *L, const void *f, int pc, int line) {
  Job *j = (Job *)G(L)->ud;
  if (j->wanted != WANTED_LINES) return;
  if (j->nlines == j->sizelines) {
    size_t size = (j->sizelines == 0) ? 64 : 2 * j->sizelines;
    Line *p = (Line *)job_alloc(j, j->lines, j->sizelines * sizeof(Line),
                                size * sizeof(Line));
    if (p == NULL) luaD_throw(L, LUA_ERRMEM);
    j->lines = p;
    j->sizelines = size;
  }
  j->lines[j->nlines].f = f;
  j->lines[j->nlines].pc = pc;
  j->lines[j->nlines++].line = line;
}

static const char *job_read (lua_State *L, void *ud, size_t *n) {
  Text *t = (Text *)ud;
  const char *p = t->p;
  (void)L;
  *n = (p != NULL) ? t->size : 0;
  t->p = NULL;
  return p;
}

static void flush (Job *j) {
  if (j->nout > 0) j->sink(j->ud, j->out, j->nout);
  j->nout = 0;
}

static int job_write (lua_State *L, const void *p, size_t n, void *ud) {
  Job *j = (Job *)ud;
  (void)L;
  if (n > sizeof(j->out) - j->nout) flush(j);
  if (n > sizeof(j->out))
    j->sink(j->ud, p, n);
  else if (n > 0) {  /* 5.1 writes empty vectors */
    memcpy(j->out + j->nout, p, n);
    j->nout += n;
  }
  return 0;
}

static void job_load (lua_State *L, Job *j) {
  j->status = load_chunk(L, job_read, &j->input, j->name);
  if (j->status != 0)
    lua_error(L);
}

static void collect (lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT, 0);
  lua_gc(L, LUA_GCCOLLECT, 0);
  lua_gc(L, LUA_GCSTOP, 0);  /* 5.1 restarts it with each full collection */
}

/* hands over blocks, bytes at the peak and bytes kept of a load, which is not the first */
static void job_cost (lua_State *L, Job *j) {
  Text empty = {"", 0};
  ptrdiff_t found[3];
  size_t base;
  if (load_chunk(L, job_read, &empty, "=") != 0)
    lua_error(L);
  lua_pop(L, 1);
  collect(L);
  base = j->peak = j->used;
  j->calls = 0;
  job_load(L, j);
  found[0] = (ptrdiff_t)j->calls;
  found[1] = (ptrdiff_t)(j->peak - base);
  collect(L);
  found[2] = (ptrdiff_t)j->used - (ptrdiff_t)base;
  j->sink(j->ud, found, sizeof(found));
}

/* hands over a function and those in it, outer ones first */
static void job_functions (Job *j, const Proto *f) {
  int i;
  j->sink(j->ud, &f, sizeof(f));
  for (i = 0; i < f->sizep; i++)
    job_functions(j, f->p[i]);
}

/* hands over all functions, NULL, and all lines that the compiler gave */
static void job_lines (Job *j, const Proto *f) {
  const Proto *none = NULL;
  job_functions(j, f);
  j->sink(j->ud, &none, sizeof(none));
  j->sink(j->ud, j->lines, j->nlines * sizeof(Line));
}

static int job_run (lua_State *L) {
  Job *j = (Job *)lua_touserdata(L, 1);
  switch (j->wanted) {
    case WANTED_COST: job_cost(L, j); break;
    case WANTED_LINES:
      wait_with_collector(L, j);
      job_load(L, j);
      job_lines(j, main_function(L));
      break;
    default:
      wait_with_collector(L, j);
      job_load(L, j);
      dump_chunk(L, job_write, j);
      flush(j);
  }
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
** Loads source or a dump of this core's own layout and hands what is wanted
** to the sink; on an error hands Lua's message to it and returns Lua's status.
** The heap begins in the caller's memory, whose alignment is malloc's.
*/
int CORE(run) (const char *name, const char *input, size_t size,
               size_t limit, int wanted, char *memory, size_t room,
               Sink sink, void *ud);
int CORE(run) (const char *name, const char *input, size_t size,
               size_t limit, int wanted, char *memory, size_t room,
               Sink sink, void *ud) {
  static const char nomem[] = "not enough memory";
  Job j;
  Slab *s;
  lua_State *L;
  int status = LUA_ERRMEM;
  memset(&j, 0, offsetof(Job, out));
  j.limit = limit;
  j.input.p = input;
  j.input.size = size;
  j.name = name;
  j.wanted = wanted;
  j.sink = sink;
  j.ud = ud;
  j.bump = memory;
  j.end = memory + room;
  L = lua_newstate(job_alloc, &j);
  if (L != NULL)
    status = job_protected(L, &j);
  if (status != 0) {
    size_t n = 0;
    const char *msg = (L != NULL) ? lua_tolstring(L, -1, &n) : NULL;
    if (msg == NULL) msg = nomem, n = sizeof(nomem) - 1;
    sink(ud, msg, n);
    if (j.status != 0) status = j.status;  /* passed on as an error at run time */
  }
  while ((s = j.slabs) != NULL) {  /* no object has a finalizer */
    j.slabs = s->next;
    free(s);
  }
  return status;
}
