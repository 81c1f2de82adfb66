/* Objects of Core Foundation and Objective-C. A handle is no address: it is never given out twice, does not fit into
   32 bits, and using one that is gone, or cut short, is noticed: it counts as "misused". */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <stdint.h>

enum kind { STRING = 7, DICTIONARY = 18, DATA = 20, BOOLEAN = 21, NUMBER = 22, ARRAY = 19, DEVICE = 1001 };

struct object {
    uintptr_t handle; /* zero: this place is free */
    enum kind kind;
    long references;
    uintptr_t owner; /* of one that is only borrowed; zero: whoever made it must release it */
    char *key;       /* under which its value, or those of its entries, are found */
    char *bytes;
    long length;
    long long number;
    int integral;
};

/* Makes an object; one with an owner goes with that. */
struct object *object_new(enum kind kind, uintptr_t owner, const char *key);

/* Makes an object of the value of a key, as `int:43`, `float:0.5`, `text:Apple`, `data:4100`, `bool:1` or `dict:`. */
struct object *object_of_value(const char *key, uintptr_t owner);

/* The object of a handle; NULL, and misused, where there is none. */
struct object *object_at(const void *handle);

/* The object that an owner gave out under a key before; NULL where there is none. */
struct object *object_lent(uintptr_t owner, const char *key);

void object_release(const void *handle);

#endif
