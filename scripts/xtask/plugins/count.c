/*
 * TCG plugin: counts the instructions that a machine executes outside the measuring guest's image, between the marks in
 * the guest (guest-images/bench/src/mark.rs), and those up to the guest's first instruction.
 *
 * Options: out=FILE      where the results go, one line each (below)
 *          scope=machine one window for all CPUs: what any of them does counts. For -icount, which runs all CPUs in one
 *                        thread and names the wrong one to plugins
 *          scope=core    a window for each CPU, for what that CPU does. For multi-threaded TCG
 *          from=ADDRESS  what lies below it does not count: firmware at EL3, whose flash and RAM lie there
 *          to=ADDRESS    nothing else counts
 *          profile=BASE  also how often each instruction of the 4 MiB from BASE ran before the guest's first
 *          during=I      ... ran in the windows of test I, instead
 *          guests=on     also what the guests execute themselves
 *          guests=vm     the same, and a guest is what runs at EL1 and EL0 while HCR_EL2.VM is set, wherever it lies: guests that are
 *                        systems of their own, whose programs have the marks, or their host's have. Of the kinds only eret is counted, into guests.
 *                        One CPU only
 *
 * Results: boot core=C instructions=N
 *          test core=C id=I count=N min=N median=N max=N msr=N mrs=N isb=N dsb=N sys=N call=N eret=N mem=N branch=N
 *                        (the kinds are those of the median case; guest=N as well, with that option)
 *          at ADDRESS N  the profile
 *
 * QEMU's plugin API is declared here as far as it is used, so no header of QEMU's is needed (docs/devel/tcg-plugins).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
extern size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *, void *, size_t);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, unsigned));
struct qemu_plugin_scoreboard;
typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;
extern struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t);
extern uint64_t qemu_plugin_u64_sum(qemu_plugin_u64);
extern void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *, int, qemu_plugin_u64, uint64_t);
typedef struct {
	char *data;
	unsigned len;
} GArray;
struct qemu_plugin_register {
	void *handle;
	const char *name;
	const char *feature;
};
extern GArray *qemu_plugin_get_registers(void);
extern int qemu_plugin_read_register(void *, GArray *);
extern GArray *g_byte_array_new(void);
extern GArray *g_byte_array_set_size(GArray *, unsigned);

/* The first version whose qemu_plugin_insn_data copies: QEMU 9.1. */
EXPORT int qemu_plugin_version = 3;

enum {
	MAX_CORES = 16,
	MAX_RECORDS = 4096,
	ANCHOR = 128,
	IMAGE_BYTES = 0x10000,
	PROFILE_WORDS = 1 << 20,
	NO_MARK = 64,
	NO_TEST = 64,
	MARK_ANCHOR = 0,
	MARK_START = 1,
	MARK_END = 2,
	FIRST_TEST = 16,
	RESTART = 46,
	WARM_UP = 47,
};

enum kind { OTHER, MSR, MRS, ISB, DSB, SYS, CALL, ERET, MEM, BRANCH, KINDS };
static const char *const kind_names[KINDS] = {"other", "msr", "mrs", "isb", "dsb", "sys", "call", "eret", "mem", "branch"};

struct record {
	uint32_t total;
	uint32_t kinds[KINDS];
	uint32_t guest;         /* what the guests executed, which is not in the total */
};

struct core {
	uint64_t boot;          /* instructions until the guest's first */
	int started;            /* the guest's first has run */
	int open;               /* inside a window */
	unsigned count;         /* complete windows of this test */
	struct record current;
	struct record records[MAX_RECORDS];
};

static struct core cores[MAX_CORES];
static int per_core;
static uint64_t image = UINT64_MAX;     /* address of the guest's image */
static FILE *out;
static uint64_t lowest;                 /* address from which on instructions count, */
static uint64_t highest = UINT64_MAX;   /* and from which on they do not */
static uint64_t profile_base;
static uint64_t *profile;
static unsigned during = NO_TEST;       /* the test whose windows the profile is of */
static int guests;

/* What is counted where guests are told by HCR_EL2.VM: added to by the translated code itself, as whole systems run. */
enum tally { OUTSIDE, GUEST, ENTRIES, TALLIES };
static int by_vm;
static struct qemu_plugin_scoreboard *tallies;
static uint64_t opened[TALLIES];        /* what there was when the window was opened */
static void *cpsr, *hcr;

/* Arm ARM, C4.1: by the encoding. */
static enum kind kind_of(uint32_t word)
{
	if ((word & 0xfffff0ff) == 0xd50330df || (word & 0xfffff0ff) == 0xd50330ff)
		return ISB;                                             /* isb, sb */
	if ((word & 0xfffff0df) == 0xd503309f)
		return DSB;                                             /* dsb, dmb */
	if ((word & 0xfff80000) == 0xd5080000)
		return SYS;                                             /* tlbi, dc, ic, at */
	if (((word & 0xffe00000) == 0xd5000000 && (word & 0xf01f) == 0x401f) || (word & 0xfff00000) == 0xd5100000)
		return MSR;
	if ((word & 0xfff00000) == 0xd5300000)
		return MRS;
	if ((word & 0xffe0001c) == 0xd4000000)
		return CALL;                                            /* svc, hvc, smc */
	if (word == 0xd69f03e0 || word == 0xd69f0bff || word == 0xd69f0fff)
		return ERET;
	if ((word & 0x0a000000) == 0x08000000)
		return MEM;
	if ((word & 0x1c000000) == 0x14000000 && (word >> 22) != 0x354)
		return BRANCH;
	return OTHER;
}

static unsigned mark_of(uint32_t word)
{
	return (word & 0xffff03ff) == 0xcb1f03ff ? word >> 10 & 63 : NO_MARK;
}

static struct core *core_of(unsigned number)
{
	return &cores[per_core ? number % MAX_CORES : 0];
}

static int by_total(const void *a, const void *b)
{
	uint32_t x = ((const struct record *)a)->total, y = ((const struct record *)b)->total;
	return (x > y) - (x < y);
}

static void write_profile(void)
{
	for (size_t i = 0; profile && i < PROFILE_WORDS; i++)
		if (profile[i])
			fprintf(out, "at %#lx %lu\n", (unsigned long)(i * 4), (unsigned long)profile[i]);
	fflush(out);
	free(profile);
	profile = NULL;
}

static void end_test(struct core *core, unsigned id)
{
	if (core->count && id != WARM_UP) {
		struct record *records = core->records;
		unsigned count = core->count;
		char line[512];
		qsort(records, count, sizeof *records, by_total);
		struct record *median = &records[count / 2];
		int used = snprintf(line, sizeof line, "test core=%u id=%u count=%u min=%u median=%u max=%u", (unsigned)(core - cores),
			id, count, records[0].total, median->total, records[count - 1].total);
		for (int kind = MSR; kind < KINDS; kind++)
			used += snprintf(line + used, sizeof line - (size_t)used, " %s=%u", kind_names[kind], median->kinds[kind]);
		if (guests)
			snprintf(line + used, sizeof line - (size_t)used, " guest=%u", median->guest);
		fprintf(out, "%s\n", line);
		fflush(out);
	}
	if (id == during)
		write_profile();
	else if (profile && during != NO_TEST)
		memset(profile, 0, PROFILE_WORDS * sizeof *profile);
	core->count = 0;
}

static void close_window(struct core *core)
{
	core->open = 0;
	if (core->count < MAX_RECORDS)
		core->records[core->count++] = core->current;
}

static void first_instruction(struct core *core)
{
	if (!core->started) {
		core->started = 1;
		/* The branch in the image's header has run as well. */
		fprintf(out, "boot core=%u instructions=%lu\n", (unsigned)(core - cores), (unsigned long)(core->boot - 1));
		if (during == NO_TEST)
			write_profile();
		fflush(out);
	} else if (core->open) {
		close_window(core);
		end_test(core, RESTART);
	}
}

static void outside(unsigned number, void *data)
{
	struct core *core = core_of(number);
	if (!core->started) {
		core->boot++;
		return;
	}
	if (core->open) {
		core->current.total++;
		core->current.kinds[(uintptr_t)data]++;
	}
}

static void inside(unsigned number, void *data)
{
	(void)data;
	core_of(number)->current.guest++;
}

static void profiled(unsigned number, void *data)
{
	uint64_t word = ((uintptr_t)data - profile_base) / 4;
	if (profile && word < PROFILE_WORDS && (during == NO_TEST || core_of(number)->open))
		profile[word]++;
}

static qemu_plugin_u64 tally(enum tally which)
{
	return (qemu_plugin_u64){tallies, which * sizeof(uint64_t)};
}

static uint32_t since_opened(enum tally which)
{
	return (uint32_t)(qemu_plugin_u64_sum(tally(which)) - opened[which]);
}

static void mark(unsigned number, void *data)
{
	struct core *core = core_of(number);
	unsigned mark = (unsigned)(uintptr_t)data;
	if (mark == MARK_ANCHOR) {
		first_instruction(core);
	} else if (mark == MARK_START) {
		memset(&core->current, 0, sizeof core->current);
		for (int which = 0; by_vm && which < TALLIES; which++)
			opened[which] = qemu_plugin_u64_sum(tally(which));
		core->open = 1;
	} else if (mark == MARK_END && core->open) {
		if (by_vm) {
			core->current.total = since_opened(OUTSIDE);
			core->current.guest = since_opened(GUEST);
			core->current.kinds[ERET] = since_opened(ENTRIES);
		}
		close_window(core);
	} else if (mark >= FIRST_TEST && mark < FIRST_TEST + 48) {
		end_test(core, mark - FIRST_TEST);
	}
}

static uint32_t word_at(struct qemu_plugin_tb *tb, size_t index)
{
	uint32_t word = 0;
	if (index < qemu_plugin_tb_n_insns(tb))
		qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, index), &word, sizeof word);
	return word;
}

static void find_registers(qemu_plugin_id_t id, unsigned number)
{
	(void)id, (void)number;
	GArray *all = qemu_plugin_get_registers();
	struct qemu_plugin_register *registers = (struct qemu_plugin_register *)(void *)all->data;
	for (unsigned i = 0; i < all->len; i++) {
		if (!strcmp(registers[i].name, "cpsr"))
			cpsr = registers[i].handle;
		if (!strcmp(registers[i].name, "HCR_EL2"))
			hcr = registers[i].handle;
	}
	if (!cpsr || !hcr) {
		fprintf(stderr, "count: QEMU does not show CPSR and HCR_EL2\n");
		exit(1);
	}
}

static uint64_t value_of(void *handle)
{
	static GArray *buffer;
	uint64_t value = 0;
	if (!buffer)
		buffer = g_byte_array_new();
	g_byte_array_set_size(buffer, 0);
	int size = qemu_plugin_read_register(handle, buffer);
	if (size > 0)
		memcpy(&value, buffer->data, size > 8 ? 8 : (size_t)size);
	return value;
}

/* A block is a guest's or not as the CPU is when QEMU translates it: no page here runs as the one and as the other. */
static void translate_by_vm(struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	unsigned level = value_of(cpsr) >> 2 & 3;
	int vm = value_of(hcr) & 1;
	int is_guest = level < 2 && vm;
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word = word_at(tb, i);
		unsigned number = mark_of(word);
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(instruction, 0, tally(is_guest ? GUEST : OUTSIDE), 1);
		if (level == 2 && vm && kind_of(word) == ERET)
			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(instruction, 0, tally(ENTRIES), 1);
		if (level == 0 && number != NO_MARK && number != MARK_ANCHOR)
			qemu_plugin_register_vcpu_insn_exec_cb(instruction, mark, 0, (void *)(uintptr_t)number);
	}
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	if (by_vm) {
		translate_by_vm(tb);
		return;
	}
	size_t count = qemu_plugin_tb_n_insns(tb);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(instruction);
		uint32_t word = word_at(tb, i);
		unsigned number = mark_of(word);
		if (number == MARK_ANCHOR && (address & 0xfff) == ANCHOR && mark_of(word_at(tb, i + 1)) == 63)
			image = address - ANCHOR;
		if (address - image < IMAGE_BYTES) {
			/* The third mark of the anchor has another address; before a guest's first, its own branch counts. */
			if (number != NO_MARK && (number != MARK_ANCHOR || address == image + ANCHOR))
				qemu_plugin_register_vcpu_insn_exec_cb(instruction, mark, 0, (void *)(uintptr_t)number);
			else if (guests)
				qemu_plugin_register_vcpu_insn_exec_cb(instruction, inside, 0, NULL);
			continue;
		}
		if (address < lowest || address >= highest)
			continue;
		qemu_plugin_register_vcpu_insn_exec_cb(instruction, outside, 0, (void *)(uintptr_t)kind_of(word));
		if (profile)
			qemu_plugin_register_vcpu_insn_exec_cb(instruction, profiled, 0, (void *)(uintptr_t)address);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count, char **options)
{
	(void)info;
	for (int i = 0; i < count; i++) {
		const char *value = strchr(options[i], '=');
		value = value ? value + 1 : "";
		if (!strncmp(options[i], "out=", 4)) {
			out = fopen(value, "w");
		} else if (!strcmp(options[i], "scope=core")) {
			per_core = 1;
		} else if (!strncmp(options[i], "from=", 5)) {
			lowest = strtoull(value, NULL, 0);
		} else if (!strncmp(options[i], "to=", 3)) {
			highest = strtoull(value, NULL, 0);
		} else if (!strncmp(options[i], "profile=", 8)) {
			profile_base = strtoull(value, NULL, 0);
			profile = calloc(PROFILE_WORDS, sizeof *profile);
		} else if (!strncmp(options[i], "during=", 7)) {
			during = (unsigned)strtoul(value, NULL, 0);
		} else if (!strncmp(options[i], "guests=on", 9)) {
			guests = 1;
		} else if (!strcmp(options[i], "guests=vm")) {
			guests = by_vm = 1;
		} else if (strcmp(options[i], "scope=machine")) {
			fprintf(stderr, "count: unknown option %s\n", options[i]);
			return 1;
		}
	}
	if (!out) {
		fprintf(stderr, "count: the option out=FILE is missing, or the file cannot be written\n");
		return 1;
	}
	if (by_vm) {
		tallies = qemu_plugin_scoreboard_new(TALLIES * sizeof(uint64_t));
		qemu_plugin_register_vcpu_init_cb(id, find_registers);
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
