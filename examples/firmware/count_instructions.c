/* A plugin of qemu's that counts the instructions between count_begin() and count_end() of boards/board.hpp.
 *
 *     cc -O2 -shared -fPIC -o count_instructions.so count_instructions.c
 *     qemu-system-arm ... -plugin ./count_instructions.so -d plugin
 *
 * One line for each region, then their sum. Counts are instructions, not cycles, and the same in every run: a block of
 * instructions adds its length when it is entered. An end without a begin, and a begin within a region, are said and not counted.
 * qemu's own header is not needed, nor packaged with 7.2: what is used of it is declared here. PLUGIN_API is the interface's version:
 * 1 up to qemu 8, 2 in 9.0, 3 and more later; qemu refuses one that it does not know. */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifndef PLUGIN_API
#define PLUGIN_API 1
#endif

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct machine {
    const char* target_name; /* what follows differs between versions */
};
enum { no_registers = 0, add_u64 = 0 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* block, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn* instruction);
#if PLUGIN_API >= 3
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn* instruction, void* to, size_t size);
#else
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn* instruction);
#endif
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*translated)(plugin_id, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb* block, void (*entered)(unsigned, void*), int registers, void* data);
#if PLUGIN_API < 2
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb* block, int operation, void* to, uint64_t number);
#endif
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn* instruction, void (*executed)(unsigned, void*), int registers, void* data);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*ended)(plugin_id, void*), void* data);
void qemu_plugin_outs(const char* text);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = PLUGIN_API;

static uint32_t begin_marker, end_marker;
static size_t marker_bytes;

static uint64_t entered; /* instructions of all blocks entered so far */
static uint64_t region_begin, total;
static unsigned regions;
static bool within;

static void say(const char* text) { qemu_plugin_outs(text); }

#if PLUGIN_API >= 2
static void add_block(unsigned cpu, void* count) {
    (void)cpu;
    entered += (uintptr_t)count;
}
#endif

/* `behind`: instructions of the marker's block that are counted as entered and have not run yet. */
static void begin_region(unsigned cpu, void* behind) {
    (void)cpu;
    if (within)
        say("a region begins within another: it is left out\n");
    else
        region_begin = entered - (uintptr_t)behind;
    within = true;
}

static void end_region(unsigned cpu, void* behind) {
    (void)cpu;
    if (!within) {
        say("a region ends that has not begun\n");
        return;
    }
    within = false;
    const uint64_t count = entered - (uintptr_t)behind - 1 - region_begin; /* without the marker */
    total += count;
    char line[64];
    snprintf(line, sizeof line, "region %u: %" PRIu64 " instructions\n", regions++, count);
    say(line);
}

static uint32_t marker_of(const struct qemu_plugin_insn* instruction) {
    uint32_t code = 0;
    if (qemu_plugin_insn_size(instruction) != marker_bytes) return 0;
#if PLUGIN_API >= 3
    qemu_plugin_insn_data(instruction, &code, marker_bytes);
#else
    memcpy(&code, qemu_plugin_insn_data(instruction), marker_bytes);
#endif
    return code == begin_marker || code == end_marker ? code : 0;
}

static void translate(plugin_id id, struct qemu_plugin_tb* block) {
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(block);
#if PLUGIN_API >= 2
    qemu_plugin_register_vcpu_tb_exec_cb(block, add_block, no_registers, (void*)(uintptr_t)count);
#else
    qemu_plugin_register_vcpu_tb_exec_inline(block, add_u64, &entered, count);
#endif
    for (size_t i = 0; i < count; ++i) {
        struct qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(block, i);
        const uint32_t marker = marker_of(instruction);
        if (marker == 0) continue;
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, marker == begin_marker ? begin_region : end_region, no_registers,
                                               (void*)(uintptr_t)(count - i - 1));
    }
}

static void end(plugin_id id, void* data) {
    (void)id;
    (void)data;
    if (within) say("a region has not ended\n");
    char line[80];
    snprintf(line, sizeof line, "total: %" PRIu64 " instructions in %u regions\n", total, regions);
    say(line);
}

EXPORTED int qemu_plugin_install(plugin_id id, const struct machine* machine, int count, char** arguments) {
    (void)count;
    (void)arguments;
    if (strncmp(machine->target_name, "arm", 3) == 0) { /* mov r10, r10 and mov r11, r11, in Thumb */
        begin_marker = 0x46d2;
        end_marker = 0x46db;
        marker_bytes = 2;
    } else if (strncmp(machine->target_name, "riscv", 5) == 0) { /* slti zero, zero, 17 and 18 */
        begin_marker = 0x01102013;
        end_marker = 0x01202013;
        marker_bytes = 4;
    } else {
        fprintf(stderr, "count_instructions: no markers are known for %s\n", machine->target_name);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, end, NULL);
    return 0;
}
