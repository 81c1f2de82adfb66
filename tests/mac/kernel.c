/* The kernel's calls and notifications, with Apple's signatures, out of the fixture's values.
 *
 * Keys: `sysctl.NAME` = `i32:8`, `i64:12`, `text:Apple M2 Max` or `hex:0102`; `vm.FIELD` and `page_size` as numbers;
 * `cpu.STATE` = ticks at the first call, to which each further one adds `cpu.step.STATE`; `thermal` = the state;
 * `fail.CALL` = the status with which a call fails.
 */
#include "standin.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int kern_return_t;
typedef unsigned int natural_t;
typedef unsigned int mach_port_t;
typedef unsigned int mach_msg_type_number_t;

#define KERN_SUCCESS 0
#define KERN_INVALID_ARGUMENT 4
#define KERN_INVALID_RIGHT 17
#define HOST_CPU_LOAD_INFO 3
#define HOST_VM_INFO64 4
#define HOST_PORT 0x1203
#define TASK_PORT 0x103
#define NOTIFY_STATUS_INVALID_TOKEN 2
#define TOKENS 64

mach_port_t mach_task_self_ = TASK_PORT;

struct vm_statistics64 {
    natural_t free_count, active_count, inactive_count, wire_count;
    uint64_t zero_fill_count, reactivations, pageins, pageouts, faults, cow_faults, lookups, hits, purges;
    natural_t purgeable_count, speculative_count;
    uint64_t decompressions, compressions, swapins, swapouts;
    natural_t compressor_page_count, throttled_count, external_page_count, internal_page_count;
    uint64_t total_uncompressed_pages_in_compressor;
} __attribute__((aligned(8)));

_Static_assert(sizeof(struct vm_statistics64) == 38 * sizeof(natural_t), "HOST_VM_INFO64_REV1_COUNT");

/* The bytes of a sysctl value; the caller frees them. */
static unsigned char *bytes_of(const char *value, size_t *size)
{
    unsigned char *bytes;
    if (strncmp(value, "text:", 5) == 0) {
        *size = strlen(value + 5) + 1;
        return (unsigned char *)strdup(value + 5);
    }
    if (strncmp(value, "hex:", 4) == 0) {
        *size = strlen(value + 4) / 2;
        bytes = malloc(*size + 1);
        for (size_t at = 0; at < *size; at++)
            sscanf(value + 4 + 2 * at, "%2hhx", &bytes[at]);
        return bytes;
    }
    *size = strncmp(value, "i64:", 4) == 0 ? 8 : 4;
    bytes = malloc(8);
    long long number = (long long)strtoull(value + 4, NULL, 0);
    memcpy(bytes, &number, 8);
    return bytes;
}

int sysctlbyname(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
{
    char key[256];
    size_t size;
    snprintf(key, sizeof key, "sysctl.%s", name);
    const char *value = standin_value(key);
    if (new != NULL || new_size != 0) {
        errno = EPERM;
        return -1;
    }
    if (value == NULL) {
        errno = ENOENT;
        return -1;
    }
    unsigned char *bytes = bytes_of(value, &size);
    int whole = old == NULL || *old_size >= size;
    if (old != NULL && whole)
        memcpy(old, bytes, size);
    free(bytes);
    *old_size = size;
    errno = whole ? 0 : ENOMEM;
    return whole ? 0 : -1;
}

mach_port_t mach_host_self(void)
{
    standin_add("ports", 1);
    return HOST_PORT;
}

kern_return_t mach_port_deallocate(mach_port_t task, mach_port_t name)
{
    if (task != TASK_PORT || name != HOST_PORT || standin_count("ports") <= 0)
        return KERN_INVALID_RIGHT;
    standin_add("ports", -1);
    return KERN_SUCCESS;
}

kern_return_t host_page_size(mach_port_t host, uintptr_t *size)
{
    if (host != HOST_PORT)
        return KERN_INVALID_ARGUMENT;
    *size = (uintptr_t)standin_number("page_size", 0);
    return (kern_return_t)standin_number("fail.host_page_size", KERN_SUCCESS);
}

static const char *const states[] = {"user", "system", "idle", "nice"};

static natural_t ticks_of(const char *state)
{
    char first[32], step[32];
    snprintf(first, sizeof first, "cpu.%s", state);
    snprintf(step, sizeof step, "cpu.step.%s", state);
    return (natural_t)(standin_number(first, 0) + standin_count("cpu asked") * standin_number(step, 0));
}

kern_return_t host_statistics(mach_port_t host, int flavour, int *info, mach_msg_type_number_t *count)
{
    kern_return_t failure = (kern_return_t)standin_number("fail.host_statistics", KERN_SUCCESS);
    if (failure != KERN_SUCCESS)
        return failure;
    if (host != HOST_PORT || flavour != HOST_CPU_LOAD_INFO || *count < 4)
        return KERN_INVALID_ARGUMENT;
    for (int at = 0; at < 4; at++)
        info[at] = (int)ticks_of(states[at]);
    standin_add("cpu asked", 1);
    *count = 4;
    return KERN_SUCCESS;
}

kern_return_t host_statistics64(mach_port_t host, int flavour, int *info, mach_msg_type_number_t *count)
{
    kern_return_t failure = (kern_return_t)standin_number("fail.host_statistics64", KERN_SUCCESS);
    struct vm_statistics64 *told = (struct vm_statistics64 *)info;
    if (failure != KERN_SUCCESS)
        return failure;
    if (host != HOST_PORT || flavour != HOST_VM_INFO64 || *count < 38)
        return KERN_INVALID_ARGUMENT;
    memset(told, 0, sizeof *told);
    told->free_count = (natural_t)standin_number("vm.free", 0);
    told->active_count = (natural_t)standin_number("vm.active", 0);
    told->inactive_count = (natural_t)standin_number("vm.inactive", 0);
    told->wire_count = (natural_t)standin_number("vm.wired", 0);
    told->zero_fill_count = 1142135183;
    told->faults = 2353787963;
    told->purgeable_count = (natural_t)standin_number("vm.purgeable", 0);
    told->speculative_count = (natural_t)standin_number("vm.speculative", 0);
    told->decompressions = 1336548;
    told->compressions = 2545776;
    told->swapins = (uint64_t)standin_number("vm.swapins", 0);
    told->swapouts = (uint64_t)standin_number("vm.swapouts", 0);
    told->compressor_page_count = (natural_t)standin_number("vm.compressor", 0);
    told->external_page_count = (natural_t)standin_number("vm.external", 0);
    told->internal_page_count = (natural_t)standin_number("vm.internal", 0);
    told->total_uncompressed_pages_in_compressor = 454672;
    *count = 38;
    return KERN_SUCCESS;
}

static int registered[TOKENS];

uint32_t notify_register_check(const char *name, int *token)
{
    uint32_t failure = (uint32_t)standin_number("fail.notify_register_check", 0);
    if (failure != 0)
        return failure;
    if (strcmp(name, "com.apple.system.thermalpressurelevel") != 0)
        return 1;
    for (*token = 0; *token < TOKENS; ++*token)
        if (!registered[*token]) {
            registered[*token] = 1;
            standin_add("registered", 1);
            return 0;
        }
    return 1000000;
}

uint32_t notify_get_state(int token, uint64_t *state)
{
    uint32_t failure = (uint32_t)standin_number("fail.notify_get_state", 0);
    if (failure != 0)
        return failure;
    if (token < 0 || token >= TOKENS || !registered[token])
        return NOTIFY_STATUS_INVALID_TOKEN;
    *state = (uint64_t)standin_number("thermal", 0);
    return 0;
}

uint32_t notify_cancel(int token)
{
    if (token < 0 || token >= TOKENS || !registered[token])
        return NOTIFY_STATUS_INVALID_TOKEN;
    registered[token] = 0;
    standin_add("registered", -1);
    return 0;
}
