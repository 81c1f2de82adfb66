/* Keys and counters in one small table; the first values come from the file named by FLEETVIEW_MAC_FIXTURE. */
#include "standin.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES 512

struct entry {
    char *key;
    char *value;
    long count;
};

static struct entry entries[ENTRIES];

static struct entry *entry_of(const char *key, int make)
{
    for (int at = 0; at < ENTRIES; at++) {
        if (entries[at].key != NULL && strcmp(entries[at].key, key) == 0)
            return &entries[at];
        if (entries[at].key == NULL) {
            if (!make)
                return NULL;
            entries[at].key = strdup(key);
            return &entries[at];
        }
    }
    fprintf(stderr, "the stand-in holds no more than %d keys\n", ENTRIES);
    abort();
}

const char *standin_value(const char *key)
{
    struct entry *entry = entry_of(key, 0);
    return entry == NULL ? NULL : entry->value;
}

void standin_set(const char *key, const char *value)
{
    struct entry *entry = entry_of(key, 1);
    char *copy = value == NULL ? NULL : strdup(value);
    free(entry->value);
    entry->value = copy;
}

long long standin_number(const char *key, long long otherwise)
{
    const char *value = standin_value(key);
    return value == NULL ? otherwise : (long long)strtoull(value, NULL, 0);
}

void standin_add(const char *counter, long by)
{
    entry_of(counter, 1)->count += by;
}

long standin_count(const char *counter)
{
    struct entry *entry = entry_of(counter, 0);
    return entry == NULL ? 0 : entry->count;
}

static char *trimmed(char *text)
{
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

__attribute__((constructor)) static void read_fixture(void)
{
    const char *path = getenv("FLEETVIEW_MAC_FIXTURE");
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    char line[1024];
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        char *equals = strchr(line, '=');
        if (line[0] == '#' || equals == NULL)
            continue;
        *equals = '\0';
        standin_set(trimmed(line), trimmed(equals + 1));
    }
    fclose(file);
}
