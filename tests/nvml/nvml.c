/* Stands in for NVIDIA's libnvidia-ml.so.1: the functions that we call, with its signatures and its error codes.
 *
 * Keys: `driver`, an error that every call then answers; `gpus`, how many there are; `gpu0.…` for the first of them and
 * `gpu0.instance0.…` for the first of its instances. A figure without a value answers "not supported"; a value such as
 * `!15` is an error. Counters: `started`, `refused`, `ended`, `calls`.
 */
#include "../mac/standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GPUS 16
#define INSTANCES 8

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, VERSION = 25 };

typedef struct device {
    char prefix[32];
    int gpu;
} device;
typedef struct { unsigned long long total, free, used; } memory_v1;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory_v2;
typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; } process;
typedef struct { unsigned version, fan, speed; } fan_speed;
typedef struct { unsigned gpu, memory; } utilization;

_Static_assert(sizeof(memory_v2) == 0x28, "the version of the structure tells its size");
_Static_assert(sizeof(process) == 24, "as nvidia-ml-py has it");

static device devices[GPUS][INSTANCES + 1];
static int lives;

static int text_of(const device *device, const char *figure, const char **text)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", device->prefix, figure);
    *text = standin_value(key);
    if (*text == NULL)
        return NOT_SUPPORTED;
    return **text == '!' ? atoi(*text + 1) : SUCCESS;
}

/* Whether the library is up, and the driver and the device answer. */
static int answering(const device *device)
{
    char key[96];
    standin_add("calls", 1);
    if (lives == 0)
        return UNINITIALIZED;
    if (standin_value("driver") != NULL)
        return (int)standin_number("driver", 0);
    if (device == NULL)
        return SUCCESS;
    snprintf(key, sizeof key, "gpu%d.problem", device->gpu);
    return (int)standin_number(key, SUCCESS);
}

static int number_of(const device *device, const char *figure, unsigned long long *number)
{
    const char *text;
    int status = answering(device);
    if (status == SUCCESS)
        status = text_of(device, figure, &text);
    if (status == SUCCESS)
        *number = strtoull(text, NULL, 0);
    return status;
}

static int small_number_of(const device *device, const char *figure, unsigned *number)
{
    unsigned long long told = 0;
    int status = number_of(device, figure, &told);
    if (status == SUCCESS)
        *number = (unsigned)told;
    return status;
}

int nvmlInitWithFlags(unsigned flags)
{
    (void)flags;
    if (standin_value("driver") != NULL) {
        standin_add("refused", 1);
        return (int)standin_number("driver", 0);
    }
    lives++;
    standin_add("started", 1);
    return SUCCESS;
}

int nvmlShutdown(void)
{
    if (lives == 0)
        return UNINITIALIZED;
    lives--;
    standin_add("ended", 1);
    return SUCCESS;
}

const char *nvmlErrorString(int status)
{
    return status == VERSION ? "Argument version mismatch" : "An error";
}

int nvmlDeviceGetCount_v2(unsigned *count)
{
    int status = answering(NULL);
    *count = (unsigned)standin_number("gpus", 0);
    return status;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, device **handle)
{
    if (index >= GPUS)
        return INVALID;
    device *found = &devices[index][INSTANCES];
    snprintf(found->prefix, sizeof found->prefix, "gpu%u", index);
    found->gpu = (int)index;
    *handle = found;
    return answering(found);
}

int nvmlDeviceGetName(device *device, char *name, unsigned length)
{
    const char *text;
    int status = answering(device);
    if (status == SUCCESS)
        status = text_of(device, "name", &text);
    if (status == SUCCESS)
        snprintf(name, length, "%s", text);
    return status;
}

int nvmlDeviceGetNumGpuCores(device *device, unsigned *cores)
{
    return small_number_of(device, "cores", cores);
}

int nvmlDeviceGetMemoryInfo(device *device, memory_v1 *memory)
{
    unsigned long long reserved = 0;
    int status = number_of(device, "total", &memory->total);
    if (status == SUCCESS)
        status = number_of(device, "used", &memory->used);
    if (status == SUCCESS && number_of(device, "reserved", &reserved) == SUCCESS)
        memory->used += reserved;
    return status;
}

int nvmlDeviceGetMemoryInfo_v2(device *device, memory_v2 *memory)
{
    const char *text;
    if (text_of(device, "second", &text) != NOT_SUPPORTED) /* what an older driver says of this version */
        return text_of(device, "second", &text);
    if (memory->version != 0x02000028)
        return VERSION;
    int status = number_of(device, "total", &memory->total);
    if (status == SUCCESS)
        status = number_of(device, "used", &memory->used);
    return status;
}

int nvmlDeviceGetUtilizationRates(device *device, utilization *rates)
{
    rates->memory = 99; /* how busy the memory's lines are: never to be taken for what is full */
    return small_number_of(device, "busy", &rates->gpu);
}

int nvmlDeviceGetTemperature(device *device, int sensor, unsigned *celsius)
{
    return sensor == 0 ? small_number_of(device, "celsius", celsius) : INVALID;
}

int nvmlDeviceGetPowerUsage(device *device, unsigned *milliwatts)
{
    return small_number_of(device, "milliwatts", milliwatts);
}

int nvmlDeviceGetClockInfo(device *device, int clock, unsigned *megahertz)
{
    return clock == 1 ? small_number_of(device, "megahertz", megahertz) : INVALID;
}

int nvmlDeviceGetFanSpeedRPM(device *device, fan_speed *fan)
{
    return fan->version == 0x100000C ? small_number_of(device, "rpm", &fan->speed) : VERSION;
}

/* `21:1024 22:-` are two programs, of which the second does not tell what it holds. */
static int programs_of(device *device, const char *figure, unsigned *count, process *programs)
{
    const char *text;
    unsigned room = *count, found = 0;
    int status = answering(device), length;
    if (status == SUCCESS)
        status = text_of(device, figure, &text);
    if (status != SUCCESS)
        return status;
    for (process one = {0}; sscanf(text, " %u:%n", &one.pid, &length) == 1; found++) {
        char *end;
        text += length;
        one.used = *text == '-' ? (end = (char *)text + 1, ~0ULL) : strtoull(text, &end, 0);
        text = end;
        if (found < room)
            programs[found] = one;
    }
    *count = found;
    return found > room ? TOO_SMALL : SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(device *device, unsigned *count, process *programs)
{
    return programs_of(device, "compute", count, programs);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(device *device, unsigned *count, process *programs)
{
    return programs_of(device, "graphics", count, programs);
}

int nvmlDeviceGetMigMode(device *device, unsigned *current, unsigned *pending)
{
    *pending = 0;
    return small_number_of(device, "divided", current);
}

int nvmlDeviceGetMaxMigDeviceCount(device *device, unsigned *count)
{
    return small_number_of(device, "slots", count);
}

int nvmlDeviceGetMigDeviceHandleByIndex(device *device, unsigned index, struct device **handle)
{
    const char *text;
    if (index >= INSTANCES)
        return INVALID;
    struct device *found = &devices[device->gpu][index];
    snprintf(found->prefix, sizeof found->prefix, "gpu%d.instance%u", device->gpu, index);
    found->gpu = device->gpu;
    *handle = found;
    return text_of(found, "total", &text) == NOT_SUPPORTED ? NOT_FOUND : answering(found);
}
