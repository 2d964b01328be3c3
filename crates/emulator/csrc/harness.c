/*
** harness.c - a main program: measures the load of each job's chunk, and its
** run where asked to
** Each job has a heap and a Lua state of its own, and finds the variables of
** the image's C files as they were at the start, so that its figures depend on
** nothing before it. A load is measured in a state without libraries but
** 'fast', which has loaded an empty chunk (and the job's, if it is to be warm),
** after two full collections. From then on the collector does not begin by
** itself; but 5.1's allocator collects as its mode says, which is set once the
** state is open, as on the chip. record.rs says what each figure is.
*/

#include <stdio.h>
#include <string.h>

#include "numbers.h"
#include "lualib.h"
#include "lauxlib.h"
#include "chip.h"
#include "core.h"
#include "harness.h"
#include "runtime.h"

/* RAM that no figure counts */
#define COPY_BASE	SPARE
#define COPY_SIZE	0x2000000u
#define NAME_BASE	(SPARE + COPY_SIZE)
#define SAVE_BASE	(NAME_BASE + 0x10000)

/* variables of the image's files, from the linker script */
extern char image_data_start[], image_data_end[];
#define IMAGE_DATA	((size_t)(image_data_end - image_data_start))

static const harness_job *job;		/* the one at work */
static const char *job_data;

typedef struct counts {
  uint32_t instructions;
  heap_state before, after;
  size_t string_table;		/* before */
  uint32_t stack;
  int status;
} counts;

static int load_nothing (lua_State *L) {
  lua_settop(L, 1);
  return 1;
}

static int load_buffer (lua_State *L) {
  if (luaL_loadbuffer(L, job_data, job->size, NAME_BASE) == 0) return 1;
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

static void collect (lua_State *L) {
#if FASTLUA_LUA == 51
  lua_gc(L, LUA_GCSETPAUSE, 100000);  /* LUA_GCSTOP would stop the allocator's, too */
#endif
  core_collect(L);
  core_collect(L);
#if FASTLUA_LUA != 51
  lua_gc(L, LUA_GCSTOP, 0);
#endif
}

/* the collector as a program has it */
static void collect_again (lua_State *L) {
#if FASTLUA_LUA == 51
  lua_gc(L, LUA_GCSETPAUSE, LUAI_GCPAUSE);
  core_collect(L);
#endif
  lua_gc(L, LUA_GCRESTART, 0);
}

static int make_table (lua_State *L) {
  lua_newtable(L);
  return 1;
}

/* calls the function below the arguments on top of the stack */
static void measure_call (lua_State *L, int arguments, int results, counts *c) {
  uint32_t painted = stack_paint();
  uint32_t from, to;
  c->string_table = core_string_table(L);
  heap_mark();
  c->before = heap;
  trap_reads = (trap_counts){0, 0, 0};
  trap_set(1);
  from = ticks();
  c->status = lua_pcall(L, arguments, results, 0);
  to = ticks();
  trap_set(0);
  c->after = heap;
  c->stack = stack_used(painted);
  c->instructions = ticks_between(from, to);
}

/* instructions that measure_call and load_nothing take */
static uint32_t own_cost (lua_State *L) {
  uint32_t cost[2];
  int i;
  for (i = 0; i < 2; i++) {
    counts c;
    lua_pushcfunction(L, load_nothing);
    lua_pushliteral(L, "");
    measure_call(L, 1, 2, &c);
    lua_pop(L, 2);
    cost[i] = c.instructions;
  }
  if (cost[0] != cost[1])
    runtime_fail("check failed: an empty call takes %u instructions, then %u",
                 (unsigned)cost[0], (unsigned)cost[1]);
  return cost[0];
}

static void print_hex (const char *kind, const char *s, size_t n) {
  size_t i;
  printf("%s %u ", kind, (unsigned)(job - harness_jobs));
  for (i = 0; i < n; i++) printf("%02x", (unsigned char)s[i]);
  putchar('\n');
}

static void print_message (lua_State *L, const char *kind, int index) {
  size_t n = 0;
  const char *message = lua_tolstring(L, index, &n);
  if (message == NULL) message = "no function, and no message", n = strlen(message);
  print_hex(kind, message, n);
}

/* opens 'fast', and has both ways of loading warmed up with an empty chunk */
static int warm_up (lua_State *L) {
  lua_checkstack(L, 20);
  chip_open_fast(L);
  if (luaL_loadbuffer(L, "", 0, "=") != 0) return lua_error(L);
  lua_call(L, 0, 0);
  return 0;
}

static lua_State *open_state (lua_CFunction opener) {
  lua_State *L;
  heap_reset(harness_heap_limit);
  memcpy(image_data_start, SAVE_BASE, IMAGE_DATA);
  L = luaL_newstate();
  if (L != NULL) {
    lua_pushcfunction(L, opener);
    if (lua_pcall(L, 0, 0, 0) == 0) {
#if FASTLUA_LUA == 51
      lua_setegcmode(L, harness_egc_mode, harness_egc_limit);
#endif
      return L;
    }
    print_message(L, "refused", -1);
    lua_close(L);
    return NULL;
  }
  print_hex("refused", "no Lua state: not enough memory", 31);
  return NULL;
}

static void close_state (lua_State *L) {
  lua_close(L);
  if (heap.blocks != 0 || heap.used != 0)
    runtime_fail("check failed: %u blocks are left after lua_close", (unsigned)heap.blocks);
}

/* pushes the function that loads the job's chunk and its argument */
static int push_loader (lua_State *L) {
  if (job->data != NULL) lua_pushcfunction(L, load_buffer);
  else if (job->store) lua_pushcfunction(L, core_store);
  else {
    lua_getglobal(L, "fast");
    if (lua_isnil(L, -1)) return 0;
    lua_getfield(L, -1, "load");
    lua_remove(L, -2);
  }
  lua_pushstring(L, (job->data != NULL) ? "" : NAME_BASE);
  return 1;
}

/* instructions to make an empty table */
static uint32_t table_cost (lua_State *L, uint32_t own) {
  counts c;
  lua_pushcfunction(L, make_table);
  lua_pushliteral(L, "");
  collect(L);
  measure_call(L, 1, 2, &c);
  lua_pop(L, 2);
  return c.instructions - own;
}

/* what the heap has gained since c->before */
#define GAIN(now, field)	((int)((now).field - c.before.field))

static void print_load (lua_State *L, counts c, uint32_t own, uint32_t table_before) {
  core_bytes code, debug;
  trap_counts reads = trap_reads;
  core_function(L, &code, &debug);
  collect(L);
  printf("load %u instructions=%u allocations=%u live_peak=%d live_kept=%d heap_peak=%d"
         " heap_kept=%d blocks=%d debug=%u string_table=%d stack=%u narrow=%u words=%u"
         " unaligned=%u table_before=%u",
         (unsigned)(job - harness_jobs), (unsigned)(c.instructions - own),
         (unsigned)GAIN(c.after, calls), GAIN(c.after, live_peak), GAIN(heap, live),
         GAIN(c.after, used_peak), GAIN(heap, used), GAIN(heap, blocks), (unsigned)debug.bytes,
         (int)(core_string_table(L) - c.string_table), (unsigned)c.stack, (unsigned)reads.narrow,
         (unsigned)reads.words, (unsigned)reads.unaligned,
         (unsigned)table_before);
  printf(" table=%u\n", (unsigned)table_cost(L, own));
}

static void measure_load (void) {
  counts c;
  uint32_t own, table;
  lua_State *L = open_state(warm_up);
  if (L == NULL) return;
  own = own_cost(L);
  table = table_cost(L, own);
  if (!push_loader(L)) {
    lua_pushliteral(L, "the image has no C module fast");
    print_message(L, "refused", -1);
  }
  else {
    if (job->warm) {
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_pcall(L, 1, 0, 0);
    }
    collect(L);
    lua_pushvalue(L, -2);  /* the pair stays, so that it is not part of the gain */
    lua_pushvalue(L, -2);
    measure_call(L, 1, 2, &c);
    if (c.status == 0 && lua_isfunction(L, -2)) {
      lua_pop(L, 1);
      print_load(L, c, own, table);
    }
    else print_message(L, "refused", -1);
  }
  close_state(L);
}

static void print_output (const char *s, size_t n) {
  char line[600];
  size_t i, used = (size_t)sprintf(line, "output %u ", (unsigned)(job - harness_jobs));
  for (i = 0; i < n; i++) used += (size_t)sprintf(line + used, "%02x", (unsigned char)s[i]);
  line[used] = '\n';
  console_write(line, used + 1);
}

static int open_all (lua_State *L) {
  luaL_openlibs(L);
  return warm_up(L);
}

/* the run of a chunk, in a state with the libraries and a working collector */
static void measure_run (void) {
  counts c;
  uint32_t own;
  lua_State *L = open_state(open_all);
  if (L == NULL) return;
  own = own_cost(L);
  if (push_loader(L) && lua_pcall(L, 1, 1, 0) == 0 && lua_isfunction(L, -1)) {
    collect(L);
    collect_again(L);
    console_capture(print_output);
    measure_call(L, 0, 0, &c);
    console_capture(NULL);
    if (c.status != 0) print_message(L, "failed", -1);
    printf("run %u instructions=%u allocations=%u live_peak=%d heap_peak=%d stack=%u\n",
           (unsigned)(job - harness_jobs), (unsigned)(c.instructions - own),
           (unsigned)GAIN(c.after, calls), GAIN(c.after, live_peak),
           GAIN(c.after, used_peak), (unsigned)c.stack);
  }
  close_state(L);
}

static void do_job (void) {
  job_data = job->data;
  strcpy(NAME_BASE, job->name);
  if (job->copy) {
    if (job->size > COPY_SIZE) runtime_fail("a chunk of %u bytes", (unsigned)job->size);
    memcpy(COPY_BASE, job->data, job->size);
    job_data = COPY_BASE;
  }
  measure_load();
  if (job->run) measure_run();
}

int main (void) {
  memcpy(SAVE_BASE, image_data_start, IMAGE_DATA);
  harness_check();
  for (job = harness_jobs; job < harness_jobs + harness_job_count; job++) do_job();
  printf("done %u\n", (unsigned)harness_job_count);
  return 0;
}
