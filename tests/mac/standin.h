/* What the parts of the stand-in for macOS share: values that tests set, and counters that tests read. */
#ifndef STANDIN_H
#define STANDIN_H

/* The value of a key; NULL where it is absent. Valid until the key is set again. */
const char *standin_value(const char *key);

/* Sets a key; NULL takes it away. */
void standin_set(const char *key, const char *value);

/* The number that a key holds, in any notation of C; `otherwise` where it is absent. */
long long standin_number(const char *key, long long otherwise);

/* Adds to a counter, which begins at zero. */
void standin_add(const char *counter, long by);
long standin_count(const char *counter);

#endif
