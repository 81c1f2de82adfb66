/* Core Foundation: strings, numbers, data and dictionaries, with the signatures of Apple's headers. */
#include "objects.h"
#include "standin.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef const void *CFTypeRef;
typedef const struct __CFString *CFStringRef;
typedef const struct __CFNumber *CFNumberRef;
typedef const struct __CFData *CFDataRef;
typedef const struct __CFDictionary *CFDictionaryRef;
typedef const struct __CFAllocator *CFAllocatorRef;
typedef long CFIndex;
typedef unsigned long CFTypeID;
typedef unsigned char Boolean;
typedef uint32_t CFStringEncoding;

#define UTF8 0x08000100u
#define SINT64 4

static struct object *of_kind(const void *reference, enum kind kind)
{
    struct object *object = object_at(reference);
    if (object != NULL && object->kind != kind) {
        standin_add("misused", 1); /* a Mac would end the program here, or read something else */
        return NULL;
    }
    return object;
}

void CFRelease(CFTypeRef reference)
{
    object_release(reference);
}

CFTypeID CFGetTypeID(CFTypeRef reference)
{
    struct object *object = object_at(reference);
    return object == NULL ? 0 : object->kind;
}

CFTypeID CFStringGetTypeID(void)
{
    return STRING;
}

CFTypeID CFNumberGetTypeID(void)
{
    return NUMBER;
}

CFTypeID CFDataGetTypeID(void)
{
    return DATA;
}

CFTypeID CFDictionaryGetTypeID(void)
{
    return DICTIONARY;
}

CFStringRef CFStringCreateWithCString(CFAllocatorRef allocator, const char *text, CFStringEncoding encoding)
{
    if (allocator != NULL || encoding != UTF8 || standin_value("cf.fail.string") != NULL)
        return NULL;
    struct object *object = object_new(STRING, 0, "");
    object->bytes = strdup(text);
    object->length = (CFIndex)strlen(text);
    return (CFStringRef)object->handle;
}

CFIndex CFStringGetLength(CFStringRef string)
{
    struct object *object = of_kind(string, STRING);
    CFIndex length = 0;
    if (object != NULL) /* in characters, of which a byte that only goes on with one is none */
        for (const char *at = object->bytes; *at != '\0'; at++)
            length += ((unsigned char)*at & 0xc0) != 0x80;
    return length;
}

Boolean CFStringGetCString(CFStringRef string, char *buffer, CFIndex size, CFStringEncoding encoding)
{
    struct object *object = of_kind(string, STRING);
    if (object == NULL || encoding != UTF8 || object->length >= size || standin_value("cf.fail.text") != NULL)
        return false;
    memcpy(buffer, object->bytes, (size_t)object->length + 1);
    return true;
}

Boolean CFNumberGetValue(CFNumberRef number, CFIndex type, void *value)
{
    struct object *object = of_kind(number, NUMBER);
    if (object == NULL || type != SINT64 || !object->integral)
        return false; /* what is lost on the way makes it false */
    memcpy(value, &object->number, sizeof object->number);
    return true;
}

CFIndex CFDataGetLength(CFDataRef data)
{
    struct object *object = of_kind(data, DATA);
    return object == NULL ? 0 : object->length;
}

const uint8_t *CFDataGetBytePtr(CFDataRef data)
{
    struct object *object = of_kind(data, DATA);
    return object == NULL ? NULL : (const uint8_t *)object->bytes;
}

Boolean CFDictionaryGetValueIfPresent(CFDictionaryRef dictionary, const void *key, const void **value)
{
    struct object *object = of_kind(dictionary, DICTIONARY), *name = of_kind(key, STRING), *found;
    char path[256];
    if (object == NULL || name == NULL)
        return false;
    snprintf(path, sizeof path, "%s.%s", object->key, name->bytes);
    found = object_lent(object->handle, path);
    if (found == NULL)
        found = object_of_value(path, object->handle);
    if (found != NULL)
        *value = (const void *)found->handle;
    return found != NULL;
}
