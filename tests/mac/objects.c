/* A table of all living objects. */
#include "objects.h"
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS 256
#define FIRST_HANDLE 0x7a0100000000u /* as far up as real ones, so that half a handle is none */

static struct object objects[OBJECTS];
static uintptr_t next_handle = FIRST_HANDLE;

static void *copied(const void *bytes, size_t length)
{
    char *copy = malloc(length + 1);
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

struct object *object_new(enum kind kind, uintptr_t owner, const char *key)
{
    for (int at = 0; at < OBJECTS; at++) {
        struct object *object = &objects[at];
        if (object->handle != 0)
            continue;
        *object = (struct object){.handle = next_handle, .kind = kind, .references = 1, .owner = owner};
        object->key = copied(key, strlen(key));
        next_handle += 16;
        if (owner == 0)
            standin_add("created", 1);
        return object;
    }
    fprintf(stderr, "the stand-in holds no more than %d objects: something is not released\n", OBJECTS);
    abort();
}

static void set_bytes(struct object *object, const char *bytes, size_t length)
{
    object->bytes = copied(bytes, length);
    object->length = (long)length;
}

static void set_from_digits(struct object *object, const char *digits)
{
    size_t length = strlen(digits) / 2;
    object->bytes = calloc(length + 1, 1);
    object->length = (long)length;
    for (size_t at = 0; at < length; at++) {
        unsigned byte = 0;
        sscanf(digits + 2 * at, "%2x", &byte);
        object->bytes[at] = (char)byte;
    }
}

struct object *object_of_value(const char *key, uintptr_t owner)
{
    static const struct {
        const char *prefix;
        enum kind kind;
    } kinds[] = {{"int:", NUMBER}, {"float:", NUMBER}, {"text:", STRING},
                 {"data:", DATA},  {"bool:", BOOLEAN}, {"dict:", DICTIONARY}};
    const char *value = standin_value(key);
    if (value == NULL)
        return NULL;
    for (size_t at = 0; at < sizeof kinds / sizeof kinds[0]; at++) {
        size_t length = strlen(kinds[at].prefix);
        if (strncmp(value, kinds[at].prefix, length) != 0)
            continue;
        struct object *object = object_new(kinds[at].kind, owner, key);
        const char *rest = value + length;
        object->integral = value[0] == 'i';
        if (object->kind == STRING)
            set_bytes(object, rest, strlen(rest));
        else if (object->kind == DATA)
            set_from_digits(object, rest);
        else if (object->integral) /* unsigned ones beyond 2^63 come out negative, as they do on a Mac */
            object->number = rest[0] == '-' ? strtoll(rest, NULL, 0) : (long long)strtoull(rest, NULL, 0);
        return object;
    }
    fprintf(stderr, "the stand-in cannot read %s = %s\n", key, value);
    abort();
}

struct object *object_at(const void *handle)
{
    for (int at = 0; at < OBJECTS; at++)
        if (handle != NULL && objects[at].handle == (uintptr_t)handle)
            return &objects[at];
    standin_add("misused", 1);
    return NULL;
}

struct object *object_lent(uintptr_t owner, const char *key)
{
    for (int at = 0; at < OBJECTS; at++)
        if (objects[at].handle != 0 && objects[at].owner == owner && strcmp(objects[at].key, key) == 0)
            return &objects[at];
    return NULL;
}

static void drop(struct object *object)
{
    uintptr_t handle = object->handle;
    free(object->key);
    free(object->bytes);
    *object = (struct object){0};
    for (int at = 0; at < OBJECTS; at++)
        if (objects[at].handle != 0 && objects[at].owner == handle)
            drop(&objects[at]);
}

void object_release(const void *handle)
{
    struct object *object = object_at(handle);
    if (object == NULL)
        return;
    if (object->owner != 0) { /* it is not the caller's */
        standin_add("misused", 1);
        return;
    }
    standin_add("released", 1);
    if (--object->references == 0)
        drop(object);
}
