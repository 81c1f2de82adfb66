/* IOKit's registry, and Metal behind Objective-C, with the signatures of Apple's headers.

   iokit.accelerators: how many there are; one, if nothing is said. The properties of the first are at `iokit.NAME`,
   those of the next at `iokit.1.NAME`; entries of a dictionary at `iokit.NAME.KEY`.
   iokit.generation: when it changes, the drivers were restarted, and what was found before is gone.
   iokit.fail.matching, iokit.fail.services, iokit.fail.property: these fail.
   metal.devices, metal.name, metal.recommended, metal.unified; metal.hang; metal.crash: a number of a signal. */
#include "objects.h"
#include "standin.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef int32_t kern_return_t;
typedef uint32_t mach_port_t;
typedef mach_port_t io_object_t;

#define NO_SPACE ((kern_return_t)0xe00002bd)
#define BAD_ARGUMENT ((kern_return_t)0xe00002c2)
#define PORTS 64

struct port {
    io_object_t name; /* zero: this place is free */
    int iterator;
    int at; /* of an iterator: the next; of an entry: its number */
    long long generation;
};

static struct port ports[PORTS];
static io_object_t next_port = 0x1003;

static struct port *port_of(io_object_t name)
{
    for (int at = 0; at < PORTS; at++)
        if (name != 0 && ports[at].name == name)
            return &ports[at];
    standin_add("misused", 1);
    return NULL;
}

static io_object_t port_new(int iterator, int number)
{
    for (int at = 0; at < PORTS; at++) {
        if (ports[at].name != 0)
            continue;
        ports[at] = (struct port){next_port, iterator, number, standin_number("iokit.generation", 0)};
        next_port += 0x100;
        standin_add("ports opened", 1);
        return ports[at].name;
    }
    fprintf(stderr, "the stand-in holds no more than %d ports: something is not released\n", PORTS);
    abort();
}

void *IOServiceMatching(const char *name)
{
    if (standin_value("iokit.fail.matching") != NULL)
        return NULL;
    return (void *)object_new(DICTIONARY, 0, name)->handle;
}

kern_return_t IOServiceGetMatchingServices(mach_port_t port, const void *matching, io_object_t *iterator)
{
    struct object *description = object_at(matching);
    int known = description != NULL && strcmp(description->key, "IOAccelerator") == 0;
    if (description != NULL)
        object_release(matching); /* it takes over the description, whatever happens */
    if (port != 0)
        return BAD_ARGUMENT;
    if (standin_value("iokit.fail.services") != NULL)
        return NO_SPACE;
    *iterator = port_new(1, known ? 0 : 1 << 20);
    return 0;
}

io_object_t IOIteratorNext(io_object_t iterator)
{
    struct port *port = port_of(iterator);
    if (port == NULL || !port->iterator || port->at >= standin_number("iokit.accelerators", 1))
        return 0;
    return port_new(0, port->at++);
}

static struct port *entry_of(io_object_t entry)
{
    struct port *port = port_of(entry);
    return port == NULL || port->iterator ? NULL : port;
}

int IORegistryEntryInPlane(io_object_t entry, const char *plane)
{
    struct port *port = entry_of(entry);
    return port != NULL && strcmp(plane, "IOService") == 0 && port->generation == standin_number("iokit.generation", 0);
}

const void *IORegistryEntryCreateCFProperty(io_object_t entry, const void *key, const void *allocator, uint32_t options)
{
    struct port *port = entry_of(entry);
    struct object *name = object_at(key);
    struct object *value;
    char path[256];
    if (port == NULL || name == NULL || allocator != NULL || options != 0)
        return NULL;
    if (standin_value("iokit.fail.property") != NULL)
        return NULL;
    standin_add("properties fetched", 1);
    if (port->at == 0)
        snprintf(path, sizeof path, "iokit.%s", name->bytes);
    else
        snprintf(path, sizeof path, "iokit.%d.%s", port->at, name->bytes);
    value = object_of_value(path, 0);
    return value == NULL ? NULL : (const void *)value->handle;
}

kern_return_t IOObjectRelease(io_object_t object)
{
    struct port *port = port_of(object);
    if (port == NULL)
        return BAD_ARGUMENT;
    *port = (struct port){0};
    standin_add("ports closed", 1);
    return 0;
}

void *MTLCopyAllDevices(void)
{
    long long crash = standin_number("metal.crash", 0);
    if (crash != 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        raise((int)crash);
    }
    while (standin_value("metal.hang") != NULL)
        pause();
    if (standin_value("metal.devices") == NULL)
        return NULL;
    return (void *)object_new(ARRAY, 0, "metal.devices")->handle;
}

/* A selector is the same for the same name, for ever. */
const char *sel_registerName(const char *name)
{
    static const char *selectors[32];
    int at = 0;
    for (; selectors[at] != NULL; at++)
        if (strcmp(selectors[at], name) == 0)
            return selectors[at];
    return selectors[at] = strdup(name);
}

static uintptr_t lent(struct object *owner, enum kind kind, const char *key)
{
    struct object *object = object_lent(owner->handle, key);
    if (object == NULL) {
        object = object_new(kind, owner->handle, key);
        if (kind == STRING)
            object->bytes = strdup(standin_value(key));
    }
    return object->handle;
}

/* Methods answer in one register, whatever their type: so one function serves for those that we know. */
uintptr_t objc_msgSend(const void *receiver, const char *selector, unsigned long argument)
{
    struct object *object;
    if (receiver == NULL) /* as in the real one: nothing answers nothing */
        return 0;
    if ((object = object_at(receiver)) == NULL)
        return 0;
    if (object->kind == ARRAY && strcmp(selector, "count") == 0)
        return (uintptr_t)standin_number("metal.devices", 0);
    if (object->kind == ARRAY && strcmp(selector, "objectAtIndex:") == 0 && argument == 0)
        return lent(object, DEVICE, "metal");
    if (object->kind == ARRAY && strcmp(selector, "release") == 0)
        return object_release(receiver), 0;
    if (object->kind == DEVICE && strcmp(selector, "name") == 0)
        return standin_value("metal.name") == NULL ? 0 : lent(object, STRING, "metal.name");
    if (object->kind == DEVICE && strcmp(selector, "recommendedMaxWorkingSetSize") == 0)
        return (uintptr_t)standin_number("metal.recommended", 0);
    if (object->kind == DEVICE && strcmp(selector, "hasUnifiedMemory") == 0)
        return standin_number("metal.unified", 1) != 0;
    if (object->kind == STRING && strcmp(selector, "UTF8String") == 0)
        return (uintptr_t)object->bytes;
    standin_add("misused", 1); /* it does not know that message: a Mac would end the program */
    return 0;
}
